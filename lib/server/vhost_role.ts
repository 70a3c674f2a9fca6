import type { DialAddress } from "../net/tcp.ts";

/** `cluster.redirect`: how players get to a stream of a coworker. */
export type RedirectMode = "auto" | "302" | "relay";

/** What a vhost is, each with the settings of its own. */
export type VhostRole = LoneRole | ClusterRole | EdgeRole;

/** An origin by itself: every stream of the vhost is here. */
export interface LoneRole {
  readonly kind: "lone";
}

/** An origin of a cluster: streams of the vhost are here or at a coworker. */
export interface ClusterRole {
  readonly kind: "cluster";
  readonly redirect: RedirectMode;
  /** How long a play may wait for a stream that no node has, in milliseconds. */
  readonly waitMs: number;
  /** How long a relay stays after its last player, in milliseconds. */
  readonly lingerMs: number;
}

/** An edge: streams of the vhost are pulled from origins and pushed to them. */
export interface EdgeRole {
  readonly kind: "edge";
  readonly origins: readonly DialAddress[];
  /** The vhost at the origin; `[vhost]` stands for ours. */
  readonly vhostTemplate: string;
  readonly tokenTraverse: boolean;
  readonly debugUpnode: boolean;
  /** How long a pull stays after its last player, in milliseconds. */
  readonly lingerMs: number;
  /** How long a player may wait for a stream that no origin has, in milliseconds; 0: for ever. */
  readonly streamWaitMs: number;
}
