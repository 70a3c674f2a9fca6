import { getLogger } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import type { Clock } from "../base/clock.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import type { UpstreamTraffic } from "../base/upstream_traffic.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import { followRedirects, isConnectionFailure, type UpstreamResult } from "../upstream/follow_redirects.ts";
import { pause } from "../upstream/pause.ts";
import type { Dial, UpstreamSession } from "../upstream/upstream_connection.ts";
import { UpstreamPublish } from "../upstream/upstream_publish.ts";
import type { UpstreamTarget } from "../upstream/upstream_target.ts";
import type { Amf0Object } from "../wire/amf0.ts";
import { ForwardPause } from "./forward_pause.ts";
import { withoutSecrets } from "./without_secrets.ts";

const log = getLogger(["headwater", "forward"]);

/** How long TCP and TLS may take, and then the first byte, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5000;
/** How long the other server may take to accept the stream, to take bytes, and to answer a ping, in milliseconds. */
const PATIENCE_MS = 10_000;
/**
 * For so long after a connection was lost the other server may take the stream for published still, in milliseconds; and after the
 * beginning: the publisher may have come from another node, which forwarded it until then.
 */
const BUSY_GRACE_MS = 60_000;

/** One place that one stream is forwarded to. */
export interface ForwardTarget extends UpstreamTarget {
  /** What it is called in logs and the API. */
  readonly name: string;
  /** Its URL without what may be secret. */
  readonly shownUrl: string;
  /** What may be secret in it: cut out of whatever is said of it. */
  readonly secrets: readonly string[];
  readonly dial: Dial;
  readonly session: UpstreamSession;
}

export interface ForwardOptions {
  readonly stream: LiveStream;
  readonly target: ForwardTarget;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly traffic: UpstreamTraffic;
  /** The players' scheduler gathers for this cursor as for any. */
  readonly onBehind: (cursor: PlayerCursor) => void;
  /** Whether the server that answers is this one, by what it says of itself. */
  readonly isSelf: (server: Amf0Object) => boolean;
}

/** What a forward does now. */
export type ForwardState = "connecting" | "forwarding" | "waiting";

/** Sends one stream to one other server for as long as it is published here. Whatever happens there, the publisher does not notice. */
export class Forward {
  readonly target: ForwardTarget;
  readonly stream: LiveStream;
  state: ForwardState = "connecting";
  /** Since when it is in that state, milliseconds since 1970. */
  stateSinceMs: number;
  /** Tries after the first. */
  retries = 0;
  sentBytes = 0;
  /** Why it failed last; undefined: never. */
  lastError: string | undefined;
  readonly #options: ForwardOptions;
  readonly #abort = new AbortController();
  /** Ends what is still being said. */
  readonly #cut = new AbortController();
  /** Resolves when nothing is left of it. */
  readonly ended: Promise<void>;
  readonly #pause: ForwardPause;
  #connection: UpstreamPublish | undefined;
  /** When it began, or was lost last, by the clock. */
  #lostAtMs: number;
  #wordlessRefusals = 0;
  #isComplaining = false;

