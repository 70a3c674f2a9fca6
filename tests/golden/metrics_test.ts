import assert from "node:assert/strict";
import { createExporterApp } from "../../lib/http/metrics/exporter_app.ts";
import type { MetricsOptions } from "../../lib/http/metrics/metrics_routes.ts";
import { apiApp, NOW_MS } from "../fakes/fake_api.ts";
import { FAKE_COUNTS } from "../fakes/fake_counts.ts";
import { fullTotals } from "../fakes/full_metrics.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";
import { FakeSystemProbe } from "../fakes/fake_system_probe.ts";

const PLAIN: MetricsOptions = {
  build: { label: "", tag: "" },
  streamsMax: 0,
  counts: () => FAKE_COUNTS,
};

function exporter(view: FakeServerView, options: Partial<MetricsOptions> = {}) {
  return createExporterApp(view, new FakeSystemProbe(), () => NOW_MS, { ...PLAIN, ...options });
}

async function scrape(app: { request(path: string): Response | Promise<Response> }): Promise<string[]> {
  const response = await app.request("/metrics");
  assert.match(response.headers.get("Content-Type") ?? "", /^text\/plain;.*charset=utf-8/);
  return (await response.text()).split("\n").filter((line) => line !== "" && !line.startsWith("# HELP"));
}

