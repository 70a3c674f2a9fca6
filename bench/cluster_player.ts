import { SYSTEM_CLOCK } from "../lib/base/clock.ts";
import { UpstreamConnection } from "../lib/upstream/upstream_connection.ts";
import { type ByteDuplex, dialTcp } from "../lib/net/tcp.ts";
import { DEFAULT_WIRE_LIMITS } from "../lib/wire/limits.ts";
import { MESSAGE_TYPE } from "../lib/wire/message_type.ts";

/** What a player waits for. */
export type PlayOutcome = "redirect" | "media" | "refused";

const CONNECT_TIMEOUT_MS = 5000;
const PLAY = new TextEncoder().encode("\x02\x00\x04play");

/**
 * One player over a real socket, that holds its `play` back until it is told: only what comes after it is measured.
 */
export class ClusterPlayer {
  readonly #connection: UpstreamConnection;
  readonly #ready = Promise.withResolvers<void>();
  readonly #go = Promise.withResolvers<void>();
  readonly #outcome = Promise.withResolvers<{ outcome: PlayOutcome; atMs: number }>();
  #begunMs = 0;

  /** @param isSrs Says in `connect` that it follows redirects, as an SRS edge does. */
  private constructor(port: number, stream: string, isSrs: boolean) {
    this.#connection = new UpstreamConnection({
      dial: async (address, timeoutMs) => this.#held(await dialTcp(address, timeoutMs)),
      clock: SYSTEM_CLOCK,
      traffic: { receivedBytes: 0, sentBytes: 0 },
      purpose: "play",
      target: {
        address: { hostname: "127.0.0.1", port },
        tcUrl: `rtmp://127.0.0.1:${port}/live`,
        app: "live",
        streamName: stream,
      },
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      session: {
        pageUrl: "",
        swfUrl: "",
        // Enhanced RTMP says that a client can be told to connect elsewhere: the one who is relayed to can't.
        isEnhanced: false,
        argumentsObject: isSrs ? { srs_sig: "SRS", srs_server: "SRS/5.0.213", srs_pid: 1 } : undefined,
        limits: DEFAULT_WIRE_LIMITS,
        randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
      },
      onEvent: (event) => {
        const atMs = performance.now();
        if (event.kind === "media" && event.typeId !== MESSAGE_TYPE.data) {
          this.#outcome.resolve({ outcome: "media", atMs });
        }
      },
    });
    this.#outcome.promise.catch(() => {
      // Told to who waits for it.
    });
  }

  /** Connects, and creates a message stream. */
  static async connect(port: number, stream: string, isSrs: boolean): Promise<ClusterPlayer> {
    const player = new ClusterPlayer(port, stream, isSrs);
    player.#connection.run().then((error) => {
      const atMs = performance.now();
      const isRedirect = player.#connection.redirectUrl !== undefined;
      if (isRedirect) player.#outcome.resolve({ outcome: "redirect", atMs });
      else if (error?.code === "stream-not-found") player.#outcome.resolve({ outcome: "refused", atMs });
      player.#ready.reject(error);
      player.#outcome.reject(error);
    });
    await player.#ready.promise;
    return player;
  }

  /**
   * Sends `play`, and leaves when it has its answer.
   *
   * @returns Milliseconds from the write of `play`.
   * @throws {Error} When the answer is another one.
   */
  async play(expected: PlayOutcome): Promise<number> {
    this.#go.resolve();
    try {
      const { outcome, atMs } = await this.#outcome.promise;
      if (outcome !== expected) {
        throw new Error(`Cannot measure: play gives ${outcome}, expected ${expected}`);
      }
      return atMs - this.#begunMs;
    } finally {
      this.#connection.close();
    }
  }

  #held(duplex: ByteDuplex): ByteDuplex {
    return {
      ...duplex,
      write: async (bytes) => {
        if (isPlay(bytes)) {
          this.#ready.resolve();
          await this.#go.promise;
          this.#begunMs = performance.now();
        }
        return await duplex.write(bytes);
      },
    };
  }
}

function isPlay(bytes: Uint8Array): boolean {
  return PLAY.every((byte, index) => bytes[FULL_HEADER_BYTES + index] === byte);
}

/** A chunk's basic header and its message header of type 0. */
const FULL_HEADER_BYTES = 12;
