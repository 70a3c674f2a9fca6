import { deepEqual, equal, match, ok } from "node:assert/strict";
import { stringify } from "yaml";
import { until } from "../fakes/deadline.ts";
import { HookServer } from "../fakes/hook_server.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { dashboardQueries } from "../fakes/monitoring_files.ts";
import { TestEncoder } from "../fakes/test_encoder.ts";
import { programTest } from "./program_test_case.ts";
import { RunningProgram } from "./running_program.ts";
import type { TestScope } from "./test_scope.ts";

const EXPORTER = `[exporter]
enabled = true
listen = "127.0.0.1:0"
streams = true
[vhost.__defaultVhost__]
`;

async function scrape(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  equal(response.status, 200);
  return await response.text();
}

/** The value of a series. */
function valueOf(metrics: string, series: string): number {
  const line = metrics.split("\n").find((each) => each.startsWith(`${series} `));
  ok(line !== undefined, `${series} is missing in\n${metrics}`);
  return Number(line.slice(series.length + 1));
}

async function promtool(scope: TestScope, ...args: string[]): Promise<void> {
  const { code, stdout, stderr } = await scope.start("promtool", ...args).finish();
  equal(code, 0, `promtool ${args.join(" ")}\n${stdout}\n${stderr}`);
}

programTest(
  ["promtool"],
  "promtool accepts the exporter's metrics of a server with clients, which count them",
  async (scope) => {
    const server = await scope.startServer({ config: EXPORTER });
    const encoder = await TestEncoder.start(server.port("rtmp"), "cam1");
    scope.onClose(() => encoder.close());
    const player = await connectLocally(server.port("rtmp"), "live");
    scope.onClose(() => player.close());
    await player.play("cam1");
    const port = server.port("exporter");
    const count = 'headwater_join_seconds_count{source="local"}';
    await until(async () => valueOf(await scrape(port), count) === 1, "the join of a player");
    const metrics = await scrape(port);
    equal(valueOf(metrics, 'headwater_streams{state="live"}'), 1);
    equal(valueOf(metrics, 'headwater_players{protocol="rtmp"}'), 1);
    equal(valueOf(metrics, "headwater_publishers"), 1);
    equal(valueOf(metrics, "headwater_connections_limit"), 1000);
    equal(valueOf(metrics, "srs_clients"), 2);
    ok(
      valueOf(
        metrics,
        'headwater_stream_video_frames_total{vhost="__defaultVhost__",app="live",stream="cam1"}',
      ) > 0,
    );
    ok(valueOf(metrics, 'headwater_received_bytes_total{from="client"}') > 0);
    equal(valueOf(metrics, 'headwater_sent_bytes_total{to="server"}'), 0);
    const fromApi = await scrape(server.port("httpApi"));
    const names = (text: string) => Array.from(text.matchAll(/^# TYPE (.*)$/gm), ([, name]) => name);
    deepEqual(names(fromApi), names(metrics));
    await Deno.writeTextFile(scope.path("metrics"), metrics);
    const path = (await RunningProgram.start("sh", ["-c", "command -v promtool"]).succeed()).trim();
    const checked = await RunningProgram.start("sh", [
      "-c",
      `"${path}" check metrics < "${scope.path("metrics")}"`,
    ])
      .finish();
    deepEqual([checked.code, checked.stderr], [0, ""]);
  },
);

programTest(
  ["promtool"],
  "promtool accepts the rules, their cases, the configuration and the dashboard's queries",
  async (scope) => {
    await promtool(scope, "check", "rules", "deploy/prometheus/alerts.yaml");
    await promtool(scope, "test", "rules", "tests/fixtures/alerts_test.yaml");
    await promtool(scope, "check", "config", "deploy/prometheus/prometheus.yaml");
    const rules = dashboardQueries().map(({ expr }, index) => ({ record: `dashboard:query:${index}`, expr }));
    ok(rules.length > 30);
    const path = scope.path("dashboard.yaml");
    await Deno.writeTextFile(path, stringify({ groups: [{ name: "dashboard", rules }] }));
    await promtool(scope, "check", "rules", path);
  },
);

programTest([], "a reload that fails is counted, and one that works", async (scope) => {
  const server = await scope.startServer({ config: EXPORTER });
  const port = server.port("exporter");
  const text = await Deno.readTextFile(server.configPath);
  const counts = async () => {
    const metrics = await scrape(port);
    return ["success", "failure"].map((result) =>
      valueOf(metrics, `headwater_config_reloads_total{result="${result}"}`)
    ).concat(valueOf(metrics, "headwater_config_last_reload_successful"));
  };
  deepEqual(await counts(), [0, 0, 1]);
  await Deno.writeTextFile(server.configPath, "nonsense = 1\n");
  await reloaded(server, counts, 1);
  deepEqual(await counts(), [0, 1, 0]);
  await Deno.writeTextFile(server.configPath, text);
  await reloaded(server, counts, 2);
  deepEqual(await counts(), [1, 1, 1]);
});

async function reloaded(
  server: { signal(signal: Deno.Signal): void },
  counts: () => Promise<number[]>,
  times: number,
): Promise<void> {
  server.signal("SIGHUP");
  await until(async () => {
    const [success = 0, failure = 0] = await counts();
    return success + failure === times;
  }, "a reload");
}

programTest([], "a heartbeat is SRS's, at once and again, and a reload changes it", async (scope) => {
  await using backend = new HookServer();
  const config = (device: string) =>
    `[heartbeat]
enabled = true
interval_ms = 100
url = "${backend.url("/api/v1/servers")}"
device_id = "${device}"
summaries = true
ports = true
[vhost.__defaultVhost__]
`;
  const server = await scope.startServer({ config: config("my-srs-device") });
  await until(() => backend.calls.length >= 2, "two heartbeats");
  const [first] = backend.calls;
  ok(first !== undefined);
  equal(first.path, "/api/v1/servers");
  equal(first.headers.get("content-type"), "application/json");
  deepEqual(Object.keys(first.body), [
    "device_id",
    "ip",
    "server",
    "service",
    "pid",
    "summaries",
    "rtmp",
    "http",
    "api",
  ]);
  const { device_id: device, pid, rtmp, summaries } = first.body as Record<string, never>;
  deepEqual([device, pid], ["my-srs-device", String(server.pid)]);
  deepEqual(rtmp, [`127.0.0.1:${server.port("rtmp")}`]);
  match(JSON.stringify(summaries), /^\{"code":0,"data":\{"ok":true,/);
  const text = await Deno.readTextFile(server.configPath);
  await Deno.writeTextFile(server.configPath, text.replace("my-srs-device", "another"));
  server.signal("SIGHUP");
  await until(() => backend.calls.at(-1)?.body["device_id"] === "another", "a heartbeat after the reload");
});
