import type { Logger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import type { Client } from "./client.ts";
import type { Activity, ClientEnd, ClientListener } from "./client_events.ts";

/** A line for each thing that happens in a client's life. A player over HTTP does one thing, whose end is its own. */
export class ClientLog implements ClientListener {
  readonly #log: Logger;
  readonly #clock: Clock;

  constructor(log: Logger, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  opened({ protocol, logProperties }: Client): void {
    if (protocol === "rtmp") this.#log.debug("Connection opened", logProperties);
  }

  began({ protocol, type, logProperties }: Client, { kind, stream }: Activity): void {
    if (kind === "publish") {
      this.#log.info("Publish started", { ...logProperties, type });
    } else if (protocol === "rtmp") {
      this.#log.info("Play started", { ...logProperties, waiting: stream.feed === undefined });
    } else {
      const transport = protocol === "ws-flv" ? "websocket" : "http";
      this.#log.info("Play started", { ...logProperties, type, transport });
    }
  }

  stopped({ protocol, logProperties }: Client, { kind, startedMs, jumps }: Activity): void {
    if (kind === "publish") {
      const durationMs = Math.round(this.#clock.now() - startedMs);
      this.#log.info("Publish stopped", { ...logProperties, durationMs });
    } else if (protocol === "rtmp") {
      this.#log.info("Play stopped", { ...logProperties, jumps });
    }
  }

  closed(client: Client, { hasBegun, reason, durationMs }: ClientEnd): void {
    const { protocol, type, receiveBytes, sendBytes, jumps, logProperties } = client;
    const isRtmp = protocol === "rtmp";
    // A port scan or a health check that says nothing is no event.
    const isSilent = isRtmp && receiveBytes === 0;
    const message = isRtmp ? "Connection closed" : hasBegun ? "Play stopped" : "Play refused";
    this.#log[isSilent ? "debug" : "info"](message, {
      ...logProperties,
      type,
      reason: reason?.code ?? "closed-by-peer",
      ...(reason === undefined ? {} : { code: reason.srsCode, detail: reason.message }),
      durationMs: Math.round(durationMs),
      ...(isRtmp ? { receivedBytes: receiveBytes } : {}),
      sentBytes: sendBytes,
      jumps,
    });
  }
}
