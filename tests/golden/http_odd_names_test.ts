import assert from "node:assert/strict";
import type { FlvSource } from "../../lib/http/flv/flv_source.ts";
import { matchMount } from "../../lib/http/flv/mount.ts";
import { prometheusText } from "../../lib/http/metrics/prometheus_text.ts";
import { createStreamApp } from "../../lib/http/stream_app.ts";
import { apiApp, getJson } from "../fakes/fake_api.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";

/** What a stream, an app or a page may be called. */
const ODD_NAMES = [
  'a"b\\c',
  "</script><script>alert(1)</script>",
  "\u0000\u001b[31m\u007f\u0085\u009b",
  "line\r\nfeed\u2028and\u2029more",
  "\ud800 alone",
  "\u202eleft\u202c",
  "__proto__",
  "%zz%41%",
  "?a=b&c#d",
  "é ü 😀 \ufeff",
  "f();alert(1)",
];

const MOUNT = "[vhost]/[app]/[stream].flv";
const source: FlvSource = {
  findVhost: () => ({ name: "__defaultVhost__", flv: { isEnabled: true, mount: MOUNT } }),
  play: () => Promise.reject(new Error("not played here")),
};

/** A server whose every name is odd, after one that is not. */
function oddView(): FakeServerView {
  const view = new FakeServerView();
  const [stream] = view.streamList;
  const [client] = view.clientList;
  if (stream === undefined || client === undefined) throw new Error("the fake server has nothing");
  view.streamList = [
    stream,
    ...ODD_NAMES.map((name, index) => ({
      ...stream,
      id: `vid-${index}`,
      name,
      url: `/live/${name}`,
      tcUrl: name,
    })),
  ];
  view.clientList = ODD_NAMES.map((name, index) => ({
    ...client,
    id: `c${index}`,
    name,
    url: `/live/${name}`,
    pageUrl: name,
    swfUrl: name,
  }));
  return view;
}

type Named = { name: string; url: string; flv: string };
const namesOf = (list: Named[]): string[] => list.map(({ name }) => name);

Deno.test("odd names come out of the API's JSON as they went in", async () => {
  const app = apiApp({ view: oddView() });
  const { streams } = await getJson(app, "/api/v1/streams?count=100") as { streams: Named[] };
  assert.deepEqual(namesOf(streams).slice(1), ODD_NAMES);
  assert.deepEqual(streams.slice(1).map(({ url }) => url), ODD_NAMES.map((name) => `/live/${name}`));
  const { clients } = await getJson(app, "/api/v1/clients?count=100") as { clients: Named[] };
  assert.deepEqual(namesOf(clients), ODD_NAMES);
});

Deno.test("odd names come out of a callback as they went in, and nothing else is run", async () => {
  const app = apiApp({ view: oddView() });
  const text = await (await app.request("/api/v1/streams?count=100&callback=f")).text();
  assert.doesNotMatch(text, /[\u2028\u2029]/, "ends a line of old JavaScript");
  const called: Named[][] = [];
  new Function("f", "alert", text)(
    ({ streams }: { streams: Named[] }) => called.push(streams),
    () => assert.fail("a name was run"),
  );
  assert.equal(called.length, 1);
  assert.deepEqual(namesOf(called[0] ?? []).slice(1), ODD_NAMES);
});

Deno.test("the players' page is given every stream, with a path that leads to it", async () => {
  const app = createStreamApp({
    source,
    maxNameBytes: () => 512,
    crossdomain: true,
    signature: "Headwater/0.0.0",
    view: oddView(),
  });
  const { streams } = await getJson(app, "/api/v1/streams?count=100") as { streams: Named[] };
  assert.deepEqual(namesOf(streams).slice(1), ODD_NAMES);
  for (const { name, flv } of streams.slice(1)) {
    // Where it begins the parameters it is in no name.
    if (name.includes("?")) continue;
    const { pathname } = new URL(flv, "http://h");
    const found = matchMount(MOUNT, "__defaultVhost__", "h", pathname).map(({ app, stream }) =>
      `${app}/${stream}`
    );
    // Half a letter can't be sent: the one that stands for what can't be read is.
    assert.ok(
      found.includes(`live/${name.toWellFormed()}`),
      `${JSON.stringify(name)} is looked for as ${found}`,
    );
  }
});

Deno.test("odd labels are text that Prometheus can read", () => {
  const samples = ODD_NAMES.map((name) => ({ labels: { name, other: name }, value: 1 }));
  const text = prometheusText([{ name: "a_total", kind: "counter", help: ODD_NAMES.join(" "), samples }]);
  const lines = text.split("\n");
  assert.equal(lines.pop(), "");
  const [help, type, ...values] = lines;
  assert.match(help ?? "", /^# HELP a_total [^\n]+$/);
  assert.equal(type, "# TYPE a_total counter");
  assert.equal(values.length, ODD_NAMES.length);
  for (const [index, line] of values.entries()) {
    const [, first = "", second = ""] =
      /^a_total\{name="((?:[^"\\]|\\[\\n"])*)",other="((?:[^"\\]|\\[\\n"])*)"\} 1$/.exec(line) ?? [];
    assert.equal(first, second);
    const read = first.replace(/\\(.)/g, (_, letter) => letter === "n" ? "\n" : letter);
    assert.equal(read, ODD_NAMES[index]);
  }
});
