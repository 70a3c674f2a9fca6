import type { AccessClient } from "../access/access_request.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { RateMeter } from "../base/rate_meter.ts";
import { parseStreamAddress, type StreamAddress } from "../base/stream_address.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { ConnectionWriter } from "../net/connection_writer.ts";
import type { ByteDuplex } from "../net/tcp.ts";
import type { ServerEvent } from "../session/server_event.ts";
import type { ServerSession } from "../session/server_session.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { ClientType } from "./client.ts";
import type { RegisteredClient } from "./client_registry.ts";
import { ConnectionRoles } from "./connection_roles.ts";
import { ConnectionSocket } from "./connection_socket.ts";
import { drainingError, maySendElsewhere } from "./draining.ts";
import { PlayRole } from "./play_role.ts";
import { PublishRole } from "./publish_role.ts";
import { RequestPace } from "./request_pace.ts";
import { requestKey } from "./requested_vhost.ts";
import type { RoleConnection } from "./role_connection.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import { SessionLoop } from "./session_loop.ts";
import type { Requester } from "./stream_requests.ts";
import type { Elsewhere, StreamRequest } from "./stream_router.ts";
import type { VhostSettings } from "./vhost_settings.ts";

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

/**
 * One RTMP connection, from its first byte to its last: what is read goes through the session, whose events begin and end roles.
 */
export class RtmpConnection implements RegisteredClient, RoleConnection {
  readonly id: string;
  readonly protocol = "rtmp";
  readonly connectedAtMs: number = Date.now();
  readonly sendRate: RateMeter = new RateMeter();
  readonly receiveRate: RateMeter = new RateMeter();
  readonly runtime: ServerRuntime;
  readonly session: ServerSession;
  readonly #duplex: ByteDuplex;
  readonly #socket: ConnectionSocket;
  readonly #loop: SessionLoop;
  readonly #roles = new ConnectionRoles();
  readonly #abort = new AbortController();
  readonly #pace: RequestPace;
  readonly #begunMs: number;
  #connect: ConnectInfo | undefined;
  #type: ClientType = "Unknown";
  #address: StreamAddress | undefined;
  #vhost: VhostSettings | undefined;
  /** It has asked to publish or play, whatever the answer. */
  #hasAsked = false;
  /** It was asked to go on at another node. */
  #isSentElsewhere = false;
  #ending: Ending = { kind: "open" };
  #lastPingMs: number;

