import type { LiveStreamOptions } from "../hub/live_stream.ts";

/** What the configuration says of one vhost, as far as the server needs it. Read anew for each connection, so that reloads count. */
export interface VhostSettings {
  readonly name: string;
  readonly stream: LiveStreamOptions;
  /** Acknowledge by this window until the peer names one, in bytes. */
  readonly inAckSize: number;
  /** The window told to the peer, in bytes; 0: none. */
  readonly outAckSize: number;
  /** How long the first message after Publish.Start may take, in milliseconds. */
  readonly firstPacketTimeoutMs: number;
  /** Longest silence of a publisher after that, in milliseconds. */
  readonly normalTimeoutMs: number;
  /** End a publisher whom nobody has played for so long, in milliseconds; 0: never. */
  readonly idlePublisherTimeoutMs: number;
  /** A second publisher of a stream replaces the first instead of being refused. */
  readonly takeover: boolean;
  /** Pause between two reads of a publisher, in milliseconds; "auto": only under load. */
  readonly readPauseMs: number | "auto";
}

/** Finds a vhost's settings: exact name, else the default vhost's, else undefined. */
export type FindVhost = (name: string) => VhostSettings | undefined;
