import { errorText, RtmpError } from "../base/errors.ts";
import { parseStreamAddress } from "../base/stream_address.ts";
import type { ByteDuplex } from "../net/tcp.ts";
import type { ServerEvent } from "../session/server_event.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { RegisteredClient } from "./client_registry.ts";
import { drainingError, maySendElsewhere } from "./draining.ts";
import { PlayRole } from "./play_role.ts";
import { PublishRole } from "./publish_role.ts";
import { RequestPace } from "./request_pace.ts";
import type { RoleConnection } from "./role_connection.ts";
import { RtmpClient } from "./rtmp_client.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import type { Elsewhere } from "./stream_router.ts";

/** How long what an encoder sent before it left may take to be read, when nothing can be written to it any more, in milliseconds. */
const UNREAD_MS = 1000;
/** How long a redirected client may take to leave by itself, in milliseconds; SRS's. */
const REDIRECT_WAIT_MS = 3000;
/** A player that is sent nothing is asked for a sign of life this often, in milliseconds. */
const PING_INTERVAL_MS = 30_000;

/** How far a connection is from its end. */
type Ending =
  | { readonly kind: "open" }
  /** It leaves by itself, and is closed with this reason when it has not by then. Nothing that it asks for is looked at. */
  | { readonly kind: "leaving"; readonly reason: RtmpError; readonly untilMs: number }
  /** It has been told of as closed; it may still be sent last words. */
  | { readonly kind: "closed" };

/** One RTMP connection, from its first byte to its last: what is read goes through the session, whose events begin and end roles. */
export class RtmpConnection extends RtmpClient implements RegisteredClient, RoleConnection {
  readonly #pace: RequestPace;
  readonly #begunMs: number;
  /** It has asked to publish or play, whatever the answer. */
  #hasAsked = false;
  /** It was asked to go on at another node. */
  #isSentElsewhere = false;
  #ending: Ending = { kind: "open" };
  #lastPingMs: number;

  constructor(runtime: ServerRuntime, duplex: ByteDuplex) {
    super(runtime, duplex);
    this.#begunMs = this.#lastPingMs = runtime.now();
    this.#pace = new RequestPace(runtime.options.clock, this.abort.signal);
  }

  get isActive(): boolean {
    return this.stream !== undefined;
  }
  get isPublishing(): boolean {
    return this.roles.isPublishing;
  }
  get isClosing(): boolean {
    return this.#ending.kind === "closed";
  }

  /** Runs the connection to its end. Never throws. */
  async run(): Promise<void> {
    this.runtime.events.opened(this);
    try {
      this.close(
        await this.socket.read({
          receive: (bytes) => this.#receive(bytes),
          pause: () => this.#pauseReading(),
          mayGrow: () => this.session.isConnected,
        }),
      );
    } catch (error) {
      this.#closeForFault(error);
    }
    await this.socket.closed;
  }

