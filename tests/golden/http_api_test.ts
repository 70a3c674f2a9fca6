// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import assert from "node:assert/strict";
import { FakeServerView } from "../fakes/fake_server_view.ts";
import { FakeSystemProbe, SilentSystemProbe } from "../fakes/fake_system_probe.ts";
import { apiApp, getJson, NOW_MS } from "../fakes/fake_api.ts";

const ENVELOPE = { code: 0, server: "vid-0a1b2c3", service: "d4e5f6g7", pid: "4321" };

const VHOST = {
  id: "vid-vhost01",
  name: "__defaultVhost__",
  enabled: true,
  clients: 3,
  streams: 2,
  send_bytes: 6_000_000,
  recv_bytes: 3_000_000,
  kbps: { recv_30s: 800, send_30s: 1601 },
  hls: { enabled: false },
};

const STREAM = {
  id: "vid-stream1",
  name: "livestream",
  vhost: "vid-vhost01",
  app: "live",
  tcUrl: "rtmp://127.0.0.1/live?vhost=__defaultVhost__",
  url: "/live/livestream",
  live_ms: NOW_MS,
  clients: 2,
  frames: 1500,
  fps: 25,
  send_bytes: 6_000_000,
  recv_bytes: 3_000_000,
  kbps: { recv_30s: 800, send_30s: 1601 },
  publish: { active: true, cid: "encoder1" },
  video: { codec: "H264", profile: "High", level: "3.1", width: 1280, height: 720 },
  audio: { codec: "AAC", sample_rate: 44_100, channel: 2, profile: "LC" },
};

const WAITED_FOR = {
  ...STREAM,
  id: "vid-stream2",
  name: "later",
  url: "/live/later",
  clients: 1,
  frames: 0,
  fps: 0,
  send_bytes: 0,
  recv_bytes: 0,
  kbps: { recv_30s: 0, send_30s: 0 },
  publish: { active: false },
  video: null,
  audio: null,
};

const PLAYER = {
  id: "player02",
  vhost: "vid-vhost01",
  stream: "vid-stream1",
  ip: "2001:db8::9",
  pageUrl: "https://example.com/watch",
  swfUrl: "",
  tcUrl: "rtmp://127.0.0.1/live?vhost=__defaultVhost__",
  url: "/live/livestream",
  name: "livestream",
  type: "rtmp-play",
  publish: false,
  alive: 30,
  send_bytes: 6_000_000,
  recv_bytes: 3400,
  kbps: { recv_30s: 0, send_30s: 1601 },
  jumps: 1,
};

const ZERO_PROC_STATS = Object.fromEntries(
  ("pgrp session tty_nr tpgid flags cminflt cmajflt cutime cstime priority nice num_threads itrealvalue vsize rsslim startcode " +
    "endcode startstack kstkesp kstkeip signal blocked sigignore sigcatch wchan nswap cnswap exit_signal processor rt_priority " +
    "policy delayacct_blkio_ticks guest_time cguest_time").split(" ").map((name) => [name, 0]),
);

/** What each path answers, whole. */
const NO_CLIENT = { code: 2049, message: "Cannot find the client: no client has this id" };

