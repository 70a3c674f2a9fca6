import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { StreamMessage } from "../hub/output_format.ts";
import type { LeftOut } from "../hub/stream_feed.ts";
import type { ServerEvent } from "../session/server_event.ts";
import type { ClientType } from "./client.ts";
import type { Activity } from "./client_events.ts";
import { admitPublish, type AdmittedPublish } from "./publish_admission.ts";
import type { RoleConnection } from "./role_connection.ts";
import { streamRequest } from "./stream_requests.ts";
import type { VhostSettings } from "./vhost_settings.ts";

type PublishEvent = ServerEvent & { kind: "publish" };

/** One message stream of a connection that publishes. */
export class PublishRole implements Activity {
  readonly kind = "publish";
  readonly type: ClientType;
  readonly stream: LiveStream;
  readonly startedMs: number;
  readonly jumps = 0;
  readonly #connection: RoleConnection;
  readonly #messageStreamId: number;
  readonly #publish: AdmittedPublish;
  readonly #vhost: VhostSettings;
  #lastMessageMs: number;
  #hasMessage = false;
  #lastPlayedMs: number;

  private constructor(
    connection: RoleConnection,
    event: PublishEvent,
    publish: AdmittedPublish,
    vhost: VhostSettings,
  ) {
    this.type = event.publishKind;
    this.stream = publish.stream;
    this.#connection = connection;
    this.#messageStreamId = event.messageStreamId;
    this.#publish = publish;
    this.#vhost = vhost;
    this.startedMs = this.#lastMessageMs = this.#lastPlayedMs = connection.runtime.now();
  }

  /**
   * Asks whether a stream may be published here, and begins to feed it.
   *
   * @throws {RtmpError} The refusal.
   */
  static async open(connection: RoleConnection, event: PublishEvent): Promise<PublishRole> {
    const { runtime, requester, id, session } = connection;
    const request = streamRequest(runtime.options, requester, event.name);
    connection.note(request);
    const stop = (reason: RtmpError) => {
      // One that has moved to another node by our own words is not told of an error.
      if (reason.code !== "redirected") {
        const status = reason.rtmpStatus ?? "NetStream.Publish.BadName";
        session.say.refused(event.messageStreamId, status, reason.message);
      }
      connection.close(reason);
    };
    const publish = await admitPublish(runtime, request, id, stop);
    return new PublishRole(connection, event, publish, request.vhost);
  }

  /** `publish.mr_latency`. */
  get readPauseMs(): number | "auto" {
    return this.#vhost.readPauseMs;
  }

  /** Tells the client that it publishes. */
  begin(): void {
    this.#connection.session.acceptPublish(this.#messageStreamId);
  }

  write(message: StreamMessage, nowMs: number): void {
    this.#lastMessageMs = nowMs;
    this.#hasMessage = true;
    this.#publish.feed.write(message, nowMs);
  }

  /** Something that the publisher sent can't be passed on. */
  leaveOut(what: LeftOut, error: RtmpError): void {
    this.#publish.feed.leaveOut(what, error);
  }

  /** @throws {RtmpError} `publish-timeout` or `idle-timeout` when it has had its time. */
  checkTime(nowMs: number): void {
    const { firstPacketTimeoutMs, normalTimeoutMs, idlePublisherTimeoutMs } = this.#vhost;
    const timeoutMs = this.#hasMessage ? normalTimeoutMs : firstPacketTimeoutMs;
    if (nowMs - this.#lastMessageMs > timeoutMs) {
      throw new RtmpError(
        "publish-timeout",
        `Cannot continue publishing: no message received for ${timeoutMs} ms`,
      );
    }
    if (this.stream.playerCount > 0) this.#lastPlayedMs = nowMs;
    if (idlePublisherTimeoutMs > 0 && nowMs - this.#lastPlayedMs > idlePublisherTimeoutMs) {
      throw new RtmpError(
        "idle-timeout",
        `Cannot continue publishing: no player for ${idlePublisherTimeoutMs} ms`,
      );
    }
  }

  /** An encoder of a server that stops sees an end, and no error, which it would not get over. */
  shutDown(): void {}

  /**
   * Leaves the stream to its players and the next publisher.
   *
   * @param isOver Whether the publisher has said that the stream is over.
   */
  close(isOver: boolean = false): void {
    this.#publish.release(isOver);
  }
}