const EXPECTED = [
  "# TYPE srs_node_uname_info gauge",
  'srs_node_uname_info{sysname="Linux",nodename="origin-a",release="6.1.0",version="#1 SMP",machine="x86_64"} 1',
  "# TYPE srs_build_info gauge",
  'srs_build_info{server="vid-0a1b2c3",service="d4e5f6g7",pid="4321",major="0",version="0.1.2",code="Headwater"} 1',
  "# TYPE srs_cpu_percent gauge",
  "srs_cpu_percent 8",
  "# TYPE srs_memory gauge",
  "srs_memory 65536",
  "# TYPE srs_send_bytes_total counter",
  "srs_send_bytes_total 6000000",
  "# TYPE srs_receive_bytes_total counter",
  "srs_receive_bytes_total 3000000",
  "# TYPE srs_streams gauge",
  "srs_streams 2",
  "# TYPE srs_clients gauge",
  "srs_clients 3",
  "# TYPE srs_clients_total counter",
  "srs_clients_total 12",
  "# TYPE srs_clients_errs_total counter",
  "srs_clients_errs_total 1",
  "# TYPE process_resident_memory_bytes gauge",
  "process_resident_memory_bytes 67108864",
  "# TYPE process_start_time_seconds gauge",
  "process_start_time_seconds 1767323045",
  "# TYPE process_cpu_seconds_total counter",
  "process_cpu_seconds_total 5",
  "# TYPE headwater_build_info gauge",
  'headwater_build_info{version="0.1.2"} 1',
  "# TYPE headwater_event_loop_lag_seconds histogram",
  'headwater_event_loop_lag_seconds_bucket{le="0.001"} 1',
  'headwater_event_loop_lag_seconds_bucket{le="0.01"} 1',
  'headwater_event_loop_lag_seconds_bucket{le="+Inf"} 1',
  "headwater_event_loop_lag_seconds_sum 0.001",
  "headwater_event_loop_lag_seconds_count 1",
  "# TYPE headwater_config_reloads_total counter",
  'headwater_config_reloads_total{result="success"} 2',
  'headwater_config_reloads_total{result="failure"} 1',
  "# TYPE headwater_config_last_reload_successful gauge",
  "headwater_config_last_reload_successful 0",
  "# TYPE headwater_draining gauge",
  "headwater_draining 0",
  "# TYPE headwater_unexpected_errors_total counter",
  "headwater_unexpected_errors_total 3",
  "# TYPE headwater_log_lines_lost_total counter",
  "headwater_log_lines_lost_total 8",
  "# TYPE headwater_tls_certificate_expiry_seconds gauge",
  'headwater_tls_certificate_expiry_seconds{section="rtmps"} 1800000000',
  "# TYPE headwater_connections gauge",
  "headwater_connections 4",
  "# TYPE headwater_connections_limit gauge",
  "headwater_connections_limit 1000",
  "# TYPE headwater_streams gauge",
  'headwater_streams{state="live"} 1',
  'headwater_streams{state="waiting"} 1',
  "# TYPE headwater_publishers gauge",
  "headwater_publishers 1",
  "# TYPE headwater_players gauge",
  'headwater_players{protocol="rtmp"} 1',
  'headwater_players{protocol="http-flv"} 1',
  'headwater_players{protocol="ws-flv"} 0',
  "# TYPE headwater_received_bytes_total counter",
  'headwater_received_bytes_total{from="client"} 2999000',
  'headwater_received_bytes_total{from="server"} 1000',
  "# TYPE headwater_sent_bytes_total counter",
  'headwater_sent_bytes_total{to="client"} 5998000',
  'headwater_sent_bytes_total{to="server"} 2000',
  "# TYPE headwater_errors_total counter",
  'headwater_errors_total{code="handshake-timeout"} 5',
  'headwater_errors_total{code="stream-busy"} 2',
  "# TYPE headwater_player_jumps_total counter",
  "headwater_player_jumps_total 7",
  "# TYPE headwater_access_refused_total counter",
  'headwater_access_refused_total{check="security",action="publish"} 2',
  "# TYPE headwater_join_seconds histogram",
  'headwater_join_seconds_bucket{source="local",le="0.01"} 1',
  'headwater_join_seconds_bucket{source="local",le="1"} 2',
  'headwater_join_seconds_bucket{source="local",le="+Inf"} 3',
  'headwater_join_seconds_sum{source="local"} 2.51',
  'headwater_join_seconds_count{source="local"} 3',
  'headwater_join_seconds_bucket{source="relay",le="0.01"} 0',
  'headwater_join_seconds_bucket{source="relay",le="1"} 0',
  'headwater_join_seconds_bucket{source="relay",le="+Inf"} 0',
  'headwater_join_seconds_sum{source="relay"} 0',
  'headwater_join_seconds_count{source="relay"} 0',
  "# TYPE headwater_cluster_nodes gauge",
  'headwater_cluster_nodes{state="up"} 2',
  'headwater_cluster_nodes{state="down"} 1',
  "# TYPE headwater_cluster_round_trip_seconds gauge",
  "headwater_cluster_round_trip_seconds 0.004",
  "# TYPE headwater_locate_seconds histogram",
  'headwater_locate_seconds_bucket{result="at",le="0.01"} 1',
  'headwater_locate_seconds_bucket{result="at",le="+Inf"} 1',
  'headwater_locate_seconds_sum{result="at"} 0.002',
  'headwater_locate_seconds_count{result="at"} 1',
  "# TYPE headwater_redirects_total counter",
  'headwater_redirects_total{kind="redirect"} 6',
  "# TYPE headwater_publish_conflicts_total counter",
  "headwater_publish_conflicts_total 1",
  "# TYPE headwater_pulls gauge",
  'headwater_pulls{state="feeding"} 2',
  'headwater_pulls{state="searching"} 1',
  "# TYPE headwater_pull_retries_total counter",
  "headwater_pull_retries_total 9",
  "# TYPE headwater_forwards gauge",
  'headwater_forwards{state="connecting"} 0',
  'headwater_forwards{state="forwarding"} 2',
  'headwater_forwards{state="waiting"} 1',
  "# TYPE headwater_forward_retries_total counter",
  "headwater_forward_retries_total 4",
  "# TYPE headwater_forward_sent_bytes_total counter",
  "headwater_forward_sent_bytes_total 5000",
  "# TYPE headwater_recordings gauge",
  'headwater_recordings{state="recording"} 2',
  'headwater_recordings{state="waiting"} 0',
  'headwater_recordings{state="paused"} 1',
  "# TYPE headwater_recording_files_total counter",
  "headwater_recording_files_total 3",
  "# TYPE headwater_recording_written_bytes_total counter",
  "headwater_recording_written_bytes_total 70000",
  "# TYPE headwater_recording_failures_total counter",
  'headwater_recording_failures_total{reason="disk-full"} 1',
  "# TYPE headwater_hook_calls_total counter",
  'headwater_hook_calls_total{hook="on_play",result="failed"} 1',
  "# TYPE headwater_hook_seconds histogram",
  'headwater_hook_seconds_bucket{hook="on_play",le="0.1"} 0',
  'headwater_hook_seconds_bucket{hook="on_play",le="+Inf"} 1',
  'headwater_hook_seconds_sum{hook="on_play"} 0.25',
  'headwater_hook_seconds_count{hook="on_play"} 1',
];

