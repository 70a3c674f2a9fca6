import type { Clock } from "../base/clock.ts";
import type { Config } from "../config/config.ts";
import { summariesData } from "../http/api/summaries_routes.ts";
import { CpuSampler } from "../http/metrics/cpu_sampler.ts";
import type { ServerView } from "../http/server_view.ts";
import type { HttpPoster } from "../net/http_post.ts";
import { DenoSystemProbe } from "./deno_system_probe.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { NodeAddresses } from "./ports.ts";
import { publicAddress } from "./public_address.ts";

export interface NodeHeartbeatOptions {
  readonly view: ServerView;
  readonly config: () => Config;
  readonly addresses: NodeAddresses;
  readonly http: HttpPoster;
  readonly clock: Clock;
}

/** The heartbeat of a node. */
export function newHeartbeat({ view, config, addresses, http, clock }: NodeHeartbeatOptions): Heartbeat {
  const probe = new DenoSystemProbe();
  const cpu = new CpuSampler(probe, view.startedAtMs);
  return new Heartbeat({
    node: view,
    config,
    addresses,
    publicAddress,
    summaries: () => summariesData(view, probe, cpu, Date.now()),
    post: http.post.bind(http),
    clock,
  });
}
