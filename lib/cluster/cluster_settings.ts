import type { ConflictPolicy } from "./conflict.ts";

/** The part of a vhost's configuration that the knowledge of the cluster needs. */
export interface ClusterVhostSettings {
  /** `mode = "local"` and `origin_cluster = true`. */
  readonly isOriginCluster: boolean;
  /** `host:port` of HTTP APIs. */
  readonly coworkers: readonly string[];
  /** `host[:port]`, or empty. */
  readonly advertise: string;
  readonly pollIntervalMs: number;
  readonly queryTimeoutMs: number;
  /** Empty: nothing is signed. */
  readonly secret: string;
  readonly onConflict: ConflictPolicy;
}

/** What of a configuration concerns the cluster. */
export interface ClusterSettings {
  /** The first address that takes RTMP. */
  readonly rtmp: { readonly hostname?: string; readonly port: number };
  /** The first `http_api.listen`, as written or as bound; SRS's `api`. */
  readonly apiListen: string;
  /** Every enabled vhost by its name, also those that are in no cluster. */
  readonly vhosts: ReadonlyMap<string, ClusterVhostSettings>;
}
