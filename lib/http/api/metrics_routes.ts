import { Counter, Gauge, Registry } from "@prometheus-io/client";
import type { Hono } from "hono";
import type { CpuSampler } from "../cpu_sampler.ts";
import type { ServerTotals, ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import { resource } from "./answer.ts";

/** One line of `/metrics`, or several that a label of a closed set tells apart. */
type Sample = number | Iterable<readonly [label: string, value: number]>;

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
  const registry = new Registry();
  addInfo(registry, view, probe);
  addProcess(registry, view, cpu, now);
  addTotals(registry, () => view.totals());
  resource(app, "/metrics", {
    GET: async (c) => c.body(await registry.metrics(), 200, { "Content-Type": registry.contentType }),
  });
}

function addInfo(registry: Registry, view: ServerView, probe: SystemProbe): void {
  const info = (name: string, help: string, labels: Record<string, string>): void => {
    new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set(labels, 1);
  };
  const host = probe.host();
  if (host !== undefined) info("srs_node_uname_info", "The machine, as uname tells it.", { ...host });
  info("srs_build_info", "The program and its run.", {
    server: view.serverId,
    service: view.serviceId,
    pid: String(view.pid),
    major: view.version.split(".")[0] ?? "0",
    version: view.version,
    code: "Headwater",
  });
}

function addProcess(registry: Registry, view: ServerView, cpu: CpuSampler, now: () => number): void {
  const usage = (): ReturnType<CpuSampler["sample"]> => cpu.sample(now());
  gauge(
    registry,
    "srs_cpu_percent",
    "Processor time used, in percent of one processor.",
    () => usage().processShare * 100,
  );
  gauge(
    registry,
    "srs_memory",
    "Memory resident, in kilobytes.",
    () => Math.round((usage().process?.residentBytes ?? 0) / 1024),
  );
  gauge(
    registry,
    "process_resident_memory_bytes",
    "Memory resident, in bytes.",
    () => usage().process?.residentBytes ?? 0,
  );
  gauge(
    registry,
    "process_start_time_seconds",
    "When the process started, in seconds since 1970.",
    () => view.startedAtMs / 1000,
  );
  counter(registry, "process_cpu_seconds_total", "Processor time used, in seconds.", () => {
    const { process } = usage();
    return process === undefined ? 0 : (process.userMs + process.systemMs) / 1000;
  });
}

function addTotals(registry: Registry, totals: () => ServerTotals): void {
  counter(registry, "srs_send_bytes_total", "Bytes sent.", () => totals().sendBytes);
  counter(registry, "srs_receive_bytes_total", "Bytes received.", () => totals().receiveBytes);
  gauge(registry, "srs_streams", "Streams now.", () => totals().streams);
  gauge(registry, "srs_clients", "Clients that publish or play now.", () => totals().clients);
  counter(registry, "srs_clients_total", "Clients since the start.", () => totals().clientsTotal);
  counter(
    registry,
    "srs_clients_errs_total",
    "Clients whose connection ended by a failure.",
    () => totals().clientErrorsTotal,
  );
  gauge(registry, "rtmp_connections", "Connections open now.", () => totals().connections);
  counter(registry, "rtmp_received_bytes_total", "Bytes received.", () => totals().receiveBytes);
  counter(registry, "rtmp_sent_bytes_total", "Bytes sent.", () => totals().sendBytes);
  counter(
    registry,
    "rtmp_wire_errors_total",
    "Failures by their code.",
    () => totals().errorsTotal,
    "code",
  );
  gauge(registry, "hub_streams", "Streams now.", () => totals().streams);
  gauge(registry, "hub_subscribers", "Players now.", () => totals().players);
  counter(
    registry,
    "hub_player_jumps_total",
    "How often a player fell behind and was moved on to a newer key frame.",
    () => totals().jumpsTotal,
  );
  gauge(registry, "cluster_nodes", "Coworkers by their state.", () => {
    const cluster = totals().cluster;
    return cluster === undefined ? [] : [["up", cluster.nodesUp], ["down", cluster.nodesDown]];
  }, "state");
  counter(
    registry,
    "relay_pull_retries_total",
    "Attempts to pull a stream again from another node.",
    () => totals().cluster?.pullRetriesTotal ?? 0,
  );
}

function gauge(registry: Registry, name: string, help: string, read: () => Sample, label?: string): void {
  new Gauge({
    name,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of labelled(read(), label)) this.set(labels, value);
    },
  });
}

function counter(registry: Registry, name: string, help: string, read: () => Sample, label?: string): void {
  new Counter({
    name,
    help,
    labelNames: label === undefined ? [] : [label],
    registers: [registry],
    collect() {
      this.reset();
      for (const [labels, value] of labelled(read(), label)) this.inc(labels, value);
    },
  });
}

function* labelled(sample: Sample, label = ""): Iterable<[Record<string, string>, number]> {
  if (typeof sample === "number") yield [{}, sample];
  else for (const [name, value] of sample) yield [{ [label]: name }, value];
}
