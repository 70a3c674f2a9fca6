/**
 * What the HTTP API needs to know of the server it speaks for. The server hands in an object of this shape; all of it is read
 * anew for each request, so nothing here is kept.
 *
 * @module
 */

import type { TallySample } from "../base/tally.ts";
import type { RtmpErrorCode } from "../base/errors.ts";

/** Kilobits (1000 bits) per second over the last 30 seconds. */
export interface Kbps {
  readonly recv30s: number;
  readonly send30s: number;
}

/** What a stream's video is, as its sequence header says. Unknown numbers are 0, unknown names `Other`. */
export interface VideoSummary {
  /** `H264`, `HEVC`, `AV1`, `VP9`, `VP8`, `VP6`, `VVC` or `Other`. */
  readonly codec: string;
  /** Such as `High`, `Main`, `Baseline` or `Other`. */
  readonly profile: string;
  /** Such as `3.1`. */
  readonly level: string;
  readonly width: number;
  readonly height: number;
}

/** What a stream's audio is. Unknown numbers are 0, unknown names `Other`. */
export interface AudioSummary {
  /** `AAC`, `MP3`, `Opus`, `FLAC`, `AC3`, `EAC3` or `Other`. */
  readonly codec: string;
  /** In Hz. */
  readonly sampleRate: number;
  readonly channels: number;
  /** Such as `LC` or `HE`; `Other` for a codec without profiles. */
  readonly profile: string;
}

/** One live stream. It exists while it is published, pulled or played. */
export interface StreamSummary {
  /** Such as `vid-1a2b3c4`; another one when the stream comes back after its last client has left. */
  readonly id: string;
  readonly name: string;
  readonly vhostId: string;
  /** The name of the vhost; the default one is `__defaultVhost__`. */
  readonly vhost: string;
  readonly app: string;
  readonly tcUrl: string;
  /** The stream key: `[vhost]/app/stream`. */
  readonly url: string;
  /** Publisher and players. */
  readonly clients: number;
  /** Players, other nodes of ours not counted. */
  readonly viewers: number;
  /** Video frames that have come in. */
  readonly frames: number;
  /** Video frames that came in per second, over 30 seconds. */
  readonly fps: number;
  readonly sendBytes: number;
  readonly receiveBytes: number;
  readonly kbps: Kbps;
  readonly publish: {
    /** False while the stream only has players that wait. */
    readonly active: boolean;
    /** Id of the client that publishes; absent where no client does (a pull from another node). */
    readonly clientId?: string;
  };
  readonly video: VideoSummary | null;
  readonly audio: AudioSummary | null;
  /** Media time between the last two key frames; absent before there were two. */
  readonly keyFrameIntervalMs?: number;
  /** What the encoder calls itself in the metadata; absent where it does not. */
  readonly program?: string;
}

/** What a client does, in SRS's words. */
export type ClientType =
  | "rtmp-play"
  | "flv-play"
  | "fmle-publish"
  | "flash-publish"
  | "haivision-publish"
  | "Unknown";

/** One connection that publishes or plays. */
export interface ClientSummary {
  /** The connection's id, 7 or 8 characters, the same as in logs and hooks. */
  readonly id: string;
  readonly vhostId: string;
  readonly streamId: string;
  readonly ip: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly tcUrl: string;
  /** The stream key. */
  readonly url: string;
  readonly name: string;
  readonly type: ClientType;
  readonly isPublisher: boolean;
  /** Milliseconds since 1970. */
  readonly connectedAtMs: number;
  readonly sendBytes: number;
  readonly receiveBytes: number;
  readonly kbps: Kbps;
  /** How often this player fell too far behind and was moved on to a newer key frame. */
  readonly jumps: number;
}

/** One configured vhost. */
export interface VhostSummary {
  /** Such as `vid-1a2b3c4`. */
  readonly id: string;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly clients: number;
  readonly streams: number;
  readonly sendBytes: number;
  readonly receiveBytes: number;
  readonly kbps: Kbps;
}

