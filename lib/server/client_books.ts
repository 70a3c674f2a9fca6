import type { RtmpErrorCode } from "../base/errors.ts";
import type { Client } from "./client.ts";
import type { Activity, ClientEnd, ClientListener } from "./client_events.ts";

/** Counts of a server's life. */
export interface ServerCounters {
  clientsTotal: number;
  clientErrorsTotal: number;
  /** Of connections that have ended. */
  closedReceiveBytes: number;
  closedSendBytes: number;
  closedJumps: number;
  /** The same bytes by the vhost that they asked for. */
  readonly closedByVhost: Map<string, { receiveBytes: number; sendBytes: number }>;
  readonly errors: Map<RtmpErrorCode, number>;
}

/** Ends that are nobody's failure. */
const GOODBYES: ReadonlySet<RtmpErrorCode> = new Set([
  "kicked",
  "redirected",
  "play-duration",
  "shutting-down",
  "taken-over",
  "media-changed",
]);

/** Counts clients for the API and the metrics. One that was refused is a client that failed, as in SRS; one that never asked for anything is none. */
export class ClientBooks implements ClientListener {
  readonly counters: ServerCounters = {
    clientsTotal: 0,
    clientErrorsTotal: 0,
    closedReceiveBytes: 0,
    closedSendBytes: 0,
    closedJumps: 0,
    closedByVhost: new Map(),
    errors: new Map(),
  };

  began(_client: Client, _activity: Activity, isFirst: boolean): void {
    if (isFirst) this.counters.clientsTotal++;
  }

  closed(client: Client, { hasAsked, hasBegun, reason }: ClientEnd): void {
    const { counters } = this;
    counters.closedReceiveBytes += client.receiveBytes;
    counters.closedSendBytes += client.sendBytes;
    counters.closedJumps += client.jumps;
    if (reason !== undefined) this.countError(reason.code);
    if (!hasAsked) return;
    if (!hasBegun) counters.clientsTotal++;
    if (reason !== undefined && !GOODBYES.has(reason.code)) counters.clientErrorsTotal++;
    if (client.vhost === undefined) return;
    const { name } = client.vhost;
    const closed = counters.closedByVhost.get(name) ?? { receiveBytes: 0, sendBytes: 0 };
    closed.receiveBytes += client.receiveBytes;
    closed.sendBytes += client.sendBytes;
    counters.closedByVhost.set(name, closed);
  }

  countError(code: RtmpErrorCode): void {
    this.counters.errors.set(code, (this.counters.errors.get(code) ?? 0) + 1);
  }
}
