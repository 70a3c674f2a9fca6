import type { LiveStreamOptions } from "../hub/live_stream.ts";
import type { VhostRole } from "./vhost_role.ts";

/** What the configuration says of one vhost's HTTP-FLV and WebSocket-FLV. */
export interface FlvSettings {
  readonly isEnabled: boolean;
  /** The URL of a stream, such as `[vhost]/[app]/[stream].flv`. */
  readonly mount: string;
  /** Set the header's flags by what the stream has. */
  readonly guessHasAv: boolean;
  /** The flags where they are not guessed. */
  readonly hasAudio: boolean;
  readonly hasVideo: boolean;
  /** Leave out what the flags say is not there. */
  readonly dropIfNotMatch: boolean;
  /** How long a request may wait for a stream that is not there yet, in milliseconds. */
  readonly waitMs: number;
}

/** What the configuration says of one vhost, as far as the server needs it. Read anew for each connection, so that reloads count. */
export interface VhostSettings {
  readonly name: string;
  readonly role: VhostRole;
  /** `cluster.secret`: who knows it is another node; empty: there is none. */
  readonly clusterSecret: string;
  /** It serves requests for several vhosts, whose streams are to be kept apart: see `requestKey`. */
  readonly separatesVhosts: boolean;
  readonly stream: LiveStreamOptions;
  readonly flv: FlvSettings;
  /** RTMP connections send small writes at once. */
  readonly noDelay: boolean;
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
