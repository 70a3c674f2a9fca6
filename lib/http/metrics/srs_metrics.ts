import type { ServerTotals, ServerView } from "../server_view.ts";
import type { SystemProbe } from "../system_probe.ts";
import type { CpuSample } from "./cpu_sampler.ts";
import { counter, gauge } from "./metric.ts";
import type { Metric } from "./prometheus_text.ts";

/** What `srs_build_info` shows beside the version, as SRS's `exporter` has it; empty: left out. */
export interface BuildLabels {
  readonly label: string;
  readonly tag: string;
}

/** SRS's ten metrics, with its names and units. Source: ossrs/srs trunk/src/app/srs_app_http_api.cpp, `SrsGoApiMetrics`. */
export function srsMetrics(
  view: ServerView,
  probe: SystemProbe,
  cpu: CpuSample,
  totals: ServerTotals,
  { label, tag }: BuildLabels,
): Metric[] {
  const host = probe.host();
  const build = {
    server: view.serverId,
    service: view.serviceId,
    pid: String(view.pid),
    major: view.version.split(".")[0] ?? "0",
    version: view.version,
    code: "Headwater",
    ...(label === "" ? {} : { label }),
    ...(tag === "" ? {} : { tag }),
  };
  const residentBytes = cpu.process?.residentBytes ?? 0;
  return [
    gauge(
      "srs_node_uname_info",
      "The machine, as reported by uname.",
      host === undefined ? [] : [{ labels: { ...host }, value: 1 }],
    ),
    gauge("srs_build_info", "Version and identity of this process.", [{ labels: build, value: 1 }]),
    gauge("srs_cpu_percent", "CPU usage, in percent of one core.", cpu.processShare * 100),
    gauge("srs_memory", "Resident memory, in kilobytes.", Math.round(residentBytes / 1024)),
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
  ];
}
