import { RtmpError } from "../../lib/base/errors.ts";
import type { LiveStream } from "../../lib/hub/live_stream.ts";
import type { StreamFeed } from "../../lib/hub/stream_feed.ts";
import type { PlayerCursor } from "../../lib/hub/player_cursor.ts";
import { StreamHub } from "../../lib/hub/stream_hub.ts";
import type { ServerEvent } from "../../lib/session/server_event.ts";
import { ServerSession } from "../../lib/session/server_session.ts";
import { TEST_SESSION_OPTIONS } from "./session_peer.ts";
import { TEST_STREAM_OPTIONS } from "./stream_peer.ts";

/** What a server does with one connection, without sockets: accepts every request, feeds streams, reads them as a player. */
export class SessionServer {
  readonly hub: StreamHub = new StreamHub(() => {});
  readonly session: ServerSession = new ServerSession(TEST_SESSION_OPTIONS, 0);
  readonly #feeds = new Map<number, StreamFeed>();
  readonly #cursors = new Map<number, PlayerCursor>();
  #nowMs = 0;
  events = 0;
  media = 0;
  /** Sees what each player is given. */
  onPlayerBytes: (cursor: PlayerCursor, bytes: Uint8Array) => void = () => {};

  /**
   * Takes bytes, as from a socket.
   *
   * @throws {RtmpError} As the server would close the connection for it.
   */
  receive(bytes: Uint8Array): void {
    this.#nowMs += 10;
    this.session.receive(bytes);
    for (;;) {
      const event = this.session.nextEvent(this.#nowMs);
      if (event === undefined) break;
      this.events++;
      this.#handle(event);
    }
    this.session.takeOutput();
    for (const cursor of this.#cursors.values()) {
      for (let bytes = cursor.next(); bytes !== undefined; bytes = cursor.next()) {
        this.onPlayerBytes(cursor, bytes);
      }
    }
  }

  /** The connection is gone: nothing may be left of it. */
  close(): void {
    for (const id of [...this.#feeds.keys(), ...this.#cursors.keys()]) this.#stop(id);
    this.session.takeOutput();
    if (this.hub.size !== 0) throw new Error(`${this.hub.size} streams are left`);
  }

  #handle(event: ServerEvent): void {
    switch (event.kind) {
      case "connect":
        this.session.acceptConnect(this.#nowMs);
        return;
      case "publish": {
        const stream = this.#open(event.name);
        try {
          this.#feeds.set(event.messageStreamId, stream.attach({ kind: "publish", id: "x", startedAtMs: 0 }));
        } catch (error) {
          this.hub.release(stream);
          throw error;
        }
        this.#cursors.set(-event.messageStreamId, stream.subscribe("flv", { fromGop: true }));
        this.session.acceptPublish(event.messageStreamId);
        return;
      }
      case "play":
        this.#cursors.set(event.messageStreamId, this.#open(event.name).subscribe("rtmp", { fromGop: true }));
        this.session.acceptPlay(event.messageStreamId, TEST_STREAM_OPTIONS.chunkSize);
        return;
      case "media":
        this.media++;
        this.#feeds.get(event.messageStreamId)?.write(event, this.#nowMs);
        return;
      case "stop":
        this.#stop(event.messageStreamId);
        return;
      case "pause": {
        const cursor = this.#cursors.get(event.messageStreamId);
        if (cursor !== undefined) cursor.isPaused = event.isPaused;
        return;
      }
    }
  }

  #open(name: string): LiveStream {
    return this.hub.open(`/live/${name}`, () => TEST_STREAM_OPTIONS);
  }

  #stop(id: number): void {
    const feed = this.#feeds.get(id);
    feed?.close();
    this.#feeds.delete(id);
    for (const key of [id, -id]) {
      const cursor = this.#cursors.get(key);
      this.#cursors.delete(key);
      if (cursor !== undefined) { for (const stream of this.hub.values()) stream.unsubscribe(cursor); }
    }
    for (const stream of [...this.hub.values()]) this.hub.release(stream);
  }
}

/** Whether `run` ends well or with an RtmpError; anything else is thrown on. */
export function isRefused(run: () => void): boolean {
  try {
    run();
    return false;
  } catch (error) {
    if (error instanceof RtmpError) return true;
    throw error;
  }
}
