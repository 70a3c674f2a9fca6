/// <reference lib="dom" />
import type { AudioJson, StreamJson, VideoJson } from "../../http/api/streams_routes.ts";
import { byId, element, setText } from "../dom.ts";
import { LIMIT } from "./api.ts";
import { rate } from "./format.ts";
import { cell, type Row, RowList, twoLines } from "./table.ts";

const DEFAULT_VHOST = "__defaultVhost__";
const playersPort = document.documentElement.dataset["playersPort"] ?? "";

/** The table of streams. */
export class StreamsTable {
  readonly #rows: RowList<StreamJson>;

  /** @param choose Called with the stream whose name is clicked. */
  constructor(choose: (stream: StreamJson) => void) {
    this.#rows = new RowList(byId("streams"), ({ id }) => id, () => streamRow(choose));
  }

  show(streams: readonly StreamJson[]): void {
    const live = streams.filter((stream) => stream.publish.active).length;
    setText(byId("tile-streams"), String(live));
    setText(
      byId("tile-streams-note"),
      streams.length > live ? `${streams.length - live} waited for` : "live",
    );
    setText(byId("streams-count"), streams.length + (streams.length === LIMIT ? " or more" : ""));
    byId("streams-empty").hidden = streams.length > 0;
    setText(byId("publish-hint"), `rtmp://${location.hostname}/live/livestream`);
    this.#rows.show(streams);
  }
}

function streamRow(choose: (stream: StreamJson) => void): Row<StreamJson> {
  const row = element("tr");
  const title = cell(row, "title");
  const name = element("button", "name");
  const badge = element("span", "badge");
  const vhostLine = element("small");
  title.append(name, badge, vhostLine);
  const video = twoLines(cell(row, "fact", "Video"));
  const audio = twoLines(cell(row, "fact", "Audio"));
  const fps = cell(row, "number", "Frames/s");
  const incoming = cell(row, "number", "In");
  const outgoing = cell(row, "number", "Out");
  const clients = cell(row, "number", "Clients");
  const last = cell(row, "last");
  const play = element("a", "action", "Play");
  play.target = "_blank";
  play.rel = "noopener";
  name.title = "Show only this stream's clients";
  const show = (stream: StreamJson): void => {
    name.onclick = () => choose(stream);
    const vhost = stream.url.split("/")[0] || DEFAULT_VHOST;
    setText(name, `${stream.app}/${stream.name}`);
    badge.className = `badge ${stream.publish.active ? "good" : "wait"}`;
    setText(badge, stream.publish.active ? "live" : "waiting");
    setText(vhostLine, vhost === DEFAULT_VHOST ? "" : vhost);
    video(...videoFacts(stream.video));
    audio(...audioFacts(stream.audio));
    setText(fps, stream.fps ? stream.fps.toFixed(1) : "–");
    setText(incoming, rate(stream.kbps.recv_30s).join(" "));
    setText(outgoing, rate(stream.kbps.send_30s).join(" "));
    setText(clients, String(stream.clients));
    if (playersPort !== "" && stream.publish.active) {
      const href = playersAddress(stream, vhost);
      if (play.href !== href) play.href = href;
      if (!play.isConnected) last.append(play);
    } else {
      play.remove();
    }
  };
  return { element: row, show };
}

function videoFacts(video: VideoJson | null): [string, string] {
  if (video === null) return ["–", ""];
  return [
    video.codec + (video.width ? ` ${video.width}×${video.height}` : ""),
    video.profile === "Other" ? "" : `${video.profile} ${video.level}`,
  ];
}

function audioFacts(audio: AudioJson | null): [string, string] {
  if (audio === null) return ["–", ""];
  const { channel } = audio;
  const channels = channel === 1 ? "mono" : channel === 2 ? "stereo" : `${channel} channels`;
  return [
    audio.codec + (audio.profile === "Other" ? "" : ` ${audio.profile}`),
    audio.sample_rate ? `${audio.sample_rate / 1000} kHz, ${channels}` : "",
  ];
}

function playersAddress(stream: StreamJson, vhost: string): string {
  const url = new URL("/players/", location.href);
  url.port = playersPort;
  url.searchParams.set("stream", `${stream.app}/${stream.name}`);
  if (vhost !== DEFAULT_VHOST) url.searchParams.set("vhost", vhost);
  return url.href.replaceAll("%2F", "/");
}