const CASES: readonly { path: string; status?: number; value: unknown }[] = [
  { path: "/", value: { ...ENVELOPE, urls: { api: "the api root" } } },
  { path: "/api", value: { ...ENVELOPE, urls: { v1: "the api version 1.0" } } },
  {
    path: "/api/v1/versions",
    value: { ...ENVELOPE, data: { major: 0, minor: 1, revision: 2, version: "0.1.2" } },
  },
  {
    path: "/api/v1/summaries",
    value: {
      ...ENVELOPE,
      data: {
        ok: true,
        now_ms: NOW_MS,
        self: {
          version: "0.1.2",
          pid: 4321,
          ppid: 1,
          argv: "headwater serve -c conf/headwater.toml",
          cwd: "/srv/headwater",
          mem_kbyte: 65_536,
          mem_percent: 0.0625,
          cpu_percent: 0.08,
          srs_uptime: 62,
        },
        system: {
          cpu_percent: 0.25,
          disk_read_KBps: 0,
          disk_write_KBps: 0,
          disk_busy_percent: 0,
          mem_ram_kbyte: 1_048_576,
          mem_ram_percent: 0.5,
          mem_swap_kbyte: 65_536,
          mem_swap_percent: 0.25,
          cpus: 2,
          cpus_online: 2,
          uptime: 3600,
          ilde_time: 75,
          load_1m: 0.5,
          load_5m: 0.25,
          load_15m: 0.125,
          net_sample_time: 0,
          net_recv_bytes: 0,
          net_send_bytes: 0,
          net_recvi_bytes: 0,
          net_sendi_bytes: 0,
          srs_sample_time: NOW_MS,
          srs_recv_bytes: 3_000_000,
          srs_send_bytes: 6_000_000,
          conn_sys: 0,
          conn_sys_et: 0,
          conn_sys_tw: 0,
          conn_sys_udp: 0,
          conn_srs: 4,
        },
      },
    },
  },
  {
    path: "/api/v1/rusages",
    value: {
      ...ENVELOPE,
      data: {
        ok: true,
        sample_time: NOW_MS,
        ru_utime: 4,
        ru_stime: 1,
        ru_maxrss: 81_920,
        ru_ixrss: 0,
        ru_idrss: 0,
        ru_isrss: 0,
        ru_minflt: 900,
        ru_majflt: 3,
        ru_nswap: 0,
        ru_inblock: 8,
        ru_oublock: 16,
        ru_msgsnd: 0,
        ru_msgrcv: 0,
        ru_nsignals: 0,
        ru_nvcsw: 70,
        ru_nivcsw: 7,
      },
    },
  },
  {
    path: "/api/v1/self_proc_stats",
    value: {
      ...ENVELOPE,
      data: {
        ...ZERO_PROC_STATS,
        ok: true,
        sample_time: NOW_MS,
        percent: 0.08,
        pid: 4321,
        comm: "(headwater)",
        state: "R",
        ppid: 1,
        minflt: 900,
        majflt: 3,
        utime: 400,
        stime: 100,
        starttime: 353_750,
        rss: 16_384,
      },
    },
  },
  {
    path: "/api/v1/system_proc_stats",
    value: {
      ...ENVELOPE,
      data: {
        ok: true,
        sample_time: NOW_MS,
        percent: 0.25,
        user: 2000,
        nice: 0,
        sys: 500,
        idle: 7500,
        iowait: 0,
        irq: 0,
        softirq: 0,
        steal: 0,
        guest: 0,
      },
    },
  },
  {
    path: "/api/v1/meminfos",
    value: {
      ...ENVELOPE,
      data: {
        ok: true,
        sample_time: NOW_MS,
        percent_ram: 0.5,
        percent_swap: 0.25,
        MemActive: 786_432,
        RealInUse: 524_288,
        NotInUse: 524_288,
        MemTotal: 1_048_576,
        MemFree: 262_144,
        Buffers: 16_384,
        Cached: 131_072,
        SwapTotal: 65_536,
        SwapFree: 49_152,
      },
    },
  },
  {
    path: "/api/v1/authors",
    value: { ...ENVELOPE, data: { license: "MIT", contributors: "The Headwater authors" } },
  },
  { path: "/api/v1/vhosts", value: { ...ENVELOPE, vhosts: [VHOST] } },
  { path: "/api/v1/vhosts/vid-vhost01", value: { ...ENVELOPE, vhost: VHOST } },
  {
    path: "/api/v1/vhosts/none",
    value: { code: 2014, message: "Cannot find the vhost: no vhost has this id" },
  },
  { path: "/api/v1/streams", value: { ...ENVELOPE, streams: [STREAM, WAITED_FOR] } },
  { path: "/api/v1/streams/vid-stream1", value: { ...ENVELOPE, stream: STREAM } },
  { path: "/api/v1/streams/vid-stream2", value: { ...ENVELOPE, stream: WAITED_FOR } },
  {
    path: "/api/v1/streams/none",
    value: { code: 2048, message: "Cannot find the stream: no stream has this id" },
  },
  { path: "/api/v1/clients/player02", value: { ...ENVELOPE, client: PLAYER } },
  { path: "/api/v1/clients/none", value: NO_CLIENT },
  { path: "/api/v1/tests/errors", value: { code: 100, message: "Test error, as requested" } },
  { path: "/healthz", value: { status: "ok" } },
  { path: "/readyz", value: { status: "ready" } },
  {
    path: "/api/v1/nothing",
    status: 404,
    value: { code: 404, message: "Cannot find /api/v1/nothing" },
  },
];

for (const { path, status = 200, value } of CASES) {
  Deno.test(`GET ${path} answers ${status}, with a slash at its end or without`, async () => {
    for (const spelling of path === "/" ? ["/"] : [path, ...(status === 200 ? [`${path}/`] : [])]) {
      const response = await apiApp().request(spelling);
      assert.equal(response.status, status);
      assert.equal(response.headers.get("Content-Type"), "application/json");
      assert.equal(response.headers.get("X-Content-Type-Options"), "nosniff");
      assert.deepEqual(await response.json(), value);
    }
  });
}

Deno.test("GET answers keep SRS's order of the fields", async () => {
  const text = await (await apiApp().request("/api/v1/versions")).text();
  assert.equal(
    text,
    '{"code":0,"server":"vid-0a1b2c3","service":"d4e5f6g7","pid":"4321",' +
      '"data":{"major":0,"minor":1,"revision":2,"version":"0.1.2"}}',
  );
});

Deno.test("GET /api/v1 lists only paths that answer", async () => {
  const app = apiApp();
  const { urls, tests } = await getJson(app, "/api/v1") as Record<"urls" | "tests", Record<string, string>>;
  const paths = [...Object.keys(urls), ...Object.keys(tests).map((name) => `tests/${name}`)];
  // Those of a cluster are added by the node.
  for (const path of paths.filter((path) => path !== "clusters" && path !== "events")) {
    assert.notEqual((await app.request(`/api/v1/${path}`)).status, 404, path);
  }
});

