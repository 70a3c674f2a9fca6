/** What the console does: reads the API every two seconds while it is looked at, and fills the page in. Text only, never markup. */
export const CONSOLE_SCRIPT = String.raw`
"use strict";
const POLL_MS = 2000;
const KEPT_POINTS = 60;
const LIMIT = 1000;
/** How many polls a server that is in no cluster is left in peace: a minute. */
const PATIENCE_POLLS = 30;
const playersPort = document.documentElement.dataset.playersPort;
const byId = (id) => document.getElementById(id);
const history = { in: [], out: [] };
let previous, filter, nodesSkip = 0;

/** Always of now: an answer with an ETag would come from the browser's cache, with loads of then. */
async function get(path, options) {
  const response = await fetch(path, { cache: "no-store", ...options });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error("HTTP " + response.status);
  const body = await response.json();
  if (body.code !== 0) throw new Error("code " + body.code);
  return body;
}

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

function withUnit(target, [value, unit]) {
  if (target.dataset.shown === value + unit) return;
  target.dataset.shown = value + unit;
  target.replaceChildren(value, element("i", "", unit));
}

function scaled(value, units, step) {
  let index = 0;
  while (value >= step && index < units.length - 1) { value /= step; index += 1; }
  return [value.toFixed(index === 0 || value >= 100 ? 0 : 1), units[index]];
}

const rate = (kbps) => scaled(kbps, ["kbps", "Mbps", "Gbps"], 1000);
const bytes = (count) => scaled(count, ["B", "kB", "MB", "GB", "TB"], 1000);
const percent = (share) => (share * 100).toFixed(share < 0.1 ? 1 : 0);

function duration(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return s + " s";
  if (s < 3600) return Math.floor(s / 60) + " min " + s % 60 + " s";
  if (s < 86400) return Math.floor(s / 3600) + " h " + Math.floor(s % 3600 / 60) + " min";
  return Math.floor(s / 86400) + " d " + Math.floor(s % 86400 / 3600) + " h";
}

function plural(count, one, many) {
  return count + " " + (count === 1 ? one : many);
}

/** Makes the children of a parent those of the items, keeping the ones that stay, so that focus and hover do. Nothing else stays. */
function reconcile(parent, items, keyOf, make) {
  const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const kept = new Set();
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = String(keyOf(item));
    let key = name;
    // Two items may have one name; each has a child all the same.
    for (let n = 2; kept.has(key); n += 1) key = name + "#" + n;
    kept.add(key);
    let child = old.get(key);
    if (child === undefined) {
      child = make(name);
      child.dataset.key = key;
    }
    if (child === place) place = place.nextElementSibling;
    else parent.insertBefore(child, place);
    child.show(item);
  }
  for (const child of [...parent.children]) {
    if (!kept.has(child.dataset.key)) child.remove();
  }
}

function cell(row, className, label) {
  const made = element("td", className);
  if (label) made.dataset.label = label;
  row.append(made);
  return made;
}

function twoLines(target) {
  const first = element("span", "");
  const second = element("small", "");
  target.append(first, second);
  return (one, two) => {
    setText(first, one);
    setText(second, two);
  };
}

function streamRow() {
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
  let current;
  name.title = "Show only this stream's clients";
  name.onclick = () => {
    filter = filter && filter.id === current.id ? undefined : { id: current.id, name: current.name };
    refresh();
  };
  row.show = (stream) => {
    current = stream;
    const vhost = stream.url.split("/")[0] || "__defaultVhost__";
    setText(name, stream.app + "/" + stream.name);
    badge.className = "badge " + (stream.publish.active ? "good" : "wait");
    setText(badge, stream.publish.active ? "live" : "waiting");
    setText(vhostLine, vhost === "__defaultVhost__" ? "" : vhost);
    const v = stream.video;
    video(v ? v.codec + (v.width ? " " + v.width + "×" + v.height : "") : "–", v && v.profile !== "Other" ? v.profile + " " + v.level : "");
    const a = stream.audio;
    audio(a ? a.codec + (a.profile !== "Other" ? " " + a.profile : "") : "–", a && a.sample_rate ? a.sample_rate / 1000 + " kHz, " + (a.channel === 1 ? "mono" : a.channel === 2 ? "stereo" : a.channel + " channels") : "");
    setText(fps, stream.fps ? stream.fps.toFixed(1) : "–");
    setText(incoming, rate(stream.kbps.recv_30s).join(" "));
    setText(outgoing, rate(stream.kbps.send_30s).join(" "));
    setText(clients, String(stream.clients));
    if (playersPort && stream.publish.active) {
      const url = new URL("/players/", location.href);
      url.port = playersPort;
      url.searchParams.set("stream", stream.app + "/" + stream.name);
      if (vhost !== "__defaultVhost__") url.searchParams.set("vhost", vhost);
      const href = url.href.replaceAll("%2F", "/");
      if (play.href !== href) play.href = href;
      if (!play.isConnected) last.append(play);
    } else {
      play.remove();
    }
  };
  return row;
}

function clientRow(id) {
  const row = element("tr");
  const title = cell(row, "title");
  const badge = element("span", "badge");
  const name = element("span", "name", id);
  title.append(name, badge);
  const stream = cell(row, "", "Stream");
  const address = twoLines(cell(row, "", "Address"));
  const age = cell(row, "number", "Connected");
  const speed = cell(row, "number", "Rate");
  const amount = cell(row, "number", "Transferred");
  const jumps = cell(row, "number", "Jumps");
  const last = cell(row, "last");
  const kick = element("button", "action kick", "Kick");
  last.append(kick);
  let disarm;
  const calm = () => {
    clearTimeout(disarm);
    disarm = undefined;
    kick.classList.remove("armed");
    setText(kick, "Kick");
  };
  kick.onclick = async () => {
    if (disarm === undefined) {
      kick.classList.add("armed");
      setText(kick, "Sure?");
      disarm = setTimeout(calm, 4000);
      return;
    }
    calm();
    kick.disabled = true;
    try {
      await get("/api/v1/clients/" + encodeURIComponent(id), { method: "DELETE" });
    } catch (error) {
      setText(kick, "Failed");
      kick.title = error.message;
      disarm = setTimeout(calm, 4000);
    }
    kick.disabled = false;
    refresh();
  };
  row.show = (client) => {
    badge.className = "badge " + (client.publish ? "good" : "water");
    setText(badge, client.type);
    setText(stream, client.url.replace(/^\//, ""));
    address(client.ip, client.pageUrl);
    setText(age, duration(client.alive));
    setText(speed, rate(client.publish ? client.kbps.recv_30s : client.kbps.send_30s).join(" "));
    setText(amount, bytes(client.publish ? client.recv_bytes : client.send_bytes).join(" "));
    setText(jumps, client.publish ? "–" : String(client.jumps));
  };
  return row;
}

function nodeCard() {
  const card = element("div", "node");
  const title = element("h3");
  const name = element("span");
  const badge = element("span", "badge");
  title.append(name, badge);
  const lines = [element("p"), element("p"), element("p"), element("p", "problem")];
  card.append(title, ...lines);
  card.show = (node) => {
    card.classList.toggle("down", node.state === "down");
    setText(name, node.title);
    badge.className = "badge " + NODE_BADGES[node.state];
    setText(badge, node.state);
    node.lines.forEach((line, index) => {
      setText(lines[index], line);
      lines[index].hidden = line === "";
    });
  };
  return card;
}

const NODE_BADGES = { "this node": "water", up: "good", down: "bad", "not asked yet": "wait" };

/** A node as /api/v1/clusters/nodes tells of it, in words: a title, and four lines of which any may be empty. */
function nodeFacts(node, now) {
  const state = node.self ? "this node" : node.up === true ? "up" : node.up === false ? "down" : "not asked yet";
  const told = (value, words) => value === undefined || value === null || value === "" ? "" : words(value);
  const line = (...parts) => parts.filter(Boolean).join(" · ");
  const load = node.load || {};
  const isDown = state === "down";
  const host = node.rtmp && (node.rtmp.host || (node.self ? location.hostname : ""));
  return {
    key: node.self ? "self" : node.name,
    title: host ? host + ":" + node.rtmp.port : node.self ? location.host : node.name,
    state,
    lines: [
      line(told(node.name, (name) => "API " + name), node.kind === "srs" ? "SRS, asked when a play needs it" : ""),
      line(told(node.node_id, (id) => id), told(node.version, (version) => "version " + version)),
      isDown ? "" : line(
        told(load.streams, (count) => plural(count, "stream", "streams")),
        told(load.clients, (count) => plural(count, "client", "clients")),
        told(node.round_trip_ms, (ms) => ms.toFixed(ms < 10 ? 1 : 0) + " ms away"),
      ),
      isDown ? line(
        told(node.down_since_ms, (since) => "for " + duration((now - since) / 1000)),
        told(node.last_error, String),
      ) : "",
    ],
  };
}

function draw(chart, points) {
  const top = Math.max(...points, 1) * 1.15;
  const step = 120 / (KEPT_POINTS - 1);
  const left = 120 - (points.length - 1) * step;
  const line = points.map((point, index) => (index ? "L" : "M") + (left + index * step).toFixed(1) + " " + (36 - 36 * point / top).toFixed(1)).join("");
  chart.querySelector(".line").setAttribute("d", points.length > 1 ? line : "");
  chart.querySelector(".area").setAttribute("d", points.length > 1 ? line + "L120 36L" + left.toFixed(1) + " 36Z" : "");
}

function showFlow(direction, name, total, now) {
  const kept = history[direction];
  if (previous !== undefined && now > previous.now) {
    kept.push(Math.max(0, total - previous[direction]) * 8 / (now - previous.now));
    if (kept.length > KEPT_POINTS) kept.shift();
  }
  if (kept.length > 0) withUnit(byId("tile-" + name), rate(kept[kept.length - 1]));
  setText(byId("tile-" + name + "-note"), bytes(total).join(" ") + " since the start");
  draw(byId("chart-" + name), kept);
}

function showSummary({ server, data }) {
  const { self, system, now_ms: now } = data;
  setText(byId("version"), self.version);
  setText(byId("server"), server + " · process " + self.pid + " · up " + duration(self.srs_uptime));
  showFlow("in", "in", system.srs_recv_bytes, now);
  showFlow("out", "out", system.srs_send_bytes, now);
  previous = { now, in: system.srs_recv_bytes, out: system.srs_send_bytes };
  withUnit(byId("tile-cpu"), [percent(self.cpu_percent), "%"]);
  setText(byId("tile-cpu-note"), system.cpus ? plural(system.cpus, "core", "cores") + ", load " + system.load_1m.toFixed(2) : "of one core");
  withUnit(byId("tile-memory"), bytes(self.mem_kbyte * 1024));
  setText(byId("tile-memory-note"), system.mem_ram_kbyte ? "of " + bytes(system.mem_ram_kbyte * 1024).join(" ") : "resident");
  setText(byId("tile-clients-note"), plural(system.conn_srs, "connection", "connections"));
}

function showStreams(streams) {
  const live = streams.filter((stream) => stream.publish.active).length;
  setText(byId("tile-streams"), String(live));
  setText(byId("tile-streams-note"), streams.length > live ? streams.length - live + " waited for" : "live");
  setText(byId("streams-count"), String(streams.length) + (streams.length === LIMIT ? " or more" : ""));
  byId("streams-empty").hidden = streams.length > 0;
  setText(byId("publish-hint"), "rtmp://" + location.hostname + "/live/livestream");
  reconcile(byId("streams"), streams, (stream) => stream.id, streamRow);
}

function showClients(clients) {
  const shown = filter ? clients.filter((client) => client.stream === filter.id) : clients;
  setText(byId("tile-clients"), String(clients.length));
  setText(byId("clients-count"), String(shown.length) + (clients.length === LIMIT ? " or more" : ""));
  byId("filter").hidden = !filter;
  setText(byId("filter"), filter ? "of " + filter.name : "");
  byId("clients-empty").hidden = shown.length > 0;
  reconcile(byId("clients"), shown, (client) => client.id, clientRow);
}

/** The cluster's nodes; undefined when they are not to be asked for now, or do not say. */
async function getNodes() {
  if (nodesSkip > 0) return void (nodesSkip -= 1);
  try {
    return (await get("/api/v1/clusters/nodes?streams=false")).data.nodes;
  } catch {
    // One that has shown them is asked again at once.
    if (byId("nodes-section").hidden) nodesSkip = PATIENCE_POLLS;
  }
}

function showNodes(nodes, now) {
  // A server outside a cluster knows itself only.
  const isAlone = nodes.length < 2;
  if (isAlone) nodesSkip = PATIENCE_POLLS;
  byId("nodes-section").hidden = isAlone;
  const facts = nodes.map((node) => nodeFacts(node, now));
  setText(byId("nodes-count"), facts.filter(({ state }) => state === "up" || state === "this node").length + " of " + facts.length + " up");
  reconcile(byId("nodes"), facts, ({ key }) => key, nodeCard);
}

function showStatus(className, text) {
  byId("status").className = "status " + className;
  setText(byId("status"), text);
}

let isBusy = false;
async function refresh() {
  if (isBusy) return;
  isBusy = true;
  try {
    const [summary, streams, clients, nodes] = await Promise.all([
      get("/api/v1/summaries"),
      get("/api/v1/streams?count=" + LIMIT),
      get("/api/v1/clients?count=" + LIMIT),
      getNodes(),
    ]);
    if (filter && !streams.streams.some((stream) => stream.id === filter.id)) filter = undefined;
    showSummary(summary);
    showStreams(streams.streams);
    showClients(clients.clients);
    if (nodes) showNodes(nodes, summary.data.now_ms);
    showStatus("good", "up to date");
  } catch (error) {
    showStatus("bad", error instanceof TypeError ? "no answer" : error.message);
  }
  isBusy = false;
}

byId("filter").onclick = () => {
  filter = undefined;
  refresh();
};
document.addEventListener("visibilitychange", () => document.hidden || refresh());
setInterval(() => document.hidden || refresh(), POLL_MS);
refresh();
`;