  constructor(runtime: ServerRuntime, duplex: ByteDuplex) {
    const { clock } = runtime.options;
    this.runtime = runtime;
    this.#duplex = duplex;
    this.id = runtime.newId();
    this.#begunMs = this.#lastPingMs = runtime.now();
    this.#pace = new RequestPace(clock, this.#abort.signal);
    this.#socket = new ConnectionSocket(duplex, {
      clock,
      onWriteError: (error) => this.#endAfterReading(error),
      onMoreLater: () => this.#markBehind(),
    });
    this.session = runtime.newSession(this.id, duplex.localAddress.hostname);
    this.#loop = new SessionLoop({
      clock,
      session: this.session,
      writer: this.writer,
      onEvent: (event, nowMs) => this.#handle(event, nowMs),
      isOver: () => this.isClosing,
    });
  }

  get writer(): ConnectionWriter {
    return this.#socket.writer;
  }
  get requester(): Requester {
    const { id, protocol, ip, tcUrl, pageUrl } = this;
    const client: AccessClient = { protocol, clientId: id, tcUrl, pageUrl };
    return { connect: this.#connect, ip, client, signal: this.#abort.signal };
  }
  get ip(): string {
    return this.#duplex.remoteAddress.hostname;
  }
  get type(): ClientType {
    return this.#type;
  }
  get vhost(): VhostSettings | undefined {
    return this.#vhost;
  }
  get address(): StreamAddress | undefined {
    return this.#address;
  }
  get stream(): LiveStream | undefined {
    return this.#roles.stream;
  }
  get tcUrl(): string {
    return this.#connect?.tcUrl ?? "";
  }
  get pageUrl(): string {
    return this.#connect?.pageUrl ?? "";
  }
  get swfUrl(): string {
    return this.#connect?.swfUrl ?? "";
  }
  get sendBytes(): number {
    return this.writer.sentBytes;
  }
  get receiveBytes(): number {
    return this.#loop.receivedBytes;
  }
  get jumps(): number {
    return this.#roles.jumps;
  }
  get isActive(): boolean {
    return this.stream !== undefined;
  }
  get isPublishing(): boolean {
    return this.#roles.isPublishing;
  }
  get isClosing(): boolean {
    return this.#ending.kind === "closed";
  }
  get logProperties(): Record<string, unknown> {
    const { proxiedAddress } = this.session;
    const stream = this.#vhost && this.#address && requestKey(this.#vhost, this.#address);
    return {
      connectionId: this.id,
      peer: this.#socket.peer,
      ...(proxiedAddress === undefined ? {} : { proxied: proxiedAddress }),
      ...(stream === undefined ? {} : { stream }),
    };
  }

  /** Runs the connection to its end. Never throws. */
  async run(): Promise<void> {
    this.runtime.events.opened(this);
    try {
      this.close(
        await this.#socket.read({
          receive: (bytes) => this.#receive(bytes),
          pause: () => this.#pauseReading(),
          mayGrow: () => this.session.isConnected,
        }),
      );
    } catch (error) {
      this.#closeForFault(error);
    }
    await this.#socket.closed;
  }

  #receive(bytes: Uint8Array): void | Promise<void> {
    const begunMs = this.runtime.now();
    const pending = this.#loop.receive(bytes);
    const { readPauseMs } = this.#roles;
    if (readPauseMs !== undefined) {
      this.runtime.streams.pacer(readPauseMs).note(this.runtime.now() - begunMs);
    }
    return pending;
  }

  /** What to wait for before the next read: nothing, except for publishers. */
  #pauseReading(): Promise<void> | undefined {
    const { readPauseMs } = this.#roles;
    if (readPauseMs === undefined) return undefined;
    return this.runtime.streams.pauseReading(this.stream, readPauseMs, this.receiveRate.perSecond());
  }

  #handle(event: ServerEvent, nowMs: number): Promise<void> | undefined {
    switch (event.kind) {
      case "media":
        this.#roles.publish(event.messageStreamId)?.write(event, nowMs);
        return undefined;
      case "leftOut":
        this.#roles.publish(event.messageStreamId)?.leaveOut(event.what, event.error);
        return undefined;
      case "connect":
        return this.#admitConnect(event.info);
      case "publish":
      case "play":
        return this.#begin(event);
      case "pause":
        this.#roles.play(event.messageStreamId)?.pause(event.isPaused);
        return undefined;
      case "receive":
        this.#roles.play(event.messageStreamId)?.setReceive(event.media, event.isOn);
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
    this.#connect = info;
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
      this.#roles.add(messageStreamId, role);
      this.#type = role.type;
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
    const role = this.#roles.remove(messageStreamId);
    if (role === undefined) return;
    this.runtime.events.stopped(this, role);
    role.close(isOver);
  }

  note({ address, vhost }: StreamRequest): void {
    this.#address = address;
    this.#vhost = vhost;
    if (!vhost.noDelay) this.#socket.setNoDelay(false);
  }

  flush(): void {
    this.#loop.flush();
  }

  /** Bytes are left that may wait for the next round. */
  #markBehind(): void {
    for (const { stream, cursor } of this.#roles.behind()) {
      this.runtime.streams.scheduler(stream.options.gatherMs).markDirty(cursor.output);
    }
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
    this.#roles.checkTime(nowMs, (...refusal) => this.session.say.refused(...refusal));
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
    for (const [, role] of this.#roles.entries) role.shutDown();
    this.close(new RtmpError("shutting-down", "The server is stopping"));
  }

  move(): boolean {
    const { router, findVhost } = this.runtime.options;
    const address = this.#address;
    // As it is now: a reload may have made it another, or none.
    const vhost = this.#vhost && findVhost(this.#vhost.name);
    // Of one that does several things all would have to move.
    const [entry, ...others] = this.#roles.entries;
    if (this.#ending.kind !== "open" || entry === undefined || others.length > 0) return false;
    if (address === undefined || vhost === undefined || vhost.name !== this.#vhost?.name) return false;
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
  #endAfterReading(error: unknown): void {
    const reason = new RtmpError("connection-lost", `Cannot write: ${errorText(error)}`, { cause: error });
    if (!this.#roles.isPublishing) return this.close(reason);
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
    this.#abort.abort();
    const sendsAllTheTime = reason !== undefined && this.#roles.isPublishing;
    for (const [id] of this.#roles.entries) this.#endRole(id);
    this.flush();
    // A client that was sent elsewhere leaves by itself, in whichever way.
    const wasSent = ending.kind === "leaving" && ending.reason.code === "redirected";
    this.runtime.events.closed(this, {
      hasAsked: this.#hasAsked,
      reason: wasSent ? ending.reason : reason,
      durationMs: this.runtime.now() - this.#begunMs,
    });
    if (reason?.code === "connection-lost") this.#socket.cut();
    else this.#socket.end(sendsAllTheTime);
  }
}

/** How a refusal is told. A name that can't be used is told to a player in a player's words. */
function refusalStatus(kind: "publish" | "play", error: RtmpError): string {
  const status = error.rtmpStatus ?? "NetStream.Failed";
  return kind === "play" && status.startsWith("NetStream.Publish.") ? "NetStream.Play.Failed" : status;
}
