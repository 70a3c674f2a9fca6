import type { LiveStream } from "../hub/live_stream.ts";
import { RtmpError } from "../base/errors.ts";
import { FORWARD_CHUNK_SIZE, LOG_MESSAGE_STREAM_ID } from "../hub/output_format.ts";
import type { FeedInfo } from "../hub/stream_feed.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";

import type { UpstreamResult } from "./follow_redirects.ts";
import type { Amf0Object } from "../wire/amf0.ts";
import { pause } from "./pause.ts";
import { UpstreamConnection, type UpstreamEndpoint, type UpstreamEvent } from "./upstream_connection.ts";

/** How long the rest of a stream that is over may take, in milliseconds, and how often it is looked whether it is out. */
const LAST_WORDS_MS = 1000;
const LAST_WORDS_LOOK_MS = 20;

export interface UpstreamPublishOptions extends UpstreamEndpoint {
  readonly stream: LiveStream;
  /** Send small chunks, and begin with the headers and the next key frame, as platforms expect; default: the stream as players get it. */
  readonly isForward?: boolean;
  /**
   * How long the other server may take from TCP to Publish.Start, then to take bytes, and to answer a ping, which waits its turn behind
   * the media, in milliseconds.
   */
  readonly patienceMs: number;
  /** There is media left to write: the players' scheduler gathers for this cursor as for any. */
  readonly onBehind: (cursor: PlayerCursor) => void;
  /** The other server has let us in; what it said of itself. */
  readonly onConnected?: (server: Amf0Object) => void;
  /** The other server has said Publish.Start. */
  readonly onStarted: (to: string) => void;
}

/**
 * One connection that publishes a stream of ours to another server, to its end. The stream is sent from the codec headers and the
 * last key frame on, by a cursor like any player's.
 */
export class UpstreamPublish {
  readonly #options: UpstreamPublishOptions;
  readonly #connection: UpstreamConnection;
  readonly #begunMs: number;
  #startedMs: number | undefined;
  #cursor: PlayerCursor | undefined;

  constructor(options: UpstreamPublishOptions) {
    this.#options = options;
    const { clock, stream } = options;
    this.#begunMs = clock.now();
    this.#connection = new UpstreamConnection({
      ...options,
      purpose: "publish",
      chunkSize: options.isForward === true ? FORWARD_CHUNK_SIZE : stream.options.chunkSize,
      onEvent: (event) => this.#handle(event),
      onMoreLater: () => {
        if (this.#cursor !== undefined) options.onBehind(this.#cursor);
      },
      onLook: () => this.#look(),
    });
  }

  /** The other server, for logs and the API. */
  get name(): string {
    return this.#connection.name;
  }

  async run(): Promise<UpstreamResult> {
    const error = await this.#connection.run();
    this.#unsubscribe();
    const heldMs = this.#startedMs === undefined ? undefined : this.#options.clock.now() - this.#startedMs;
    const { redirectUrl } = this.#connection;
    if (redirectUrl !== undefined) return { kind: "redirect", url: redirectUrl, heldMs: heldMs ?? 0 };
    if (heldMs !== undefined) return { kind: "held", by: this.name, heldMs, error };
    return { kind: "failed", error: this.#refusal() ?? error ?? this.#lost("closed the connection") };
  }

  /** Ends the connection; nothing more of the stream is sent. */
  close(): void {
    this.#connection.close();
    this.#unsubscribe();
  }

  /** Ends it when the rest of the stream is out, and the words that it is over; at the latest after a second, or at the signal. */
  async finish(signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const connection = this.#connection;
    const endMs = clock.now() + LAST_WORDS_MS;
    const isOut = () => {
      connection.flush();
      return this.#cursor?.isBehind !== true && connection.isIdle;
    };
    const wait = async () => {
      while (!signal.aborted && !isOut() && clock.now() < endMs) {
        await pause(clock, LAST_WORDS_LOOK_MS, signal);
      }
    };
    await wait();
    connection.sayGoodbye();
    await wait();
    this.breakOff();
  }

  /** Ends it as `close` does, but leaves it open whether the stream goes on with another connection. */
  breakOff(): void {
    this.#connection.breakOff();
    this.#unsubscribe();
  }

  #handle(event: UpstreamEvent): void {
    switch (event.kind) {
      case "started":
        if (this.#startedMs === undefined) this.#start();
        return;
      case "connected":
        this.#options.onConnected?.(event.server);
        return;
      case "media":
      case "leftOut":
      case "ended":
        return;
      default:
        return event satisfies never;
    }
  }

  #look(): void {
    const { clock, patienceMs, session } = this.#options;
    const connection = this.#connection;
    const nowMs = clock.now();
    const { writingSinceMs } = connection;
    if (this.#startedMs === undefined) {
      if (nowMs - this.#begunMs > patienceMs) {
        connection.close(this.#lost(`did not accept within ${patienceMs} ms`));
      }
    } else if (writingSinceMs !== undefined && nowMs - writingSinceMs > patienceMs) {
      connection.close(this.#lost(`accepted no data for ${patienceMs} ms`));
    } else if (session.manner === "encoder") {
      // No encoder pings a platform: bytes that it does not take are the only sign that it is gone.
      connection.countSent();
    } else {
      connection.checkAlive(patienceMs);
    }
  }

  #start(): void {
    const { stream, clock, onStarted } = this.#options;
    this.#startedMs = clock.now();
    onStarted(this.name);
    if (stream.feed?.kind === "publish") this.#subscribe();
    else stream.feedListeners.add(this.#onFeed);
  }

  /** The publisher is let in when the other server has let us in: what is cached until then is of another feed, such as a pull. */
  readonly #onFeed = (feed: FeedInfo | undefined): void => {
    if (feed?.kind !== "publish") return;
    this.#options.stream.feedListeners.delete(this.#onFeed);
    this.#subscribe();
  };

  #subscribe(): void {
    const { stream, isForward = false } = this.#options;
    const connection = this.#connection;
    const onReady = () => connection.flush();
    const cursor = isForward
      ? stream.subscribe("rtmp-forward", { fromGop: false, fromKeyframe: true, onReady })
      : stream.subscribe("rtmp", { fromGop: true, onReady });
    const { messageStreamId } = connection.session;
    if (messageStreamId !== LOG_MESSAGE_STREAM_ID) cursor.setFilter({ messageStreamId, accept: () => true });
    this.#cursor = cursor;
    // After the session's own words, which set the chunk size of these bytes.
    queueMicrotask(() => {
      if (this.#cursor === cursor) connection.addSource(cursor);
    });
  }

  #unsubscribe(): void {
    this.#options.stream.feedListeners.delete(this.#onFeed);
    if (this.#cursor === undefined) return;
    this.#connection.removeSource(this.#cursor);
    this.#options.stream.unsubscribe(this.#cursor);
    this.#cursor = undefined;
  }

  #lost(what: string): RtmpError {
    return new RtmpError("connection-lost", `${this.name} ${what}`);
  }

  /** SRS refuses a stream by closing the connection, without a word. */
  #refusal(): RtmpError | undefined {
    const { wasClosedByPeer, session } = this.#connection;
    if (!wasClosedByPeer || !session.hasAsked) return undefined;
    return new RtmpError("remote-refused", `${this.name} refused the stream: it closed the connection`);
  }
}
