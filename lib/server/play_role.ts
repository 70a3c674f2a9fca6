import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { LOG_MESSAGE_STREAM_ID } from "../hub/output_format.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import type { ServerEvent } from "../session/server_event.ts";
import type { ClientType } from "./client.ts";
import type { Activity } from "./client_events.ts";
import { joinSource } from "./join_times.ts";
import { isNode } from "./peer_node.ts";
import { admitPlay } from "./play_admission.ts";
import { PlayFilter } from "./play_filter.ts";
import type { RoleConnection } from "./role_connection.ts";
import { playRequests } from "./stream_requests.ts";
import type { LocalPlay, StreamRequest } from "./stream_router.ts";

type PlayEvent = Pick<ServerEvent & { kind: "play" }, "messageStreamId" | "durationMs">;

/** One message stream of a connection that plays. */
export class PlayRole implements Activity {
  readonly kind = "play";
  readonly type: ClientType = "rtmp-play";
  readonly stream: LiveStream;
  readonly cursor: PlayerCursor;
  readonly startedMs: number;
  readonly #connection: RoleConnection;
  readonly #messageStreamId: number;
  readonly #play: LocalPlay;
  readonly #filter: PlayFilter;
  #lastFedMs: number;

  /** @param askedMs When the client asked, by the node's clock. */
  constructor(connection: RoleConnection, event: PlayEvent, play: LocalPlay, askedMs: number) {
    const { messageStreamId, durationMs } = event;
    this.#connection = connection;
    this.#messageStreamId = messageStreamId;
    this.#play = play;
    this.stream = play.stream;
    this.startedMs = this.#lastFedMs = connection.runtime.now();
    const { runtime, requester: { connect } } = connection;
    const wasFed = play.stream.feed !== undefined;
    this.cursor = play.stream.subscribe("rtmp", {
      fromGop: true,
      onReady: () => connection.writer.flush(),
      // A node that relays has players of its own to count.
      ...(isNode(connect) ? {} : {
        onFirstMedia: () =>
          runtime.joins.observe(joinSource(play.stream, wasFed), (runtime.now() - askedMs) / 1000),
      }),
    });
    this.#filter = new PlayFilter({
      messageStreamId: messageStreamId === LOG_MESSAGE_STREAM_ID ? undefined : messageStreamId,
      durationMs,
      onFinished: () => this.#finish(),
      onPlain: () => this.cursor.setFilter(this.#filter.needed()),
    });
    this.cursor.setFilter(this.#filter.needed());
    if (isNode(connection.requester.connect)) play.stream.feedListeners.add(this.#onFeed);
  }

  /**
   * Asks whether and where a stream may be played; undefined when the client was sent elsewhere, or left meanwhile.
   *
   * @throws {RtmpError} The refusal.
   */
  static async open(
    connection: RoleConnection,
    event: ServerEvent & { kind: "play" },
  ): Promise<PlayRole | undefined> {
    const { runtime, requester } = connection;
    const askedMs = runtime.now();
    const requests = playRequests(runtime.options, requester, event.name);
    connection.note(requests[0] as StreamRequest);
    const { request, decision } = await admitPlay(runtime, requests);
    connection.note(request);
    if (decision.kind === "local") {
      if (!connection.isClosing) return new PlayRole(connection, event, decision, askedMs);
      decision.release();
    } else if (!connection.isClosing) {
      connection.sendAway(decision);
    }
    return undefined;
  }

  get jumps(): number {
    return this.cursor.jumps;
  }

  /** Tells the client that it plays, and begins to send. */
  begin(): void {
    const { session, writer } = this.#connection;
    session.acceptPlay(this.#messageStreamId, this.stream.options.chunkSize);
    this.#connection.flush();
    writer.addSource(this.cursor);
    writer.flush();
  }

  pause(isPaused: boolean): void {
    this.cursor.isPaused = isPaused;
    this.#connection.writer.flush();
  }

  /** `receiveAudio` and `receiveVideo`. */
  setReceive(media: "audio" | "video", isOn: boolean): void {
    if (this.#filter.setReceive(media, isOn)) this.cursor.renewHeaders();
    this.cursor.setFilter(this.#filter.needed());
  }

  /** @throws {RtmpError} `stream-not-found` when nobody has fed the stream for longer than the player may wait. */
  checkTime(nowMs: number): void {
    const { waitMs = 0 } = this.#play;
    if (this.stream.feed !== undefined) this.#lastFedMs = nowMs;
    if (waitMs === 0 || nowMs - this.#lastFedMs <= waitMs) return;
    throw new RtmpError(
      "stream-not-found",
      `Cannot play '${this.stream.key}': not published within ${waitMs} ms`,
    );
  }

  /** Says goodbye to the player of a server that stops. */
  shutDown(): void {
    this.#sayFinished("The server is stopping");
  }

  close(): void {
    this.stream.feedListeners.delete(this.#onFeed);
    this.#connection.writer.removeSource(this.cursor);
    this.stream.unsubscribe(this.cursor);
    this.#play.release();
  }

  /** Another node is told when the feed is gone: it looks for the stream elsewhere then. */
  readonly #onFeed = (): void => {
    if (this.stream.feed !== undefined) return;
    this.#connection.session.say.unpublishNotify(this.#messageStreamId);
    this.#connection.flush();
  };

  #finish(): void {
    queueMicrotask(() => {
      const reason = "The requested duration has elapsed";
      this.#sayFinished(reason);
      this.#connection.close(new RtmpError("play-duration", reason));
    });
  }

  #sayFinished(reason: string): void {
    this.#connection.session.say.playFinished(this.#messageStreamId, "NetStream.Play.Stop", reason);
  }
}