  #receive(bytes: Uint8Array): void | Promise<void> {
    const begunMs = this.runtime.now();
    const pending = this.loop.receive(bytes);
    const { readPauseMs } = this.roles;
    if (readPauseMs !== undefined) {
      this.runtime.streams.pacer(readPauseMs).note(this.runtime.now() - begunMs);
    }
    return pending;
  }

  /** What to wait for before the next read: nothing, except for publishers. */
  #pauseReading(): Promise<void> | undefined {
    const { readPauseMs } = this.roles;
    if (readPauseMs === undefined) return undefined;
    return this.runtime.streams.pauseReading(this.stream, readPauseMs, this.receiveRate.perSecond());
  }

  protected handle(event: ServerEvent, nowMs: number): Promise<void> | undefined {
    switch (event.kind) {
      case "media":
        this.roles.publish(event.messageStreamId)?.write(event, nowMs);
        return undefined;
      case "leftOut":
        this.roles.publish(event.messageStreamId)?.leaveOut(event.what, event.error);
        return undefined;
      case "connect":
        return this.#admitConnect(event.info);
      case "publish":
      case "play":
        return this.#begin(event);
      case "pause":
        this.roles.play(event.messageStreamId)?.pause(event.isPaused);
        return undefined;
      case "receive":
        this.roles.play(event.messageStreamId)?.setReceive(event.media, event.isOn);
        return undefined;
      case "stop":
        // A publisher that was asked to go on at another node says so too when it leaves this one.
        this.#endRole(event.messageStreamId, !this.#isSentElsewhere);
        return undefined;
      case "redirectAnswered":
        this.close(new RtmpError("redirected", "The client followed the redirect"));
        return undefined;
      default:
        return event satisfies never;
    }
  }

  async #admitConnect(info: ConnectInfo): Promise<void> {
    this.noteConnect(info);
    const { findVhost, limits, router } = this.runtime.options;
    try {
      if (this.runtime.isDraining && !maySendElsewhere(info)) throw drainingError("connect");
      const address = parseStreamAddress(info.tcUrl, "", limits().streamKeyMaxBytes);
      const vhost = findVhost(address.vhost);
      // A vhost may still be named by the stream's parameters: without one here the answer comes with publish or play.
      if (vhost !== undefined) await router.admitConnect(info, address, vhost);
      this.session.acceptConnect(this.runtime.now());
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.session.rejectConnect(error.rtmpStatus ?? "NetConnection.Connect.Rejected", error.message);
      throw error;
    }
  }

  /** Lets the client begin to publish or play; a refusal is told before it closes the connection. */
  async #begin(event: ServerEvent & { kind: "publish" | "play" }): Promise<void> {
    if (this.#ending.kind !== "open") return;
    this.#hasAsked = true;
    await this.#pace.next();
    if (this.isClosing) return;
    const { messageStreamId } = event;
    try {
      const role = event.kind === "publish"
        ? await PublishRole.open(this, event)
        : await PlayRole.open(this, event);
      // It may have left while it waited.
      if (role === undefined || this.isClosing) return role?.close();
      this.roles.add(messageStreamId, role);
      this.noteType(role.type);
      role.begin();
      this.runtime.events.began(this, role);
    } catch (error) {
      if (error instanceof RtmpError && !this.isClosing) {
        this.session.say.refused(messageStreamId, refusalStatus(event.kind, error), error.message);
      }
      throw error;
    }
  }

  /** @param isOver Whether the client has said so. */
  #endRole(messageStreamId: number, isOver: boolean = false): void {
    const role = this.roles.remove(messageStreamId);
    if (role === undefined) return;
    this.runtime.events.stopped(this, role);
    role.close(isOver);
  }

  /** Lets time pass; called about twice a second. */
  tick(nowMs: number): void {
    try {
      this.#checkTime(nowMs);
    } catch (error) {
      if (error instanceof RtmpError) this.close(error);
      else this.#closeForFault(error);
    }
  }

  #checkTime(nowMs: number): void {
    const ending = this.#ending;
    if (ending.kind === "closed") return;
    if (ending.kind === "leaving" && nowMs >= ending.untilMs) throw ending.reason;
    this.session.checkDeadline(nowMs);
    this.session.acknowledgeStalled();
    this.flush();
    const { writingSinceMs } = this.writer;
    const { sendTimeoutMs } = this.runtime.options.limits();
    if (writingSinceMs !== undefined && nowMs - writingSinceMs > sendTimeoutMs) {
      throw new RtmpError("send-timeout", `Cannot write: the peer accepted no data for ${sendTimeoutMs} ms`);
    }
    this.roles.checkTime(nowMs, (...refusal) => this.session.say.refused(...refusal));
    if (nowMs - this.#lastPingMs >= PING_INTERVAL_MS && writingSinceMs === undefined) {
      this.#lastPingMs = nowMs;
      this.session.ping(nowMs);
      this.flush();
    }
  }

  kick(): void {
    this.close(new RtmpError("kicked", "Closed through the HTTP API"));
  }

  shutDown(): void {
    for (const [, role] of this.roles.entries) role.shutDown();
    this.close(new RtmpError("shutting-down", "The server is stopping"));
  }

  move(): boolean {
    const { router, findVhost } = this.runtime.options;
    const { address } = this;
    // As it is now: a reload may have made it another, or none.
    const vhost = this.vhost && findVhost(this.vhost.name);
    // Of one that does several things all would have to move.
    const [entry, ...others] = this.roles.entries;
    if (this.#ending.kind !== "open" || entry === undefined || others.length > 0) return false;
    if (address === undefined || vhost === undefined || vhost.name !== this.vhost?.name) return false;
    const [, { kind, stream: { key } }] = entry;
    const elsewhere = router.elsewhere?.({ ...this.requester, address, vhost, key }, kind);
    if (elsewhere === undefined) return false;
    this.#say(elsewhere, "This node is about to stop");
    this.#isSentElsewhere = true;
    // Who got a ReconnectRequest goes when it suits, and is served until then.
    if (elsewhere.kind === "redirect") this.#leaveSoon(elsewhere.tcUrl);
    return true;
  }

  sendAway(elsewhere: Elsewhere): void {
    this.#say(elsewhere, "The stream is on another node");
    this.#leaveSoon(elsewhere.tcUrl);
  }

  #say(elsewhere: Elsewhere, why: string): void {
    const { kind, tcUrl } = elsewhere;
    if (kind === "redirect") this.session.redirect(tcUrl, elsewhere.url);
    else this.session.say.reconnect(tcUrl, why);
    this.flush();
    this.runtime.log.info("Client sent to another node", { ...this.logProperties, to: tcUrl, why });
  }

  #leaveSoon(tcUrl: string): void {
    const reason = new RtmpError("redirected", `Redirected to ${tcUrl}`);
    this.#ending = { kind: "leaving", reason, untilMs: this.runtime.now() + REDIRECT_WAIT_MS };
  }

  /**
   * Nothing can be written any more. What an encoder sent before it left is still to be read: one that sends a file and closes with
   * our answers unread resets the connection.
   */
  protected endAfterReading(error: unknown): void {
    const reason = new RtmpError("connection-lost", `Cannot write: ${errorText(error)}`, { cause: error });
    if (!this.roles.isPublishing) return this.close(reason);
    if (this.isClosing) return;
    this.#ending = { kind: "leaving", reason, untilMs: this.runtime.now() + UNREAD_MS };
  }

  /** A fault of ours costs this connection only. */
  #closeForFault(error: unknown): void {
    this.runtime.log.error("Connection failed: internal error", { ...this.logProperties, error });
    this.close(new RtmpError("connection-lost", errorText(error), { cause: error }));
  }

  /** Ends the connection: what the session still has to say is sent first, for at most a second. */
  close(reason: RtmpError | undefined): void {
    const ending = this.#ending;
    if (ending.kind === "closed") return;
    this.#ending = { kind: "closed" };
    this.abort.abort();
    const sendsAllTheTime = reason !== undefined && this.roles.isPublishing;
    for (const [id] of this.roles.entries) this.#endRole(id);
    this.flush();
    // A client that was sent elsewhere leaves by itself, in whichever way.
    const wasSent = ending.kind === "leaving" && ending.reason.code === "redirected";
    this.runtime.events.closed(this, {
      hasAsked: this.#hasAsked,
      reason: wasSent ? ending.reason : reason,
      durationMs: this.runtime.now() - this.#begunMs,
    });
    if (reason?.code === "connection-lost") this.socket.cut();
    else this.socket.end(sendsAllTheTime);
  }
}

/** How a refusal is told. A name that can't be used is told to a player in a player's words. */
function refusalStatus(kind: "publish" | "play", error: RtmpError): string {
  const status = error.rtmpStatus ?? "NetStream.Failed";
  return kind === "play" && status.startsWith("NetStream.Publish.") ? "NetStream.Play.Failed" : status;
}