/** Counts of the whole process since its start, and what it holds now. */
export interface ServerTotals {
  readonly receiveBytes: number;
  readonly sendBytes: number;
  /** Sockets open now, those included that have not said yet what they want. */
  readonly connections: number;
  readonly streams: number;
  /** Clients publishing or playing now. */
  readonly clients: number;
  readonly players: number;
  readonly clientsTotal: number;
  /** Clients that were refused, or whose connection ended by a failure and not by a goodbye. */
  readonly clientErrorsTotal: number;
  /** How often players were moved on to a newer key frame. */
  readonly jumpsTotal: number;
  /** Failures by code. */
  readonly errorsTotal: Iterable<readonly [code: RtmpErrorCode, count: number]>;
  /** What went wrong in the process itself; absent where nobody counts it. */
  readonly faults?: {
    /** Errors that nobody expected. */
    readonly unexpectedErrorsTotal: number;
    /** Log lines lost because they could not be written. */
    readonly logLinesLostTotal: number;
  };
  /** Of streams that are sent on to other servers; absent where none ever was. */
  readonly forwards?: {
    readonly byState: Readonly<Record<ForwardSummary["state"], number>>;
    readonly retriesTotal: number;
    readonly sentBytesTotal: number;
  };
  /** Clients that access control has refused, and what came of calls of hooks. */
  readonly access?: {
    readonly refusedTotal: readonly TallySample[];
    readonly hookCallsTotal: readonly TallySample[];
  };
  /** Of each part that speaks TLS, when its certificate ends, in milliseconds since 1970. Absent where none does. */
  readonly certificates?: readonly { readonly section: string; readonly expiresAtMs: number }[];
  /** Absent outside a cluster. */
  readonly cluster?: {
    readonly nodesUp: number;
    readonly nodesDown: number;
    /** Attempts to pull a stream again from another node. */
    readonly pullRetriesTotal: number;
  };
}

/** Whether new clients should be sent here. */
export type Readiness = { readonly isReady: true } | { readonly isReady: false; readonly reason: string };

/** A stream that is sent on to another server. Nothing in it is secret. */
export interface ForwardSummary {
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** The destination, as it is configured or by its address. */
  readonly to: string;
  /** With `***` for the key. */
  readonly url: string;
  readonly state: "connecting" | "forwarding" | "waiting";
  /** Milliseconds since 1970. */
  readonly stateSinceMs: number;
  readonly sentBytes: number;
  /** Tries after the first. */
  readonly retries: number;
  /** Why it failed last; absent: it never did. */
  readonly lastError?: string;
}

/** How far a server has come that is being taken out of service. */
export interface DrainSummary {
  readonly state: "off" | "announced" | "draining" | "closing" | "drained";
  /** Milliseconds since 1970; absent while it is off. */
  readonly startedAtMs?: number;
  readonly graceEndsAtMs?: number;
  /** Clients that were asked to go to another node. */
  readonly movedPublishers: number;
  readonly movedPlayers: number;
  /** Clients that were ended after the grace. */
  readonly closedPublishers: number;
  readonly closedPlayers: number;
  /** Those who publish or play now. */
  readonly publishers: number;
  readonly players: number;
}

/** The last minutes of a stream, a number for each second, oldest first; null: nobody fed it. */
export interface StreamHistory {
  readonly intervalMs: number;
  /** When the last second began, in milliseconds since 1970. */
  readonly endMs: number;
  /** Kilobits per second that came in. */
  readonly kbps: readonly (number | null)[];
  /** Video frames per second that came in. */
  readonly fps: readonly (number | null)[];
  /** How many key frames came in. */
  readonly keyFrames: readonly (number | null)[];
}

/** A warning or an error of the log. Nothing in it is secret. */
export interface RecentLogLine {
  /** Milliseconds since 1970. */
  readonly atMs: number;
  readonly level: "warning" | "error" | "fatal";
  /** Such as `headwater.cluster`. */
  readonly category: string;
  readonly message: string;
  readonly properties: Readonly<Record<string, string | number | boolean | null>>;
}

/** The last of them, newest last. */
export interface RecentLog {
  readonly lines: readonly RecentLogLine[];
  /** How many older ones are no longer kept. */
  readonly dropped: number;
}

/** A running server, seen from its HTTP API. */
export interface ServerView {
  /** Such as `vid-1a2b3c4`; outlives a restart. */
  readonly serverId: string;
  /** 8 characters, new with each start. */
  readonly serviceId: string;
  readonly pid: number;
  /** Such as `0.1.0`. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly startedAtMs: number;
  /** In a stable order, so that pages of a listing fit together. */
  streams(): Iterable<StreamSummary>;
  stream(id: string): StreamSummary | undefined;
  /** Undefined for a stream that there is not, or that has just begun. */
  history(streamId: string): StreamHistory | undefined;
  /** In a stable order. */
  clients(): Iterable<ClientSummary>;
  client(id: string): ClientSummary | undefined;
  vhosts(): Iterable<VhostSummary>;
  vhost(id: string): VhostSummary | undefined;
  /** Closes a client's connection; false where that client has none (any more). */
  kick(clientId: string): boolean;
  totals(): ServerTotals;
  readiness(): Readiness;
  drain(): DrainSummary;
  /** In a stable order. */
  forwards(): Iterable<ForwardSummary>;
  /** The last warnings and errors of the log. */
  recentLog(): RecentLog;
}
