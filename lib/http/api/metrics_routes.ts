import type { Hono } from "hono";
import type { CpuSampler } from "./cpu_sampler.ts";
import { type Metric, PROMETHEUS_CONTENT_TYPE, prometheusText } from "./prometheus_text.ts";
import type { ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import { resource } from "../middleware/answer.ts";

/**
 * `/metrics`, for Prometheus: SRS's names and Headwater's own. Everything is read from the view when Prometheus asks, so there are no
 * second books; labels come from closed sets, so a busy server has as many lines as an idle one.
 *
 * @param now Milliseconds since 1970.
 */
export function addMetricsRoutes(
  app: Hono,
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSampler,
  now: () => number,
): void {
  resource(app, "/metrics", {
    GET: (c) => {
      const metrics = [
        ...infoMetrics(view, probe),
        ...processMetrics(view, cpu, now()),
        ...totalMetrics(view),
      ];
      return c.body(prometheusText(metrics), 200, { "Content-Type": PROMETHEUS_CONTENT_TYPE });
    },
  });
}

function infoMetrics(view: ServerView, probe: SystemProbe): Metric[] {
  const host = probe.host();
  const build = {
    server: view.serverId,
    service: view.serviceId,
    pid: String(view.pid),
    major: view.version.split(".")[0] ?? "0",
    version: view.version,
    code: "Headwater",
  };
  return [
    {
      name: "srs_node_uname_info",
      kind: "gauge",
      help: "The machine, as reported by uname.",
      samples: host === undefined ? [] : [{ labels: { ...host }, value: 1 }],
    },
    {
      name: "srs_build_info",
      kind: "gauge",
      help: "Version and identity of this process.",
      samples: [{ labels: build, value: 1 }],
    },
  ];
}

function processMetrics(view: ServerView, cpu: CpuSampler, nowMs: number): Metric[] {
  const { process, processShare } = cpu.sample(nowMs);
  const residentBytes = process?.residentBytes ?? 0;
  const usedMs = (process?.userMs ?? 0) + (process?.systemMs ?? 0);
  return [
    gauge("srs_cpu_percent", "CPU usage, in percent of one core.", processShare * 100),
    gauge("srs_memory", "Resident memory, in kilobytes.", Math.round(residentBytes / 1024)),
    gauge("process_resident_memory_bytes", "Resident memory, in bytes.", residentBytes),
    gauge(
      "process_start_time_seconds",
      "Start time of the process, in seconds since the epoch.",
      view.startedAtMs / 1000,
    ),
    counter("process_cpu_seconds_total", "CPU time used, in seconds.", usedMs / 1000),
  ];
}

function totalMetrics(view: ServerView): Metric[] {
  const totals = view.totals();
  const { cluster, faults, forwards } = totals;
  const forwardStates = Object.entries(forwards?.byState ?? {}).map(([state, value]) => ({
    labels: { state },
    value,
  }));
  const jumpsHelp = "Times that a slow player skipped ahead to a newer key frame.";
  const nodes = cluster === undefined ? [] : [
    { labels: { state: "up" }, value: cluster.nodesUp },
    { labels: { state: "down" }, value: cluster.nodesDown },
  ];
  const retries = cluster === undefined ? [] : cluster.pullRetriesTotal;
  return [
    counter("srs_send_bytes_total", "Bytes sent.", totals.sendBytes),
    counter("srs_receive_bytes_total", "Bytes received.", totals.receiveBytes),
    gauge("srs_streams", "Streams now.", totals.streams),
    gauge("srs_clients", "Clients publishing or playing now.", totals.clients),
    counter("srs_clients_total", "Clients since the start.", totals.clientsTotal),
    counter(
      "srs_clients_errs_total",
      "Clients that failed or were refused.",
      totals.clientErrorsTotal,
    ),
    gauge("rtmp_connections", "Connections open now.", totals.connections),
    counter("rtmp_received_bytes_total", "Bytes received.", totals.receiveBytes),
    counter("rtmp_sent_bytes_total", "Bytes sent.", totals.sendBytes),
    counter(
      "rtmp_wire_errors_total",
      "Failures by code.",
      Array.from(totals.errorsTotal, ([code, value]) => ({ labels: { code }, value })),
    ),
    gauge("hub_streams", "Streams now.", totals.streams),
    gauge("hub_subscribers", "Players now.", totals.players),
    counter("hub_player_jumps_total", jumpsHelp, totals.jumpsTotal),
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
      "headwater_draining",
      "1 while the server takes no new clients since it is about to stop, else 0.",
      view.drain().state === "off" ? 0 : 1,
    ),
    gauge("headwater_forwards", "Forwards of streams to other servers, by state.", forwardStates),
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
      "headwater_tls_certificate_expiry_seconds",
      "When the certificate in use ends, in seconds since the epoch.",
      (totals.certificates ?? []).map(({ section, expiresAtMs }) => ({
        labels: { section },
        value: expiresAtMs / 1000,
      })),
    ),
    counter(
      "headwater_access_refused_total",
      "Clients that access control has refused, by check.",
      totals.access?.refusedTotal ?? [],
    ),
    counter("headwater_hook_calls_total", "Calls of hooks, by result.", totals.access?.hookCallsTotal ?? []),
    gauge("cluster_nodes", "Coworkers by state.", nodes),
    counter("relay_pull_retries_total", "Attempts to pull a stream again from another node.", retries),
  ];
}

function gauge(name: string, help: string, samples: Metric["samples"]): Metric {
  return { name, kind: "gauge", help, samples };
}

function counter(name: string, help: string, samples: Metric["samples"]): Metric {
  return { name, kind: "counter", help, samples };
}