  constructor(options: ForwardOptions) {
    this.#options = options;
    this.target = options.target;
    this.stream = options.stream;
    this.#pause = new ForwardPause(options.random);
    this.stateSinceMs = options.wallNow();
    this.#lostAtMs = options.clock.now();
    this.ended = this.#run().catch((error) => {
      log.error("Forward ended: internal error", { stream: this.stream.key, to: this.target.name, error });
    });
  }

  /** Ends it at once. */
  cut(): void {
    this.#cut.abort();
    this.close(false);
  }

  /**
   * Ends it.
   *
   * @param isOver Whether the publisher has said that the stream is over, which the other server is told then: platforms end a broadcast by
   *   that. Else the connection just ends, and the stream may go on by another.
   */
  close(isOver: boolean): void {
    this.#abort.abort();
    const connection = this.#connection;
    if (connection === undefined) return;
    if (isOver) inBackground(connection.finish(this.#cut.signal), "ending a forward");
    else connection.breakOff();
  }

  async #run(): Promise<void> {
    const { clock, target } = { ...this.#options };
    const { signal } = this.#abort;
    for (; !signal.aborted; this.retries++) {
      this.#enter("connecting");
      const result = await followRedirects(target, (place) => this.#publish(place), () => {});
      if (signal.aborted) break;
      const heldMs = result.kind === "held" ? result.heldMs : 0;
      if (result.kind === "held") this.#lostAtMs = clock.now();
      const error = result.error ?? new RtmpError("connection-lost", "the connection was closed");
      const pauseMs = this.#pause.next(heldMs, this.#isRefusal(result.kind === "held" ? undefined : error));
      this.#complain(error, pauseMs, heldMs > 0);
      this.#enter("waiting");
      await pause(clock, pauseMs, signal);
    }
    log.info("Forward stopped", { stream: this.stream.key, to: target.name, sentBytes: this.sentBytes });
  }

  async #publish(place: UpstreamTarget): Promise<UpstreamResult> {
    const { stream, target, clock, traffic, onBehind, isSelf } = this.#options;
    const { dial, session } = target;
    let selfError: RtmpError | undefined;
    const connection = new UpstreamPublish({
      stream,
      target: place,
      dial,
      session,
      clock,
      traffic: this.#counted(traffic),
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      patienceMs: PATIENCE_MS,
      isForward: true,
      onBehind,
      onConnected: (server) => {
        if (!isSelf(server)) return;
        selfError = new RtmpError(
          "relay-loop",
          `Cannot forward to ${target.name}: that is this server itself`,
        );
        connection.breakOff();
      },
      onStarted: () => {
        this.#enter("forwarding");
        this.#wordlessRefusals = 0;
        this.#isComplaining = false;
        log.info("Forward started", { stream: stream.key, to: target.name, url: target.shownUrl });
      },
    });
    this.#connection = connection;
    if (this.#abort.signal.aborted) connection.breakOff();
    try {
      const result = await connection.run();
      return selfError === undefined ? result : { kind: "failed", error: selfError };
    } finally {
      this.#connection = undefined;
    }
  }

  /** A server that closes without a word may just have been stopped: only when it does so again it is a refusal. */
  #isRefusal(error: RtmpError | undefined): boolean {
    if (error === undefined || isConnectionFailure(error)) return false;
    if (error.code === "stream-busy") return this.#options.clock.now() - this.#lostAtMs > BUSY_GRACE_MS;
    if (error.code === "remote-refused" && /closed the connection$/.test(error.message)) {
      return ++this.#wordlessRefusals > 1;
    }
    return true;
  }

  #enter(state: ForwardState): void {
    this.state = state;
    this.stateSinceMs = this.#options.wallNow();
  }

  /** What fails again and again is said once, until it has gone well. */
  #complain(error: RtmpError, pauseMs: number, hadBegun: boolean): void {
    const before = this.lastError;
    this.lastError = this.#withoutSecrets(errorText(error));
    const isNews = hadBegun || !this.#isComplaining || before !== this.lastError;
    this.#isComplaining = true;
    log[isNews ? "warn" : "debug"](hadBegun ? "Forward lost; retrying" : "Cannot forward; retrying", {
      stream: this.stream.key,
      to: this.target.name,
      url: this.target.shownUrl,
      reason: this.lastError,
      pauseMs: Math.round(pauseMs),
    });
  }

  /** Other servers like to repeat what they were asked for. */
  #withoutSecrets(text: string): string {
    return withoutSecrets(text, this.target.secrets);
  }

  /** Counts what is sent here too. */
  #counted(total: UpstreamTraffic): UpstreamTraffic {
    const count = (bytes: number) => this.sentBytes += bytes;
    return {
      get receivedBytes() {
        return total.receivedBytes;
      },
      set receivedBytes(bytes) {
        total.receivedBytes = bytes;
      },
      get sentBytes() {
        return total.sentBytes;
      },
      set sentBytes(bytes) {
        count(bytes - total.sentBytes);
        total.sentBytes = bytes;
      },
    };
  }
}
