/** What one load process does. */
export type LoadTask =
  /** One stream that carries its send times, and probes that play it, each at a port. */
  | {
    readonly kind: "measured";
    readonly port: number;
    readonly kbps: number;
    readonly probePorts: readonly number[];
  }
  | { readonly kind: "publishers"; readonly port: number; readonly kbps: number; readonly count: number }
  /** Players of the measured stream; with `streams`, as many of each of the publishers' streams. */
  | { readonly kind: "players"; readonly port: number; readonly count: number; readonly streams?: number }
  /** Readers of HTTP-FLV; the first reads as soon as something is there. */
  | { readonly kind: "flv"; readonly port: number; readonly count: number }
  /** Plain sockets that read what comes. */
  | { readonly kind: "sinks"; readonly port: number; readonly count: number };

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
