/// <reference lib="dom" />
import type { PlayableStreamJson, PlayableStreamsJson } from "../../http/players/players_routes.ts";
import { byId, element, setText } from "../dom.ts";

export const DEFAULT_VHOST = "__defaultVhost__";

/** A stream of the list; `vhost` is the name here, not the API's id. */
export type ListedStream = PlayableStreamJson;

/** @throws {Error} Where the server does not tell. */
export async function getStreams(): Promise<ListedStream[]> {
  const response = await fetch("/api/v1/streams?count=1000");
  if (!response.ok) throw new Error(`status ${response.status}`);
  const { streams } = await response.json() as PlayableStreamsJson;
  // The stream's key begins with the vhost's name.
  return streams.map((stream) => ({ ...stream, vhost: stream.url.split("/")[0] || DEFAULT_VHOST }));
}

/** Something to press for each stream. */
export class StreamList {
  readonly #buttons: StreamButton[] = [];
  readonly #choose: (stream: ListedStream) => void;

  constructor(choose: (stream: ListedStream) => void) {
    this.#choose = choose;
  }

  /** @param playedPath The path of what is played, if that is on this server. */
  show(streams: readonly ListedStream[], playedPath: string | undefined): void {
    for (const button of this.#buttons.splice(streams.length)) button.element.remove();
    streams.forEach((stream, index) => {
      const button = this.#buttons[index] ?? this.#add();
      button.show(stream, stream.flv !== undefined && stream.flv === playedPath);
    });
    setText(byId("count"), streams.length > 0 ? String(streams.length) : "");
  }

  #add(): StreamButton {
    const made = new StreamButton(this.#choose);
    this.#buttons.push(made);
    byId("streams").append(made.element);
    return made;
  }
}

class StreamButton {
  readonly element = element("button", "stream");
  readonly #title = element("b");
  readonly #badge = element("span");
  readonly #note = element("small");
  readonly #choose: (stream: ListedStream) => void;

  constructor(choose: (stream: ListedStream) => void) {
    this.#choose = choose;
    this.element.append(this.#title, this.#badge, this.#note);
  }

  show(stream: ListedStream, isPlayed: boolean): void {
    this.element.onclick = () => this.#choose(stream);
    setText(this.#title, `${stream.app}/${stream.name}`);
    setText(this.#badge, stream.publish.active ? "live" : "waited for");
    this.#badge.className = `badge ${stream.publish.active ? "good" : "wait"}`;
    const { vhost, video, audio, node } = stream;
    const facts = [
      vhost === DEFAULT_VHOST ? "" : vhost,
      video === null ? "" : video.codec + (video.width ? ` ${video.width}×${video.height}` : ""),
      audio === null ? "" : audio.codec,
      node === undefined ? "" : `from ${node}`,
    ];
    setText(this.#note, facts.filter((fact) => fact !== "").join(" · "));
    this.element.setAttribute("aria-current", String(isPlayed));
  }
}