Deno.test("GET /api/v1/features says what SRS's clients look for", async () => {
  const { data } = await getJson(apiApp(), "/api/v1/features") as { data: Record<string, unknown> };
  assert.deepEqual(Object.keys(data), ["options", "options2", "build", "build2", "features"]);
  const names =
    "ssl hls hds callback api httpd dvr transcode ingest stat caster complex_send tcp_nodelay so_sendbuf mr";
  assert.equal(Object.keys(data.features as object).join(" "), names);
});

Deno.test("the operating system's answers are zeros and not ok where it tells nothing", async () => {
  const app = apiApp({ probe: new SilentSystemProbe() });
  for (const name of ["rusages", "self_proc_stats", "system_proc_stats", "meminfos", "summaries"]) {
    const { code, data } = await getJson(app, `/api/v1/${name}`) as { code: number; data: { ok: boolean } };
    assert.deepEqual([code, data.ok], [0, false], name);
  }
});

Deno.test("cpu_percent is the share of one processor since the reading before", async () => {
  const probe = new FakeSystemProbe();
  let nowMs = NOW_MS;
  const app = apiApp({ probe, now: () => nowMs });
  const percent = async (): Promise<number> =>
    (await getJson(app, "/api/v1/self_proc_stats") as { data: { percent: number } }).data.percent;
  assert.equal(await percent(), 0.08);
  nowMs += 500;
  assert.equal(await percent(), 0.08, "readings within a second share one result");
  nowMs += 1500;
  probe.usageAnswer = probe.usageAnswer && { ...probe.usageAnswer, userMs: 5000 };
  assert.equal(await percent(), 0.5);
});

Deno.test("GET /api/v1/clients gives a page of at least 10", async () => {
  const view = new FakeServerView();
  const [client] = view.clientList;
  assert.ok(client);
  view.clientList = Array.from({ length: 25 }, (_, index) => ({ ...client, id: `client${index}` }));
  const ids = async (query: string): Promise<string[]> => {
    const { clients } = await getJson(apiApp({ view }), `/api/v1/clients${query}`) as {
      clients: { id: string }[];
    };
    return clients.map(({ id }) => id.slice("client".length));
  };
  assert.deepEqual(await ids(""), "0 1 2 3 4 5 6 7 8 9".split(" "));
  assert.deepEqual(await ids("/?count=3"), "0 1 2 3 4 5 6 7 8 9".split(" "));
  assert.deepEqual(await ids("?count=12"), "0 1 2 3 4 5 6 7 8 9 10 11".split(" "));
  assert.deepEqual(await ids("?start=20"), "20 21 22 23 24".split(" "));
  assert.deepEqual(await ids("?start=25"), []);
  assert.deepEqual(await ids("?start=-5&count=x"), "0 1 2 3 4 5 6 7 8 9".split(" "));
  assert.equal((await ids("?count=99999999999999999999")).length, 10);
});

Deno.test("DELETE /api/v1/clients/{id} kicks that client", async () => {
  const view = new FakeServerView();
  const app = apiApp({ view });
  const kick = async (path: string): Promise<unknown> =>
    await (await app.request(
      `/api/v1/clients${path}`,
      { method: "DELETE" },
      { peer: { hostname: "127.0.0.1", port: 40_000 } },
    )).json();
  assert.deepEqual(await kick("/player02"), ENVELOPE);
  assert.deepEqual(await kick("/none"), NO_CLIENT);
  assert.deepEqual(await kick(""), NO_CLIENT);
  assert.deepEqual(await kick("/waiter03"), {
    code: 400,
    message: "Cannot disconnect the client: it has just left",
  });
  assert.deepEqual(view.kicked, ["player02", "waiter03"]);
});

Deno.test("GET /readyz is 503 with a reason while new clients are not welcome", async () => {
  const view = new FakeServerView();
  view.readinessAnswer = { isReady: false, reason: "draining" };
  const app = apiApp({ view });
  const response = await app.request("/readyz");
  assert.equal(response.status, 503);
  assert.deepEqual(await response.json(), { status: "not ready", reason: "draining" });
  assert.equal((await app.request("/healthz")).status, 200);
});

Deno.test("/api/v1/tests shows the request, without its secrets, and redirects", async () => {
  const app = apiApp();
  const response = await app.request("/api/v1/tests/requests?a=b", {
    method: "PUT",
    headers: { "X-One": "1", Cookie: "secret", Authorization: "Basic c2VjcmV0" },
  });
  assert.deepEqual((await response.json()).data, {
    uri: "/api/v1/tests/requests?a=b",
    path: "/api/v1/tests/requests",
    METHOD: "PUT",
    headers: { "x-one": "1" },
    server: { sigature: "Headwater", version: "0.1.2", link: "", time: NOW_MS },
  });
  const redirect = await app.request("/api/v1/tests/redirects");
  assert.deepEqual([redirect.status, redirect.headers.get("Location")], [301, "/api/v1/tests/errors"]);
});
