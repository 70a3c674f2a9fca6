/** What one load process does. */
export type LoadTask =
  /** One stream that carries its send times, and probes that play it, each at a port. */
  | {
    readonly kind: "measured";
    readonly port: number;
    readonly kbps: number;
    readonly probePorts: readonly number[];
  }
  | PublishersTask
  | PlayersTask
  /** Plain sockets that read what comes. */
  | { readonly kind: "sinks"; readonly port: number; readonly count: number }
  /** The backend of a server's HTTP hooks, which lets everybody in. */
  | { readonly kind: "hooks"; readonly port: number };

/** Connections that are begun together. */
export interface Crowd {
  readonly count: number;
  /** Number of the first one. */
  readonly first?: number;
  /** How many are begun a second. */
  readonly rate: number;
  /** How long each may take until it does what it is there for; who takes longer has failed, and the others go on. */
  readonly limitMs?: number;
}

/** A crowd of publishers. */
export interface PublishersTask extends Crowd {
  readonly kind: "publishers";
  readonly port: number;
  readonly kbps: number;
}

/** A crowd of players. Over HTTP-FLV the first one reads as soon as something is there. */
export interface PlayersTask extends Crowd {
  readonly kind: "players" | "flv";
  readonly port: number;
  /** Play so many of the publishers' streams, by turns, and not the measured one. */
  readonly streams?: number;
  /** How often each looks for bytes, in milliseconds. */
  readonly readEveryMs: number;
  /** They come by TLS, and trust this certificate, in PEM. */
  readonly caCert?: string | undefined;
}

/** What a load process has seen so far, and since the last snapshot. */
export interface LoadSnapshot {
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Connections that have failed. */
  readonly failed: number;
  /** Why the first one did. */
  readonly reason: string | undefined;
  /** From TCP connect to the first media message, in milliseconds. */
  readonly firstMediaMs: readonly number[];
  /** From a message's sending to its arrival at a probe, in milliseconds, since the last snapshot: a list a probe. */
  readonly delaysMs: readonly (readonly number[])[];
  /** Reads of one probe, since the last snapshot. */
  readonly probeReads: number;
}

/** The part of a snapshot that a kind of load has something to say about. */
export type Load = () => Partial<LoadSnapshot>;
