import { createHash } from "node:crypto";
import { Hono } from "hono";
import type { RtmpError } from "../../lib/base/errors.ts";
import { Cluster } from "../../lib/cluster/cluster.ts";
import { ClusterReport } from "../../lib/cluster/cluster_report.ts";
import type { ClusterSettings, ClusterVhostSettings } from "../../lib/cluster/cluster_settings.ts";
import type { NodeStream } from "../../lib/cluster/node_streams.ts";
import type { OwnedStream } from "../../lib/cluster/owned_streams.ts";
import { addClustersRoutes } from "../../lib/http/api/clusters_routes.ts";
import { FakeClock } from "./fake_clock.ts";

/** When the fake clock says 0. */
export const START_MS = 1_700_000_000_000;

/** What happens to a request to an address. */
export type Host = ((request: Request) => Response | Promise<Response>) | "refuse" | "blackHole";

/** HTTP between nodes without sockets; addresses that nobody has refuse. */
export class ClusterNetwork {
  readonly clock: FakeClock = new FakeClock();
  readonly hosts = new Map<string, Host>();
  /** `METHOD URL` of each request, in order. */
  readonly requests: string[] = [];
  /** What names stand for. */
  readonly names = new Map<string, string[]>();
  #nonces = 0;

  /** To be given to nodes: `fetch` that takes no time of the clock. */
  fetch = async (url: string, init: RequestInit): Promise<Response> => {
    this.requests.push(`${init.method} ${url}`);
    const host = this.hosts.get(new URL(url).host) ?? "refuse";
    if (host === "blackHole") return await new Promise<never>(() => {});
    if (host === "refuse") throw new TypeError("connection refused");
    return await host(new Request(url, init));
  };

  resolveHost = (name: string): Promise<string[]> => {
    const addresses = this.names.get(name);
    return addresses === undefined
      ? Promise.reject(new Error(`ENOTFOUND ${name}`))
      : Promise.resolve(addresses);
  };

  wallNow = (): number => START_MS + this.clock.now();

  nonce = (): string => createHash("md5").update(String(this.#nonces++)).digest("hex");

  /** Moves time on in the steps that timers ask for, and lets whatever they began come to its end. */
  async advance(ms: number): Promise<void> {
    const endMs = this.clock.now() + ms;
    await idle();
    for (;;) {
      const { nextDelayMs } = this.clock;
      const leftMs = endMs - this.clock.now();
      if (nextDelayMs === undefined || nextDelayMs > leftMs) {
        await this.clock.advance(leftMs);
        return;
      }
      await this.clock.advance(Math.max(0, nextDelayMs));
      await idle();
    }
  }

  /** The requests since the last call, those that match. */
  takeRequests(pattern: RegExp = /^/): string[] {
    return this.requests.splice(0).filter((request) => pattern.test(request));
  }
}

/** Lets promises, and streams that hand their bytes on by macrotasks, come to rest. */
export async function idle(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise((resolve) => setTimeout(resolve, 0));
}

/** Settings of one clustered vhost. */
export function vhostSettings(
  coworkers: readonly string[],
  options: Partial<ClusterVhostSettings> = {},
): ClusterVhostSettings {
  return {
    isOriginCluster: true,
    coworkers,
    advertise: "",
    pollIntervalMs: 1000,
    queryTimeoutMs: 1000,
    secret: "",
    onConflict: "reject",
    ...options,
  };
}

export interface FakeNodeOptions {
  readonly settings?: Partial<ClusterSettings>;
  readonly vhost?: Partial<ClusterVhostSettings>;
  /** How much this node's clock is ahead. */
  readonly skewMs?: number;
}

/** A node with its cluster and its routes, at `10.0.0.N:1985` of a network. */
export class FakeNode {
  readonly address: string;
  readonly cluster: Cluster;
  readonly report: ClusterReport;
  readonly app: Hono = new Hono({ strict: false });
  /** What it tells of its streams. */
  streams: NodeStream[] = [];
  readonly lost: { stream: OwnedStream; reason: RtmpError }[] = [];
  readonly wallNow: () => number;
  #connections = 0;

  constructor(
    network: ClusterNetwork,
    index: number,
    coworkers: readonly string[],
    options: FakeNodeOptions = {},
  ) {
    this.address = `10.0.0.${index}:1985`;
    this.wallNow = () => network.wallNow() + (options.skewMs ?? 0);
    this.cluster = new Cluster({
      identity: { nodeId: `node-${index}`, bootId: `boot-${index}`, version: "0.1.0" },
      settings: {
        rtmp: { port: 1935 },
        apiListen: "1985",
        vhosts: new Map([["__defaultVhost__", vhostSettings(coworkers, options.vhost)]]),
        ...options.settings,
      },
      fetch: network.fetch,
      resolveHost: network.resolveHost,
      clock: network.clock,
      wallNow: this.wallNow,
      random: () => 0.5,
      nonce: network.nonce,
      onLost: (stream, reason) => this.lost.push({ stream, reason }),
    });
    const report = this.report = new ClusterReport({
      cluster: this.cluster,
      wallNow: this.wallNow,
      load: () => ({ clients: 3, streams: this.cluster.owned.size }),
      streams: () => this.streams,
      publicAddress: () => `10.0.0.${index}`,
    });
    addClustersRoutes(this.app, report);
    network.hosts.set(this.address, (request) => this.app.fetch(request));
  }

  /** Owns a stream without asking anybody. */
  own(stream: string, publishedAtMs: number = this.wallNow()): void {
    this.#connections += 1;
    this.cluster.own({
      vhost: "__defaultVhost__",
      app: "live",
      stream,
      publishedAtMs,
      connectionId: `connection-${this.#connections}`,
    });
  }

  /** Publishes as a server does: asks, then owns. */
  async publish(stream: string): Promise<void> {
    const claim = await this.cluster.checkPublish(query(stream));
    this.own(stream, claim.publishedAtMs);
  }

  owns(stream: string): boolean {
    return this.cluster.owned.get(`/live/${stream}`) !== undefined;
  }
}

/** A play of `rtmp://play.example/live/STREAM`. */
export function query(
  stream: string,
): { vhost: string; app: string; stream: string; host: string } {
  return { vhost: "__defaultVhost__", app: "live", stream, host: "play.example" };
}

/** A server that answers as SRS does; it owns the streams of the set. */
export function srsHost(streams: ReadonlySet<string>, endpoint = { ip: "10.0.0.9", port: 19_350 }): Host {
  return (request) => {
    const url = new URL(request.url);
    // SRS serves its index for every path under /api/v1/ that it does not have.
    if (url.pathname !== "/api/v1/clusters") {
      return Response.json({
        code: 0,
        server: "vid-x",
        service: "y",
        pid: "1",
        urls: { versions: "the version of SRS" },
      });
    }
    const parameters = url.searchParams;
    const [ip, vhost, app, stream] = ["ip", "vhost", "app", "stream"].map((name) =>
      parameters.get(name) ?? ""
    );
    const origin = streams.has(stream ?? "")
      ? { ...endpoint, vhost, api: `${endpoint.ip}:1985`, routers: [`${endpoint.ip}:1985`] }
      : null;
    return Response.json({ code: 0, data: { query: { ip, vhost, app, stream }, origin } });
  };
}
