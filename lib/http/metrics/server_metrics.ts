import type { ServerTotals, ServerView } from "../server_view.ts";
import type { CpuSample } from "./cpu_sampler.ts";
import { by, counter, gauge, histogram } from "./metric.ts";
import type { NodeCounts } from "./node_counts.ts";
import type { Metric } from "./prometheus_text.ts";

/** The process, by the names that every Prometheus exporter has. */
export function processMetrics(view: ServerView, { process }: CpuSample): Metric[] {
  const usedMs = (process?.userMs ?? 0) + (process?.systemMs ?? 0);
  return [
    gauge("process_resident_memory_bytes", "Resident memory, in bytes.", process?.residentBytes ?? 0),
    gauge(
      "process_start_time_seconds",
      "Start time of the process, in seconds since the epoch.",
      view.startedAtMs / 1000,
    ),
    counter("process_cpu_seconds_total", "CPU time used, in seconds.", usedMs / 1000),
  ];
}

/** Clients, streams and traffic of this node. */
export function clientMetrics(totals: ServerTotals, counts: NodeCounts): Metric[] {
  const { serverBytes } = counts;
  return [
    gauge("headwater_connections", "Connections open now.", totals.connections),
    gauge("headwater_connections_limit", "Connections that may be open.", counts.connectionsLimit),
    gauge("headwater_streams", "Streams now, by state.", by("state", counts.streamsByState)),
    gauge("headwater_publishers", "Clients publishing now.", counts.publishers),
    gauge("headwater_players", "Clients playing now, by protocol.", by("protocol", counts.playersByProtocol)),
    counter(
      "headwater_received_bytes_total",
      "Bytes received, by sender.",
      by("from", {
        client: Math.max(0, totals.receiveBytes - serverBytes.received),
        server: serverBytes.received,
      }),
    ),
    counter(
      "headwater_sent_bytes_total",
      "Bytes sent, by receiver.",
      by("to", { client: Math.max(0, totals.sendBytes - serverBytes.sent), server: serverBytes.sent }),
    ),
    counter(
      "headwater_errors_total",
      "Connections that failed or were refused, by error code.",
      by("code", totals.errorsTotal),
    ),
    counter(
      "headwater_player_jumps_total",
      "Times that a slow player skipped ahead to a newer key frame.",
      totals.jumpsTotal,
    ),
    counter(
      "headwater_access_refused_total",
      "Clients that access control has refused, by check.",
      totals.access?.refusedTotal ?? [],
    ),
    histogram(
      "headwater_join_seconds",
      "From a play request to the first media sent, in seconds, by where the stream came from.",
      "source",
      counts.joinSeconds,
    ),
  ];
}

/** What a node does with others: coworkers, origins, targets of forwards, hooks. */
export function peerMetrics(totals: ServerTotals, counts: NodeCounts): Metric[] {
  const { cluster, forwards, access } = totals;
  const { recordings } = counts;
  const roundTrip = counts.coworkerRoundTripSeconds;
  return [
    gauge(
      "headwater_cluster_nodes",
      "Coworkers by state.",
      cluster === undefined ? [] : by("state", { up: cluster.nodesUp, down: cluster.nodesDown }),
    ),
    gauge(
      "headwater_cluster_round_trip_seconds",
      "Round trip of the slowest coworker's last answer, in seconds.",
      cluster === undefined ? [] : roundTrip ?? [],
    ),
    histogram(
      "headwater_locate_seconds",
      "How long plays waited to learn where in the cluster a stream is, in seconds, by result.",
      "result",
      cluster === undefined ? [] : counts.locateSeconds,
    ),
    counter(
      "headwater_redirects_total",
      "Players sent to another node, by how they were told.",
      counts.redirectsTotal,
    ),
    counter(
      "headwater_publish_conflicts_total",
      "Publishers ended because another node publishes the same stream.",
      cluster === undefined ? [] : counts.publishConflictsTotal,
    ),
    gauge(
      "headwater_pulls",
      "Streams pulled from other servers, by state.",
      cluster === undefined ? [] : by("state", counts.pullsByState),
    ),
    counter(
      "headwater_pull_retries_total",
      "Attempts to pull a stream again from another server.",
      cluster?.pullRetriesTotal ?? [],
    ),
    gauge(
      "headwater_forwards",
      "Forwards of streams to other servers, by state.",
      forwards === undefined ? [] : by("state", forwards.byState),
    ),
    counter(
      "headwater_forward_retries_total",
      "Attempts to forward a stream again.",
      forwards?.retriesTotal ?? [],
    ),
    counter(
      "headwater_forward_sent_bytes_total",
      "Bytes forwarded to other servers.",
      forwards?.sentBytesTotal ?? [],
    ),
    gauge(
      "headwater_recordings",
      "Streams that are recorded, by state.",
      recordings === undefined ? [] : by("state", recordings.byState),
    ),
    counter(
      "headwater_recording_files_total",
      "Recorded files that were closed whole.",
      recordings?.filesTotal ?? [],
    ),
    counter(
      "headwater_recording_written_bytes_total",
      "Bytes written to recordings.",
      recordings?.writtenBytesTotal ?? [],
    ),
    counter(
      "headwater_recording_failures_total",
      "Recordings that a disk has interrupted, by reason.",
      recordings === undefined ? [] : by("reason", recordings.failuresTotal),
    ),
    counter("headwater_hook_calls_total", "Calls of hooks, by result.", access?.hookCallsTotal ?? []),
    histogram(
      "headwater_hook_seconds",
      "How long calls of hooks took, in seconds, by hook.",
      "hook",
      counts.hookSeconds,
    ),
  ];
}

/** Whether the process itself is well. */
export function healthMetrics(view: ServerView, totals: ServerTotals, counts: NodeCounts): Metric[] {
  const { faults, certificates = [] } = totals;
  return [
    gauge("headwater_build_info", "Version of this process.", [{
      labels: { version: view.version },
      value: 1,
    }]),
    {
      name: "headwater_event_loop_lag_seconds",
      kind: "histogram",
      help: "How much later than due a timer was called, in seconds.",
      samples: [{ labels: {}, reading: counts.loopLagSeconds }],
    },
    counter(
      "headwater_config_reloads_total",
      "Reloads of the configuration, by result.",
      by("result", counts.reloadsTotal),
    ),
    gauge(
      "headwater_config_last_reload_successful",
      "1 unless the last reload of the configuration failed.",
      counts.isConfigCurrent ? 1 : 0,
    ),
    gauge(
      "headwater_draining",
      "1 while the server takes no new clients since it is about to stop, else 0.",
      view.drain().state === "off" ? 0 : 1,
    ),
    counter(
      "headwater_unexpected_errors_total",
      "Unexpected internal errors.",
      faults?.unexpectedErrorsTotal ?? [],
    ),
    counter(
      "headwater_log_lines_lost_total",
      "Log lines lost because they could not be written.",
      faults?.logLinesLostTotal ?? [],
    ),
    gauge(
      "headwater_tls_certificate_expiry_seconds",
      "When the certificate in use ends, in seconds since the epoch.",
      by("section", certificates.map(({ section, expiresAtMs }) => [section, expiresAtMs / 1000] as const)),
    ),
  ];
}