Deno.test("/metrics has SRS's names and ours, with labels of closed sets, at the API and at the exporter", async () => {
  const view = new FakeServerView();
  view.totalsAnswer = fullTotals(view.totalsAnswer);
  for (const app of [apiApp({ view }), exporter(view)]) {
    assert.deepEqual(await scrape(app), EXPECTED);
    assert.deepEqual(await scrape(app), EXPECTED, "a second scrape reads the same totals, not their sum");
  }
});

Deno.test("a server alone has no series of a cluster, a forward or a certificate", async () => {
  const lines = await scrape(exporter(new FakeServerView()));
  for (const part of ["cluster", "pull", "forward", "locate", "conflicts", "certificate"]) {
    assert.deepEqual(lines.filter((line) => line.includes(part)), [], part);
  }
});

Deno.test("the exporter's label and tag are labels of srs_build_info, as in SRS", async () => {
  const lines = await scrape(
    exporter(new FakeServerView(), { build: { label: "cn-beijing", tag: "cn-edge" } }),
  );
  const info = lines.find((line) => line.startsWith("srs_build_info"));
  assert.match(info ?? "", /,code="Headwater",label="cn-beijing",tag="cn-edge"\} 1$/);
});

Deno.test("the exporter has nothing but metrics", async () => {
  const response = await exporter(new FakeServerView()).request("/api/v1/versions");
  assert.equal(response.status, 404);
  assert.match((await response.json()).message, /this port has \/metrics only/);
});

Deno.test("series of streams are those of the oldest, and name no more than vhost, app and stream", async () => {
  const view = new FakeServerView();
  const [first, second] = view.streamList;
  assert.ok(first !== undefined && second !== undefined);
  view.streamList = [{ ...first, name: 'a"b\\c\nd' }, second, {
    ...second,
    id: "vid-stream3",
    name: "third",
  }];
  const lines = await scrape(exporter(view, { streamsMax: 2 }));
  const labels = 'vhost="__defaultVhost__",app="live",stream=';
  assert.deepEqual(lines.filter((line) => line.startsWith("headwater_stream_")), [
    `headwater_stream_live{${labels}"a\\"b\\\\c\\nd"} 1`,
    `headwater_stream_live{${labels}"later"} 0`,
    `headwater_stream_clients{${labels}"a\\"b\\\\c\\nd"} 2`,
    `headwater_stream_clients{${labels}"later"} 1`,
    `headwater_stream_received_bytes_total{${labels}"a\\"b\\\\c\\nd"} 3000000`,
    `headwater_stream_received_bytes_total{${labels}"later"} 0`,
    `headwater_stream_sent_bytes_total{${labels}"a\\"b\\\\c\\nd"} 6000000`,
    `headwater_stream_sent_bytes_total{${labels}"later"} 0`,
    `headwater_stream_video_frames_total{${labels}"a\\"b\\\\c\\nd"} 1500`,
    `headwater_stream_video_frames_total{${labels}"later"} 0`,
    "headwater_stream_series_dropped 1",
  ]);
});
