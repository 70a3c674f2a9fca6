/// <reference lib="dom" />
/**
 * What the players' page does: lists streams, plays one, and says in words what is going on.
 *
 * @module
 */
import { byId, messageOf, setText } from "../dom.ts";
import { Playing } from "./playing.ts";
import { chooseSocket, video } from "./screen.ts";
import { DEFAULT_VHOST, getStreams, type ListedStream, StreamList } from "./streams.ts";
import { fromAddress, fromName, fromPath, protocolOf, type Target } from "./targets.ts";

const POLL_MS = 3000;
const WATCH_MS = 500;

const playing = new Playing();
const list = new StreamList(choose);
let streams: readonly ListedStream[] = [];

byId("retry").onclick = () => playing.again();
byId("stop").onclick = () => playing.stop();
byId("unmute").onclick = () => {
  video.muted = false;
  if (video.volume === 0) video.volume = 1;
};
video.onvolumechange = () => playing.keepVolume();
for (const input of document.querySelectorAll<HTMLInputElement>("input[type=radio]")) {
  input.onchange = () => {
    if (playing.target !== undefined && playing.isOn) play(playing.target);
    else playing.showAddress();
  };
}
byId("open").onsubmit = (event) => {
  event.preventDefault();
  const text = (byId("wanted") as HTMLInputElement).value.trim();
  if (text !== "") start(() => text.includes("://") ? address(text) : fromName(streams, text));
};
setInterval(() => playing.watch(), WATCH_MS);
setInterval(refresh, POLL_MS);
document.addEventListener("visibilitychange", refresh);
refresh().then(playAsAsked);

/** Plays what the page's own address asks for. */
function playAsAsked(): void {
  const asked = new URLSearchParams(location.search);
  if (asked.get("protocol") === "ws") chooseSocket();
  const url = asked.get("url");
  const name = asked.get("stream");
  if (url) start(() => address(url));
  else if (name) start(() => fromName(streams, name, asked.get("vhost")));
}

function choose(stream: ListedStream): void {
  const name = `${stream.app}/${stream.name}`;
  const page = new URL(location.href);
  page.search = "";
  page.searchParams.set("stream", name);
  if (stream.vhost !== DEFAULT_VHOST) page.searchParams.set("vhost", stream.vhost);
  history.replaceState(null, "", page.href.replaceAll("%2F", "/"));
  play(stream.flv === undefined ? fromName(streams, name, stream.vhost) : fromPath(stream.flv, name));
}

function address(text: string): Target {
  const target = fromAddress(text);
  if (protocolOf(text) === "ws") chooseSocket();
  return target;
}

function start(find: () => Target): void {
  try {
    play(find());
  } catch (error) {
    playing.fail(messageOf(error));
  }
}

function play(target: Target): void {
  playing.play(target);
  showStreams();
}

function showStreams(): void {
  list.show(streams, playing.target?.path);
}

async function refresh(): Promise<void> {
  if (document.hidden) return;
  let empty = "No stream is being published here.";
  try {
    streams = await getStreams();
  } catch {
    streams = [];
    empty = "The list of streams can't be had now. Name one below.";
  }
  setText(byId("empty"), empty);
  byId("empty").hidden = streams.length > 0;
  showStreams();
}
