/** What the players' page does: lists streams, plays one, and says in words what is going on. Text only, never markup. */
export const PLAYERS_SCRIPT = String.raw`
"use strict";
const POLL_MS = 3000;
const STALL_MS = 3000;
const DELAYS = {
  low: { enableStashBuffer: false, liveSync: true, liveSyncMaxLatency: 1.2, liveSyncTargetLatency: 0.6, liveBufferLatencyChasing: true, liveBufferLatencyMaxLatency: 3, liveBufferLatencyMinRemain: 0.6 },
  smooth: { enableStashBuffer: true, liveBufferLatencyChasing: true, liveBufferLatencyMaxLatency: 15, liveBufferLatencyMinRemain: 4 },
};
/** Pauses before a stream that has ended is opened again, each longer; then it is given up. */
const REOPEN_MS = [250, 500, 1000, 2000, 4000, 8000, 8000, 8000];
/** What has played for so long was opened rightly: the next pause is the first again. */
const SETTLED_MS = 10000;
const byId = (id) => document.getElementById(id);
const video = byId("video");
let player, current, streams = [], progress = { time: -1, at: 0 }, wasMuted = true;
/** The openings one after another of what is played: how many, why, and what the last one has come to. */
let reopens = 0, reopenReason, reopenTimer, playingSince;

function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function setStatus(text, kind) {
  setText(byId("status"), text);
  byId("status").className = "status " + kind;
}

/** Over the picture; undefined: nothing. */
function notice(text, { more = "", busy = false, again = false } = {}) {
  byId("notice").hidden = text === undefined;
  if (text !== undefined) setText(byId("notice-text"), text);
  setText(byId("notice-more"), more);
  byId("spinner").hidden = !busy;
  byId("retry").hidden = !again;
}

const chosen = (name) => document.querySelector("input[name=" + name + "]:checked").value;

/** What is played: an address of its own, or a path on this server. */
function fromPath(path, title) {
  const address = new URL(path, location.href);
  return { title, path, http: address.href, ws: socketOf(address).href };
}

function socketOf(address) {
  const socket = new URL(address);
  socket.protocol = address.protocol === "https:" ? "wss:" : "ws:";
  return socket;
}

function fromAddress(text) {
  const address = new URL(text, location.href);
  if (!/^(https?|wss?):$/.test(address.protocol)) throw new Error("Only http, https, ws and wss addresses can be played here.");
  const http = new URL(address), isSocket = address.protocol.startsWith("ws");
  if (isSocket) http.protocol = address.protocol === "wss:" ? "https:" : "http:";
  if (isSocket) document.querySelector("input[value=ws]").checked = true;
  return { title: address.host === location.host ? decodeURIComponent(address.pathname) : address.host + address.pathname, path: "", http: http.href, ws: socketOf(http).href };
}

function fromName(name, vhost) {
  const listed = streams.find((s) => s.app + "/" + s.name === name && (!vhost || s.vhost === vhost));
  if (listed && listed.flv) return fromPath(listed.flv, name);
  const encoded = name.replace(/^\/+|\.flv$/g, "").split("/").map(encodeURIComponent).join("/");
  return fromPath("/" + encoded + ".flv" + (vhost ? "?vhost=" + encodeURIComponent(vhost) : ""), name);
}

/** The reason of a failure, for people. */
function words(type, detail, info) {
  const code = info && info.code;
  if (detail === "HttpStatusCodeInvalid") {
    if (code === 404) return "This stream is not being published.";
    if (code === 401 || code === 403) return "The server does not let you play this stream.";
    if (code === 503) return "The server takes no more players now, or can't reach the stream.";
    return "The server answered with status " + code + ".";
  }
  if (detail === "UnrecoverableEarlyEof" || detail === "EarlyEof") return "The server has ended the stream.";
  if (detail === "ConnectingTimeout") return "The server does not answer.";
  if (type === "NetworkError") {
    // A WebSocket does not tell the status; nor does fetch whether another site refused or was not there.
    const others = current && chosen("protocol") === "ws" ? "this stream is not being published, or " : "";
    const isForeign = current && new URL(current.http).host !== location.host;
    return "The connection failed: " + others + "the server can't be reached" + (isForeign ? ", or it does not let pages of this site play its streams." : ".");
  }
  if (detail === "CodecUnsupported" || detail === "MediaMSEError" || detail === "FormatUnsupported") {
    return "This browser can't play what the stream is coded with" + (info && info.msg ? " (" + info.msg + ")" : "") + ".";
  }
  if (detail === "FormatError") return "What came is not FLV.";
  return "Playing failed: " + [type, detail, info && info.msg].filter(Boolean).join(", ");
}

function close() {
  clearTimeout(reopenTimer);
  reopenTimer = undefined;
  if (player === undefined) return;
  const old = player;
  player = undefined;
  try {
    old.destroy();
  } catch {
    // Had failed already.
  }
}

function fail(text) {
  close();
  notice(text, { again: true });
  setStatus("stopped", "bad");
  byId("hint").hidden = byId("unmute").hidden = byId("stop").hidden = true;
  for (const id of ["rate", "delay"]) setText(byId(id), "–");
}

/**
 * What is played has come to an end. A server ends what it can't go on with (another publisher with other media, its own restart), and
 * a network what it likes: the stream is opened again, unless it never was.
 */
function ended(reason, wasOpen) {
  const wasPlaying = playingSince !== undefined;
  if (!wasOpen && !wasPlaying && reopens === 0 || reopens >= REOPEN_MS.length || wasPlaying && video.paused) return fail(reason);
  close();
  reopenReason ??= reason;
  notice(reopenReason, { more: "Trying again…", busy: true, again: true });
  setStatus("waiting", "");
  byId("hint").hidden = byId("unmute").hidden = true;
  for (const id of ["rate", "delay"]) setText(byId(id), "–");
  // Not all at once who were thrown out at once.
  reopenTimer = setTimeout(openStream, REOPEN_MS[reopens] * (0.75 + Math.random() / 2));
  reopens += 1;
}

function play(target) {
  close();
  current = target;
  reopens = 0;
  reopenReason = undefined;
  setText(byId("title"), target.title);
  document.title = target.title + " · Headwater players";
  setText(byId("address-text"), chosen("protocol") === "ws" ? target.ws : target.http);
  byId("address").hidden = false;
  for (const id of ["picture", "sound", "rate", "delay"]) setText(byId(id), "–");
  showStreams();
  if (!window.mpegts || !mpegts.isSupported()) return fail("This browser can't play live streams in a page: it has no Media Source Extensions.");
  notice("Waiting for the stream…", { busy: true });
  setStatus("waiting", "");
  byId("stop").hidden = false;
  byId("hint").hidden = true;
  openStream();
}

/** Opens what is to be played, once. */
function openStream() {
  close();
  progress = { time: -1, at: performance.now() };
  playingSince = undefined;
  const url = chosen("protocol") === "ws" ? current.ws : current.http;
  const made = player = mpegts.createPlayer({ type: "flv", isLive: true, cors: true, url }, {
    ...DELAYS[chosen("delay")], enableWorker: false, lazyLoad: false, autoCleanupSourceBuffer: true, autoCleanupMaxBackwardDuration: 30, autoCleanupMinBackwardDuration: 15,
  });
  const mine = (handler) => (...args) => {
    if (player === made) handler(...args);
  };
  made.on(mpegts.Events.ERROR, mine((type, detail, info) => ended(words(type, detail, info), /EarlyEof$/.test(detail))));
  made.on(mpegts.Events.LOADING_COMPLETE, mine(() => ended("The server has ended the stream.", true)));
  made.on(mpegts.Events.MEDIA_INFO, mine(showMedia));
  made.on(mpegts.Events.STATISTICS_INFO, mine(showStatistics));
  video.muted = wasMuted;
  made.attachMediaElement(video);
  made.load();
  Promise.resolve(made.play()).catch(mine((error) => {
    if (error.name === "NotAllowedError") notice("Your browser wants you to press play.", { again: true });
  }));
}

function showMedia(media) {
  const picture = byId("picture"), sound = byId("sound");
  const name = (codec) => (codec || "").replace(/^avc1.*/, "H.264").replace(/^(hvc1|hev1).*/, "H.265").replace(/^mp4a.*/, "AAC").replace(/^av01.*/, "AV1").replace(/^opus$/i, "Opus");
  const withNote = (target, text, note) => {
    const small = document.createElement("small");
    small.textContent = note;
    target.replaceChildren(text, small);
  };
  if (media.hasVideo) withNote(picture, media.width + "×" + media.height, [name(media.videoCodec), media.fps ? Math.round(media.fps * 100) / 100 + " frames/s" : ""].filter(Boolean).join(", "));
  else setText(picture, "none");
  if (media.hasAudio) withNote(sound, name(media.audioCodec), media.audioSampleRate / 1000 + " kHz, " + (media.audioChannelCount === 1 ? "mono" : "stereo"));
  else setText(sound, "none");
  byId("unmute").hidden = !media.hasAudio || !video.muted;
}

function showStatistics(statistics) {
  const kbps = statistics.speed * 8 * 1.024;
  setText(byId("rate"), kbps >= 1000 ? (kbps / 1000).toFixed(1) + " Mbps" : Math.round(kbps) + " kbps");
}

/** Looks twice a second whether the picture moves. */
function watch() {
  if (player === undefined) return;
  const now = performance.now();
  const { buffered, currentTime } = video;
  if (buffered.length > 0) setText(byId("delay"), Math.max(0, buffered.end(buffered.length - 1) - currentTime).toFixed(1) + " s");
  if (currentTime !== progress.time) {
    const isFirst = progress.time < 0 || video.readyState < 2;
    progress = { time: currentTime, at: now };
    if (isFirst) return;
    playingSince ??= now;
    if (now - playingSince > SETTLED_MS) reopens = 0;
    reopenReason = undefined;
    notice(undefined);
    byId("hint").hidden = true;
    setStatus("playing", "good");
  } else if (video.paused && video.readyState >= 2) {
    progress.at = now;
    setStatus("paused", "");
  } else if (now - progress.at > STALL_MS && byId("notice").hidden) {
    setText(byId("hint"), "Nothing has come for " + Math.round((now - progress.at) / 1000) + " s: the publisher has left, or the network is slow.");
    byId("hint").hidden = false;
    setStatus("waiting", "");
  }
}

function streamButton(stream) {
  const button = document.createElement("button");
  const title = document.createElement("b"), badge = document.createElement("span"), note = document.createElement("small");
  button.className = "stream";
  button.append(title, badge, note);
  button.onclick = () => choose(button.stream);
  return button;
}

function choose(stream) {
  const name = stream.app + "/" + stream.name;
  const address = new URL(location.href);
  address.search = "";
  address.searchParams.set("stream", name);
  if (stream.vhost !== "__defaultVhost__") address.searchParams.set("vhost", stream.vhost);
  history.replaceState(null, "", address.href.replaceAll("%2F", "/"));
  play(stream.flv ? fromPath(stream.flv, name) : fromName(name, stream.vhost));
}

function showStreams() {
  const list = byId("streams");
  while (list.children.length > streams.length) list.lastChild.remove();
  while (list.children.length < streams.length) list.append(streamButton());
  streams.forEach((stream, index) => {
    const button = list.children[index], [title, badge, note] = button.children;
    button.stream = stream;
    setText(title, stream.app + "/" + stream.name);
    setText(badge, stream.publish.active ? "live" : "waited for");
    badge.className = "badge " + (stream.publish.active ? "good" : "wait");
    const { video: v, audio: a } = stream;
    const facts = [stream.vhost === "__defaultVhost__" ? "" : stream.vhost, v ? v.codec + (v.width ? " " + v.width + "×" + v.height : "") : "", a ? a.codec : ""];
    setText(note, facts.filter(Boolean).join(" · "));
    button.setAttribute("aria-current", String(current !== undefined && stream.flv !== undefined && current.path === stream.flv));
  });
  setText(byId("count"), streams.length ? String(streams.length) : "");
}

/** The API's names of vhosts are ids; the stream's key begins with the name. */
function withVhost(stream) {
  return { ...stream, vhost: (stream.url || "").split("/")[0] || "__defaultVhost__" };
}

async function refresh() {
  if (document.hidden) return;
  let empty = "No stream is being published here.";
  try {
    const response = await fetch("/api/v1/streams?count=1000");
    if (!response.ok) throw new Error("status " + response.status);
    streams = (await response.json()).streams.map(withVhost);
  } catch {
    streams = [];
    empty = "The list of streams can't be had now. Name one below.";
  }
  setText(byId("empty"), empty);
  byId("empty").hidden = streams.length > 0;
  showStreams();
}

byId("retry").onclick = () => {
  if (player !== undefined && video.paused) player.play();
  else if (current) play(current);
};
byId("stop").onclick = () => {
  fail("Stopped.");
  setStatus("stopped", "");
};
byId("unmute").onclick = () => {
  video.muted = false;
  if (video.volume === 0) video.volume = 1;
};
video.onvolumechange = () => {
  wasMuted = video.muted;
  if (!video.muted) byId("unmute").hidden = true;
};
for (const input of document.querySelectorAll("input[type=radio]")) input.onchange = () => {
  if (current && (player || reopenTimer)) play(current);
  else if (current) setText(byId("address-text"), chosen("protocol") === "ws" ? current.ws : current.http);
};
byId("open").onsubmit = (event) => {
  event.preventDefault();
  const text = byId("wanted").value.trim();
  if (text !== "") start(() => text.includes("://") ? fromAddress(text) : fromName(text));
};

function start(find) {
  try {
    play(find());
  } catch (error) {
    fail(error.message);
  }
}

setInterval(watch, 500);
setInterval(refresh, POLL_MS);
document.addEventListener("visibilitychange", refresh);
refresh().then(() => {
  const asked = new URLSearchParams(location.search);
  if (asked.get("protocol") === "ws") document.querySelector("input[value=ws]").checked = true;
  if (asked.get("url")) start(() => fromAddress(asked.get("url")));
  else if (asked.get("stream")) start(() => fromName(asked.get("stream"), asked.get("vhost")));
});
`;
