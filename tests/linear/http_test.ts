import type { LogRecord } from "@logtape/logtape";
import type { Hono } from "hono";
import { formatJson, formatText } from "../../lib/app/log_format.ts";
import { prometheusText } from "../../lib/http/metrics/prometheus_text.ts";
import { apiApp } from "../fakes/fake_api.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";
import { FlvNode } from "../fakes/flv_peer.ts";
import type { HttpCall } from "../fakes/http_client.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill } from "./inputs.ts";

const UNITS: Readonly<Record<string, string>> = {
  "of slashes": "/",
  "of double slashes and ats": "//a@",
  "of letters": "a",
  "of short segments": "/a",
  "of parameters": "&a=b",
  "of ampersands": "&",
  "of equals signs": "=",
  "of question marks": "?",
  "of question marks and equals signs": "?a=",
  "of plus signs": "+",
  "of percent signs": "%",
  "of encoded letters": "%41",
  "of encoded bytes": "%ff",
  "of points": "/..",
  "of endings": ".flv",
  "of commas": ",",
  "of quotes": '"',
};

function texts(
  name: string,
  size: number,
  handle: (text: string) => unknown,
  units: Readonly<Record<string, string>> = UNITS,
): Entrance {
  const kinds = Object.entries(units).map(([kind, unit]) => [kind, (size: number) => {
    const text = fill(unit, size);
    return () => handle(text);
  }]);
  return { name, size, kinds: Object.fromEntries(kinds) };
}

/** A request to an app without a socket; the answer is read. */
async function ask(app: Hono | FlvNode, path: string, call: HttpCall = {}): Promise<void> {
  const response = await app.request(`http://localhost:8080${path}`, call);
  await response.text();
}

function record(text: string): LogRecord {
  return {
    category: ["headwater"],
    level: "info",
    message: [text],
    rawMessage: text,
    timestamp: 0,
    properties: { stream: text, error: new Error(text), list: [text] },
  };
}

const LOGGED: Readonly<Record<string, string>> = {
  ...UNITS,
  "of control characters": "\x1b",
  "of high control characters": "\x9b",
  "of direction marks": "\u202e",
  "of line ends": "\n",
  "of half letters": "\ud800",
  "of tokens": "eyJa.b.c ",
  "of tokens' beginnings": "eyJ",
  "of points between tokens' beginnings": "eyJa.",
  "of addresses with passwords": "rtmp://a:b@h/?c=d ",
};

function manyStreams(count: number): FakeServerView {
  const view = new FakeServerView();
  const [stream] = view.streamList;
  const [client] = view.clientList;
  if (stream === undefined || client === undefined) throw new Error("the fake server has nothing");
  view.streamList = Array.from(
    { length: count },
    (_, index) => ({ ...stream, id: `vid-${index}`, name: `s${index}` }),
  );
  view.clientList = Array.from(
    { length: count },
    (_, index) => ({ ...client, id: `c${index}`, streamId: `vid-${index}` }),
  );
  return view;
}

function pages(path: (count: number) => string): (count: number) => () => Promise<void> {
  return (count) => {
    const app = apiApp({ view: manyStreams(count) });
    return () => ask(app, path(count));
  };
}

const api = apiApp({
  auth: { basic: { username: "admin", password: "secret" } },
});
const open = apiApp();
const node = new FlvNode({
  __defaultVhost__: {},
  "a.example": { http_remux: { mount: "/[vhost]/x/[app]/[stream].flv" } },
});

testGrowth([
  texts("log line for people", 4096, (text) => formatText(record(text)), LOGGED),
  texts("log line as JSON", 4096, (text) => formatJson(record(text)), LOGGED),
  texts("API path", 2048, (text) => ask(open, `/api/v1/${text}`)),
  texts("API query", 2048, (text) => ask(open, `/api/v1/streams?start=${text}`)),
  texts("API callback", 2048, (text) => ask(open, `/api/v1/versions?callback=${text}`)),
  texts(
    "API credentials",
    2048,
    (text) => ask(api, "/api/v1/streams", { headers: { Authorization: `Basic ${text}` } }),
  ),
  texts("API body", 8192, (text) => ask(open, "/api/v1/streams", { method: "POST", body: text })),
  texts("FLV request's path", 2048, (text) => ask(node, `/${text}`)),
  texts(
    "FLV request's path of an odd vhost",
    2048,
    (text) => ask(node, `/a.example/x/live/${text}?vhost=a.example`),
  ),
  {
    name: "listings",
    size: 500,
    kinds: {
      "of streams, first page": pages(() => "/api/v1/streams"),
      "of streams, all": pages((count) => `/api/v1/streams?count=${count}`),
      "of clients, all": pages((count) => `/api/v1/clients?count=${count}`),
      "of summaries": pages(() => "/api/v1/summaries"),
      "of vhosts": pages(() => "/api/v1/vhosts"),
      "of metrics": pages(() => "/metrics"),
    },
  },
  {
    name: "metrics",
    size: 500,
    kinds: {
      "of values with labels": (count) => {
        const samples = Array.from(
          { length: count },
          (_, index) => ({ labels: { code: `c${index}` }, value: index }),
        );
        return () => prometheusText([{ name: "a", kind: "counter", help: "A.", samples }]);
      },
      "of long labels": (count) => {
        const samples = [{ labels: { code: fill('"\\\n', count * 10) }, value: 1 }];
        return () => prometheusText([{ name: "a", kind: "counter", help: "A.", samples }]);
      },
    },
  },
]);
