/// <reference lib="dom" />
import type { SummariesJson } from "../../http/api/summaries_routes.ts";
import type { EnvelopeJson } from "../../http/middleware/answer.ts";
import { byId, setText } from "../dom.ts";
import { bytes, duration, percent, plural, rate } from "./format.ts";
import { withUnit } from "./table.ts";

const KEPT_POINTS = 60;
const CHART_WIDTH = 120;
const CHART_HEIGHT = 36;

/** The top of the page: this server, and what goes in and out of it. */
export class SummaryTiles {
  readonly #incoming = new FlowTile("in");
  readonly #outgoing = new FlowTile("out");

  show({ server, data }: EnvelopeJson & SummariesJson): void {
    const { self, system, now_ms: nowMs } = data;
    setText(byId("version"), self.version);
    setText(byId("server"), `${server} · process ${self.pid} · up ${duration(self.srs_uptime)}`);
    this.#incoming.show(system.srs_recv_bytes, nowMs);
    this.#outgoing.show(system.srs_send_bytes, nowMs);
    withUnit(byId("tile-cpu"), [percent(self.cpu_percent), "%"]);
    const cores = `${plural(system.cpus, "core", "cores")}, load ${system.load_1m.toFixed(2)}`;
    setText(byId("tile-cpu-note"), system.cpus ? cores : "of one core");
    withUnit(byId("tile-memory"), bytes(self.mem_kbyte * 1024));
    const memory = bytes(system.mem_ram_kbyte * 1024).join(" ");
    setText(byId("tile-memory-note"), system.mem_ram_kbyte ? `of ${memory}` : "resident");
    setText(byId("tile-clients-note"), plural(system.conn_srs, "connection", "connections"));
  }
}

/** A rate with its chart, from the totals of bytes between two polls. */
class FlowTile {
  readonly #name: "in" | "out";
  readonly #points: number[] = [];
  #previous: { readonly nowMs: number; readonly total: number } | undefined;

  constructor(name: "in" | "out") {
    this.#name = name;
  }

  show(total: number, nowMs: number): void {
    const previous = this.#previous;
    this.#previous = { nowMs, total };
    if (previous !== undefined && nowMs > previous.nowMs) {
      this.#points.push(Math.max(0, total - previous.total) * 8 / (nowMs - previous.nowMs));
      if (this.#points.length > KEPT_POINTS) this.#points.shift();
    }
    const last = this.#points.at(-1);
    if (last !== undefined) withUnit(byId(`tile-${this.#name}`), rate(last));
    setText(byId(`tile-${this.#name}-note`), `${bytes(total).join(" ")} since the start`);
    draw(byId(`chart-${this.#name}`), this.#points);
  }
}

function draw(chart: Element, points: readonly number[]): void {
  const top = Math.max(...points, 1) * 1.15;
  const step = CHART_WIDTH / (KEPT_POINTS - 1);
  const left = CHART_WIDTH - (points.length - 1) * step;
  const line = points.map((point, index) => {
    const y = CHART_HEIGHT - CHART_HEIGHT * point / top;
    return `${index === 0 ? "M" : "L"}${(left + index * step).toFixed(1)} ${y.toFixed(1)}`;
  }).join("");
  const area = `${line}L${CHART_WIDTH} ${CHART_HEIGHT}L${left.toFixed(1)} ${CHART_HEIGHT}Z`;
  chart.querySelector(".line")?.setAttribute("d", points.length > 1 ? line : "");
  chart.querySelector(".area")?.setAttribute("d", points.length > 1 ? area : "");
}
