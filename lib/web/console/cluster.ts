/// <reference lib="dom" />
import type { ClusterNodeJson } from "../../http/cluster_view.ts";
import { byId, element, setText } from "../dom.ts";
import { getClusterNodes } from "./api.ts";
import { duration, plural } from "./format.ts";
import { type Row, RowList } from "./table.ts";

/** How many polls a server that is in no cluster is left in peace: a minute. */
const PATIENCE_POLLS = 30;
const BADGES = {
  "this node": "water",
  up: "good",
  draining: "wait",
  down: "bad",
  "not asked yet": "wait",
} as const;

/** A node in words: a title, and four lines of which any may be empty. */
interface NodeFacts {
  readonly key: string;
  readonly title: string;
  readonly state: keyof typeof BADGES;
  readonly lines: readonly [string, string, string, string];
}

/** The cards of the cluster's nodes; hidden where there is no cluster. */
export class ClusterCards {
  readonly #cards = new RowList<NodeFacts>(byId("nodes"), ({ key }) => key, nodeCard);
  #skippedPolls = 0;

  /** The cluster's nodes; undefined when they are not to be asked for now, or do not say. */
  async ask(): Promise<readonly ClusterNodeJson[] | undefined> {
    if (this.#skippedPolls > 0) {
      this.#skippedPolls -= 1;
      return undefined;
    }
    try {
      return await getClusterNodes();
    } catch {
      // One that has shown them is asked again at once.
      if (byId("nodes-section").hidden) this.#skippedPolls = PATIENCE_POLLS;
      return undefined;
    }
  }

  show(nodes: readonly ClusterNodeJson[], nowMs: number): void {
    // A server outside a cluster knows itself only.
    const isAlone = nodes.length < 2;
    if (isAlone) this.#skippedPolls = PATIENCE_POLLS;
    byId("nodes-section").hidden = isAlone;
    const facts = nodes.map((node) => nodeFacts(node, nowMs));
    const up =
      facts.filter(({ state }) => state === "up" || state === "this node" || state === "draining").length;
    setText(byId("nodes-count"), `${up} of ${facts.length} up`);
    this.#cards.show(facts);
  }
}

function nodeCard(): Row<NodeFacts> {
  const card = element("div", "node");
  const title = element("h3");
  const name = element("span");
  const badge = element("span", "badge");
  title.append(name, badge);
  const lines = [element("p"), element("p"), element("p"), element("p", "problem")];
  card.append(title, ...lines);
  const show = (node: NodeFacts): void => {
    card.classList.toggle("down", node.state === "down");
    setText(name, node.title);
    badge.className = `badge ${BADGES[node.state]}`;
    setText(badge, node.state);
    lines.forEach((line, index) => {
      const text = node.lines[index] ?? "";
      setText(line, text);
      line.hidden = text === "";
    });
  };
  return { element: card, show };
}

function nodeFacts(node: ClusterNodeJson, nowMs: number): NodeFacts {
  const state = stateOf(node);
  const name = node.name ?? "";
  const { host = node.self ? location.hostname : "", port } = node.rtmp ?? {};
  const isKnown = port !== undefined && host !== "";
  const isDown = state === "down";
  return {
    key: node.self ? "self" : name,
    title: isKnown ? `${host}:${port}` : node.self ? location.host : name,
    state,
    lines: [
      line(
        told(node.name, (text) => `API ${text}`),
        node.kind === "srs" ? "SRS, asked when a play needs it" : "",
      ),
      line(told(node.node_id, String), told(node.version, (version) => `version ${version}`)),
      isDown ? "" : line(
        told(node.load?.streams, (count) => plural(count, "stream", "streams")),
        told(node.load?.clients, (count) => plural(count, "client", "clients")),
        told(node.round_trip_ms, (ms) => `${ms.toFixed(ms < 10 ? 1 : 0)} ms away`),
      ),
      isDown
        ? line(
          told(node.down_since_ms, (sinceMs) => `for ${duration((nowMs - sinceMs) / 1000)}`),
          told(node.last_error, String),
        )
        : "",
    ],
  };
}

function stateOf(node: ClusterNodeJson): NodeFacts["state"] {
  if (node.draining === true && node.up === true) return "draining";
  if (node.self) return "this node";
  return node.up === null ? "not asked yet" : node.up ? "up" : "down";
}

function told<T extends string | number>(value: T | null | undefined, words: (value: T) => string): string {
  return value === undefined || value === null || value === "" ? "" : words(value);
}

function line(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join(" · ");
}
