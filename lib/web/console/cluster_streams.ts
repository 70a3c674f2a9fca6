/// <reference lib="dom" />
import type { ClusterStreamJson, ClusterStreamsJson, ClusterStreamsQuery } from "../../http/cluster_view.ts";
import { byId, element, setText } from "../dom.ts";
import { getClusterStreams } from "./api.ts";
import { plural, rate } from "./format.ts";
import { cell, type Row, RowList } from "./table.ts";

const PAGE = 50;
const DEFAULT_VHOST = "__defaultVhost__";
const HEADINGS: readonly { readonly sort: ClusterStreamsQuery["sort"]; readonly text: string }[] = [
  { sort: "name", text: "Stream" },
  { sort: "owner", text: "Published at" },
  { sort: "fps", text: "Frames/s" },
  { sort: "recv_kbps", text: "In" },
  { sort: "send_kbps", text: "Out" },
  { sort: "viewers", text: "Viewers" },
];

/** The streams of the whole cluster, a page at a time; hidden where there is no cluster. */
export class ClusterStreams {
  readonly #rows = new RowList<ClusterStreamJson>(byId("cluster-streams"), ({ url }) => url, streamRow);
  readonly #refresh: () => void;
  readonly #buttons = new Map<string, HTMLButtonElement>();
  #search = "";
  #sort: ClusterStreamsQuery["sort"] = "name";
  #isDescending = false;
  #start = 0;

  /** @param refresh Shows what was asked for anew. */
  constructor(refresh: () => void) {
    this.#refresh = refresh;
    for (const { sort, text } of HEADINGS) this.#addHeading(sort, text);
    const search = byId("cluster-search") as HTMLInputElement;
    search.oninput = () => this.#ask({ search: search.value.trim() });
    byId("cluster-back").onclick = () => this.#ask({ start: Math.max(0, this.#start - PAGE) });
    byId("cluster-on").onclick = () => this.#ask({ start: this.#start + PAGE });
  }

  /** The page that is looked at; undefined where the server does not tell. */
  async get(): Promise<ClusterStreamsJson | undefined> {
    const sort = `${this.#isDescending ? "-" : ""}${this.#sort}`;
    return await getClusterStreams({ search: this.#search, sort, start: this.#start, count: PAGE })
      .catch(() => undefined);
  }

  show(page: ClusterStreamsJson | undefined): void {
    const isAlone = page === undefined || page.nodes.length < 2;
    byId("cluster-streams-section").hidden = isAlone;
    if (isAlone) return;
    const { total, streams, nodes } = page;
    // What was on this page has gone.
    if (streams.length === 0 && this.#start > 0) this.#start = Math.max(0, this.#start - PAGE);
    this.#rows.show(streams);
    setText(byId("cluster-streams-count"), String(total));
    const silent = nodes.filter(({ error }) => error !== undefined);
    setText(
      byId("cluster-silent"),
      silent.length === 0
        ? ""
        : `Not counted: ${silent.map(({ name, error }) => `${name} (${error})`).join(", ")}`,
    );
    byId("cluster-streams-empty").hidden = streams.length > 0;
    setText(
      byId("cluster-streams-empty"),
      this.#search === "" ? "No node has a stream." : `No stream has “${this.#search}” in its name.`,
    );
    byId("cluster-pages").hidden = total <= PAGE;
    setText(
      byId("cluster-place"),
      `${this.#start + 1}–${this.#start + streams.length} of ${total}`,
    );
    (byId("cluster-back") as HTMLButtonElement).disabled = this.#start === 0;
    (byId("cluster-on") as HTMLButtonElement).disabled = this.#start + PAGE >= total;
  }

  #addHeading(sort: ClusterStreamsQuery["sort"], text: string): void {
    const heading = element("th", sort === "name" || sort === "owner" ? "" : "number");
    const button = element("button", "sort", text);
    button.onclick = () => {
      // Numbers are looked at from the largest down.
      const isText = sort === "name" || sort === "owner";
      this.#isDescending = this.#sort === sort ? !this.#isDescending : !isText;
      this.#sort = sort;
      this.#markSorted();
      this.#ask({ start: 0 });
    };
    heading.append(button);
    byId("cluster-heading").append(heading);
    this.#buttons.set(sort, button);
    this.#markSorted();
  }

  #markSorted(): void {
    for (const [sort, button] of this.#buttons) {
      const isSorted = sort === this.#sort;
      button.parentElement?.setAttribute(
        "aria-sort",
        isSorted ? (this.#isDescending ? "descending" : "ascending") : "none",
      );
    }
  }

  #ask({ search = this.#search, start = 0 }: { search?: string; start?: number }): void {
    this.#search = search;
    this.#start = start;
    this.#refresh();
  }
}

function streamRow(): Row<ClusterStreamJson> {
  const row = element("tr");
  const title = cell(row, "title");
  const name = element("span", "name");
  const badge = element("span", "badge");
  const facts = element("small");
  title.append(name, badge, facts);
  const owner = cell(row, "fact", "Published at");
  const fps = cell(row, "number", "Frames/s");
  const incoming = cell(row, "number", "In");
  const outgoing = cell(row, "number", "Out");
  const viewers = cell(row, "number", "Viewers");
  const count = element("span");
  const places = element("small");
  viewers.append(count, places);
  const show = (stream: ClusterStreamJson): void => {
    setText(name, `${stream.app}/${stream.stream}`);
    badge.className = `badge ${stream.live ? "good" : "wait"}`;
    setText(badge, stream.live ? "live" : "waiting");
    setText(facts, factsOf(stream));
    setText(owner, ownerOf(stream));
    setText(fps, stream.fps ? stream.fps.toFixed(1) : "–");
    setText(incoming, rate(stream.recv_kbps).join(" "));
    setText(outgoing, rate(stream.send_kbps).join(" "));
    setText(count, String(stream.viewers));
    setText(
      places,
      stream.nodes.filter((node) => node.viewers > 0)
        .map((node) => `${node.viewers} at ${node.self ? "this node" : node.name}`).join(", "),
    );
  };
  return { element: row, show };
}

function factsOf({ vhost, video, audio, nodes }: ClusterStreamJson): string {
  const relays = nodes.filter(({ role }) => role === "relay").length;
  return [
    vhost === DEFAULT_VHOST ? "" : vhost,
    video === null ? "" : video.codec + (video.width ? ` ${video.width}×${video.height}` : ""),
    audio === null ? "" : audio.codec,
    relays === 0 ? "" : `relayed by ${plural(relays, "node", "nodes")}`,
  ].filter((fact) => fact !== "").join(" · ");
}

function ownerOf({ owner, nodes }: ClusterStreamJson): string {
  if (owner === null) return "–";
  return nodes.some(({ role, self }) => role === "owner" && self) ? "this node" : owner;
}
