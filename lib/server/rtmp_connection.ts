import { inBackground } from "../base/background.ts";
import type { Timer } from "../base/clock.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import { RateMeter } from "../base/rate_meter.ts";
import { parseStreamAddress, type StreamAddress } from "../base/stream_address.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import { ConnectionWriter } from "../net/connection_writer.ts";
import { pumpBytes } from "../net/pump.ts";
import { type ByteDuplex, isConnectionLoss } from "../net/tcp.ts";
import type { ServerEvent } from "../session/server_event.ts";
import { ServerSession } from "../session/server_session.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { ClientType } from "./client.ts";
import type { RegisteredClient } from "./client_registry.ts";
import { admitPlay } from "./play_admission.ts";
import { ConnectionRoles } from "./connection_roles.ts";
import { PlayRole } from "./play_role.ts";
import { PublishRole } from "./publish_role.ts";
import { RequestPace } from "./request_pace.ts";
import { requestKey } from "./requested_vhost.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import { playRequests, type Requester, streamRequest } from "./stream_requests.ts";
import type { Elsewhere, StreamRequest } from "./stream_router.ts";
import { drainingError, maySendElsewhere } from "./draining.ts";
import { isNode } from "./peer_node.ts";
import type { VhostSettings } from "./vhost_settings.ts";

/** How long a connection may do neither after connect or after it stopped, in milliseconds: SRS's republish wait. */
const IDLE_TIMEOUT_MS = 180_000;
/** How long a closing connection may take for its last words, in milliseconds. */
const LINGER_MS = 1000;
/** How long a redirected client may take to leave by itself, in milliseconds; SRS's. */
const REDIRECT_WAIT_MS = 3000;
/** A player that is sent nothing is asked for a sign of life this often, in milliseconds. */
const PING_INTERVAL_MS = 30_000;
/** Control messages that a connected peer makes us queue while it reads nothing, in bytes. */
const MAX_QUEUED_BYTES = 1024 * 1024;

/** One RTMP connection from its first byte to its closing log line. */
export class RtmpConnection implements RegisteredClient {
  readonly id: string;
  readonly connectedAtMs: number = Date.now();
  readonly sendRate: RateMeter = new RateMeter();
  readonly receiveRate: RateMeter = new RateMeter();
  readonly #runtime: ServerRuntime;
  readonly #duplex: ByteDuplex;
  readonly #writer: ConnectionWriter;
  readonly #session: ServerSession;
  readonly #roles = new ConnectionRoles();
  readonly #abort = new AbortController();
  readonly #pace: RequestPace;
  #connect: ConnectInfo | undefined;
  #type: ClientType = "Unknown";
  #address: StreamAddress | undefined;
  #vhost: VhostSettings | undefined;
  #receivedBytes = 0;
  /** It has asked to publish or play, whatever the answer. */
  #hasAsked = false;
  #closeReason: RtmpError | undefined;
  #isClosing = false;
  #closeAtMs = Infinity;
  #lingerTimer: Timer | undefined;
  #isPumping = false;
  /** Our direction has ended; the peer's is read to its end. */
  #isFinished = false;
  #lastPingMs: number;
  readonly #begunMs: number;
  #readPauseMs: number | "auto" | undefined;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};

  constructor(runtime: ServerRuntime, duplex: ByteDuplex) {
    this.#runtime = runtime;
    this.#duplex = duplex;
    this.#pace = new RequestPace(runtime.options.clock, this.#abort.signal);
    this.id = runtime.newId();
    this.#begunMs = this.#lastPingMs = runtime.now();
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#writer = new ConnectionWriter({
      write: (bytes) => duplex.write(bytes),
      onError: (error) => this.#endAfterReading(error),
      onMoreLater: () => this.#markBehind(),
      now: () => runtime.now(),
    });
    const { wire, handshakeTimeoutMs } = runtime.options.limits();
    const { version, processId, randomBytes } = runtime.options;
    const defaults = runtime.options.findVhost("");
    this.#session = new ServerSession({
      limits: wire,
      chunkSize: defaults?.stream.chunkSize ?? 60_000,
      outAckSize: defaults?.outAckSize ?? 2_500_000,
      inAckSize: defaults?.inAckSize ?? 0,
      handshakeTimeoutMs,
      idleTimeoutMs: IDLE_TIMEOUT_MS,
      randomBytes,
      identity: {
        signature: `Headwater/${version}`,
        version,
        serverIp: duplex.localAddress.hostname,
        processId,
        connectionId: this.id,
      },
    }, this.#begunMs);
  }

  get #requester(): Requester {
    return {
      connect: this.#connect,
      ip: this.ip,
      client: {
        protocol: "rtmp",
        clientId: this.id,
        tcUrl: this.tcUrl,
        pageUrl: this.pageUrl,
        isTrustedNode: false,
      },
      signal: this.#abort.signal,
    };
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
    return this.#writer.sentBytes;
  }
  get receiveBytes(): number {
    return this.#receivedBytes;
  }
  get jumps(): number {
    return this.#roles.jumps;
  }

  /** Whether its end is in the books; it may still be sent last words. */
  get isActive(): boolean {
    return this.stream !== undefined;
  }
  get isClosing(): boolean {
    return this.#isClosing;
  }
  get isPublishing(): boolean {
    return this.#roles.isPublishing;
  }

  /** Runs the connection to its end. Never throws. */
  async run(): Promise<void> {
    this.#log("debug", "Connection opened");
    let reason: RtmpError | undefined;
    this.#isPumping = true;
    try {
      await pumpBytes(this.#duplex, {
        receive: (bytes) => this.#receive(bytes),
        pause: () => this.#pauseReading(),
        mayGrow: () => this.#session.isConnected,
        clock: this.#runtime.options.clock,
      });
    } catch (error) {
      if (error instanceof RtmpError) reason = error;
      else if (isConnectionLoss(error)) {
        reason = new RtmpError("connection-lost", errorText(error), { cause: error });
      } else {
        this.#closeForFault(error);
      }
    }
    this.#isPumping = false;
    if (this.#isFinished) this.#cut();
    this.close(reason);
    await this.#closed;
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

  /** A fault of ours costs this connection only. */
  #closeForFault(error: unknown): void {
    this.#log("error", "Connection failed: internal error", { error });
    this.close(new RtmpError("connection-lost", errorText(error), { cause: error }));
  }

  kick(): void {
    this.close(new RtmpError("kicked", "Closed through the HTTP API"));
  }

  move(): boolean {
    const { router, findVhost } = this.#runtime.options;
    const address = this.#address;
    // As it is now: a reload may have made it another, or none.
    const vhost = this.#vhost && findVhost(this.#vhost.name);
    if (vhost?.name !== this.#vhost?.name) return false;
    if (this.#isClosing || this.#closeAtMs !== Infinity || address === undefined || vhost === undefined) {
      return false;
    }
    // Of one that does several things all would have to move.
    const [entry, ...others] = this.#roles.entries;
    if (entry === undefined || others.length > 0) return false;
    const [, { kind, stream: { key } }] = entry;
    const elsewhere = router.elsewhere?.({ ...this.#requester, address, vhost, key }, kind);
    if (elsewhere === undefined) return false;
    this.#sendElsewhere(elsewhere, "This node is about to stop");
    // Who got a ReconnectRequest goes when it suits, and is served until then.
    if (elsewhere.kind === "redirect") this.#leaveSoon(elsewhere.tcUrl);
    return true;
  }

  /** Says goodbye to a client of a server that stops, and closes. An encoder sees an end, and no error, which it would not get over. */
  shutDown(): void {
    for (const [id, role] of this.#roles.entries) {
      if (role.kind === "publish") continue;
      this.#session.say.playFinished(id, "NetStream.Play.Stop", "The server is stopping");
    }
    this.close(new RtmpError("shutting-down", "The server is stopping"));
  }

  /** Ends the connection: what the session still has to say is sent first, for at most a second. */
  close(reason: RtmpError | undefined): void {
    if (this.#isClosing) return;
    this.#isClosing = true;
    // A client that was sent elsewhere leaves by itself, in whichever way.
    if (this.#closeReason?.code !== "redirected") this.#closeReason = reason;
    this.#abort.abort();
    // A socket that is closed with bytes unread is reset, and what was said last is lost with it: who sends all the time is read on.
    const mayBeSending = reason !== undefined && this.#roles.isPublishing;
    for (const [id] of this.#roles.entries) this.#endRole(id);
    this.#flushOutput();
    this.#logClosed();
    if (reason?.code === "connection-lost") {
      this.#cut();
      return;
    }
    const { clock } = this.#runtime.options;
    this.#lingerTimer = clock.setTimer(() => this.#cut(), LINGER_MS);
    const drained = this.#writer.drained().then(async () => {
      if (!mayBeSending || !this.#isPumping || this.#duplex.finish === undefined) return this.#cut();
      // The pump ends when the peer has closed too.
      this.#isFinished = true;
      await this.#duplex.finish().catch(() => this.#cut());
    });
    inBackground(drained, "closing a connection");
  }

  /**
   * Nothing can be written any more. What an encoder sent before it left is still to be read: one that sends a file and closes with
   * our answers unread resets the connection.
   */
  #endAfterReading(error: unknown): void {
    const reason = new RtmpError("connection-lost", `Cannot write: ${errorText(error)}`, { cause: error });
    if (!this.#roles.isPublishing) return this.close(reason);
    this.#closeReason = reason;
    this.#closeAtMs = this.#runtime.now() + LINGER_MS;
  }

  #cut(): void {
    if (this.#lingerTimer !== undefined) this.#runtime.options.clock.clearTimer(this.#lingerTimer);
    this.#writer.close();
    this.#duplex.close();
    this.#resolveClosed();
  }

  async #drainSlowly(request: Promise<void>): Promise<void> {
    await request;
    this.#flushOutput();
    await this.#drain();
  }

  #receive(bytes: Uint8Array): void | Promise<void> {
    if (this.#isClosing) return;
    const begunMs = this.#runtime.now();
    this.#receivedBytes += bytes.length;
    // A read that fills its buffer leaves more behind.
    this.#session.receive(bytes, bytes.length === bytes.buffer.byteLength);
    const pending = this.#drain();
    if (this.#readPauseMs !== undefined) {
      this.#runtime.streams.pacer(this.#readPauseMs).note(this.#runtime.now() - begunMs);
    }
    return pending;
  }

  /** What to wait for before the next read: nothing, except for publishers. */
  #pauseReading(): Promise<void> | undefined {
    if (this.#readPauseMs === undefined) return undefined;
    return this.#runtime.streams.pauseReading(this.stream, this.#readPauseMs, this.receiveRate.perSecond());
  }

  /** Handles events in order; a promise when one needs an answer from elsewhere. */
  #drain(): void | Promise<void> {
    try {
      const nowMs = this.#runtime.now();
      for (;;) {
        if (this.#isClosing) return;
        const event = this.#session.nextEvent(nowMs);
        if (event === undefined) break;
        const request = this.#handle(event, nowMs);
        if (request !== undefined) {
          this.#flushOutput();
          return this.#drainSlowly(request);
        }
      }
    } finally {
      this.#flushOutput();
    }
    if (this.#writer.queuedBytes > MAX_QUEUED_BYTES) {
      throw new RtmpError(
        "send-timeout",
        `Cannot answer: ${this.#writer.queuedBytes} bytes are queued for a peer that does not read, limit is ${MAX_QUEUED_BYTES}`,
      );
    }
  }

  #flushOutput(): void {
    const output = this.#session.takeOutput();
    if (output !== undefined) this.#writer.send(output);
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
        return this.#admit(event, () => this.#publish(event));
      case "play":
        return this.#admit(event, () => this.#play(event));
      case "pause": {
        const role = this.#roles.play(event.messageStreamId);
        if (role !== undefined) {
          role.cursor.isPaused = event.isPaused;
          this.#writer.flush();
        }
        return undefined;
      }
      case "receive":
        this.#roles.play(event.messageStreamId)?.setReceive(event.media, event.isOn);
        return undefined;
      case "stop":
        this.#endRole(event.messageStreamId, true);
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
    const { findVhost, limits, router } = this.#runtime.options;
    try {
      if (this.#runtime.isDraining && !maySendElsewhere(info)) throw drainingError("connect");
      const address = parseStreamAddress(info.tcUrl, "", limits().streamKeyMaxBytes);
      const vhost = findVhost(address.vhost);
      // A vhost may still be named by the stream's parameters: without one here the answer comes with publish or play.
      if (vhost !== undefined) await router.admitConnect(info, address, vhost);
      this.#session.acceptConnect(this.#runtime.now());
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      this.#session.rejectConnect(error.rtmpStatus ?? "NetConnection.Connect.Rejected", error.message);
      throw error;
    }
  }

  /** Lets `decide` run; a refusal is told to the client before it closes the connection. */
  async #admit(
    event: ServerEvent & { kind: "publish" | "play" },
    decide: () => Promise<void>,
  ): Promise<void> {
    // Redirected, or nobody takes an answer: it leaves.
    if (this.#closeAtMs !== Infinity) return;
    this.#hasAsked = true;
    await this.#pace.next();
    if (this.#isClosing) return;
    try {
      await decide();
    } catch (error) {
      if (error instanceof RtmpError && !this.#isClosing) {
        this.#session.say.refused(event.messageStreamId, refusalStatus(event.kind, error), error.message);
      }
      throw error;
    }
  }

  #note({ address, vhost }: StreamRequest): void {
    this.#address = address;
    this.#vhost = vhost;
    if (!vhost.noDelay) this.#duplex.setNoDelay?.(false);
  }

  async #publish(event: ServerEvent & { kind: "publish" }): Promise<void> {
    const request = streamRequest(this.#runtime.options, this.#requester, event.name);
    this.#note(request);
    const stop = (reason: RtmpError) => {
      // One that has moved to another node by our own words is not told of an error.
      if (reason.code !== "redirected") {
        this.#session.say.refused(
          event.messageStreamId,
          reason.rtmpStatus ?? "NetStream.Publish.BadName",
          reason.message,
        );
      }
      this.close(reason);
    };
    const role = await PublishRole.open(this.#runtime, request, this.id, stop);
    this.#roles.add(event.messageStreamId, role);
    if (this.#isClosing) return this.#endRole(event.messageStreamId);
    this.#setType(event.publishKind);
    this.#readPauseMs = request.vhost.readPauseMs;
    this.#session.acceptPublish(event.messageStreamId);
    this.#log("info", "Publish started", { type: event.publishKind });
  }

  async #play(event: ServerEvent & { kind: "play" }): Promise<void> {
    const requests = playRequests(this.#runtime.options, this.#requester, event.name);
    this.#note(requests[0] as StreamRequest);
    const { request, decision } = await admitPlay(this.#runtime, requests);
    this.#note(request);
    if (this.#isClosing) {
      if (decision.kind === "local") decision.release();
      return;
    }
    if (decision.kind !== "local") {
      this.#sendElsewhere(decision, "The stream is on another node");
      this.#leaveSoon(decision.tcUrl);
      return;
    }
    const { stream } = decision;
    const { messageStreamId, durationMs } = event;
    const role = new PlayRole(decision, {
      messageStreamId,
      durationMs,
      onReady: () => this.#writer.flush(),
      onFinished: () => this.#finishPlay(messageStreamId),
      onFeed: isNode(this.#connect) ? () => this.#tellNode(messageStreamId, stream) : undefined,
    }, this.#runtime.now());
    this.#roles.add(messageStreamId, role);
    this.#setType("rtmp-play");
    this.#session.acceptPlay(messageStreamId, stream.options.chunkSize);
    this.#flushOutput();
    this.#writer.addSource(role.cursor);
    this.#writer.flush();
    this.#log("info", "Play started", { waiting: stream.feed === undefined });
  }

  #sendElsewhere(elsewhere: Elsewhere, why: string): void {
    const { kind, tcUrl } = elsewhere;
    if (kind === "redirect") this.#session.redirect(tcUrl, elsewhere.url);
    else this.#session.say.reconnect(tcUrl, why);
    this.#flushOutput();
    this.#log("info", "Client sent to another node", { to: tcUrl, why });
  }

  #leaveSoon(tcUrl: string): void {
    this.#closeReason = new RtmpError("redirected", `Redirected to ${tcUrl}`);
    this.#closeAtMs = this.#runtime.now() + REDIRECT_WAIT_MS;
  }

  #tellNode(messageStreamId: number, stream: LiveStream): void {
    if (stream.feed !== undefined) return;
    this.#session.say.unpublishNotify(messageStreamId);
    this.#flushOutput();
  }

  #finishPlay(messageStreamId: number): void {
    queueMicrotask(() => {
      this.#session.say.playFinished(
        messageStreamId,
        "NetStream.Play.Stop",
        "The requested duration has elapsed",
      );
      this.close(new RtmpError("play-duration", "The requested duration has elapsed"));
    });
  }

  #setType(type: ClientType): void {
    if (this.#type === "Unknown") this.#runtime.counters.clientsTotal++;
    this.#type = type;
  }

  /** @param isOver Whether the client has said so. */
  #endRole(messageStreamId: number, isOver: boolean = false): void {
    const role = this.#roles.remove(messageStreamId);
    if (role === undefined) return;
    if (role.kind === "play") {
      this.#writer.removeSource(role.cursor);
      this.#log("info", "Play stopped", { jumps: role.cursor.jumps });
    } else {
      this.#readPauseMs = undefined;
      this.#log("info", "Publish stopped", { durationMs: Math.round(this.#runtime.now() - role.startedMs) });
    }
    role.close(isOver);
  }

  /** Bytes are left that may wait for the next round. */
  #markBehind(): void {
    for (const { stream, cursor } of this.#roles.behind()) {
      this.#runtime.streams.scheduler(stream.options.gatherMs).markDirty(cursor.output);
    }
  }

  #checkTime(nowMs: number): void {
    if (this.#isClosing) return;
    if (nowMs >= this.#closeAtMs) throw this.#closeReason ?? new RtmpError("redirected", "Redirected");
    this.#session.checkDeadline(nowMs);
    this.#session.acknowledgeStalled();
    this.#flushOutput();
    const writingSinceMs = this.#writer.writingSinceMs;
    if (writingSinceMs !== undefined) {
      const { sendTimeoutMs } = this.#runtime.options.limits();
      if (nowMs - writingSinceMs > sendTimeoutMs) {
        throw new RtmpError(
          "send-timeout",
          `Cannot write: the peer accepted no data for ${sendTimeoutMs} ms`,
        );
      }
    }
    this.#roles.checkTime(nowMs, (...refusal) => this.#session.say.refused(...refusal));
    if (nowMs - this.#lastPingMs >= PING_INTERVAL_MS && writingSinceMs === undefined) {
      this.#lastPingMs = nowMs;
      this.#session.ping(nowMs);
      this.#flushOutput();
    }
  }

  #logClosed(): void {
    const reason = this.#closeReason;
    const hasStarted = this.#type !== "Unknown";
    this.#runtime.countEnd(this, { hasAsked: hasStarted || this.#hasAsked, hasStarted, reason });
    // A port scan or a health check that says nothing is no event.
    const isSilent = this.#receivedBytes === 0;
    this.#log(isSilent ? "debug" : "info", "Connection closed", {
      type: this.#type,
      reason: reason?.code ?? "closed-by-peer",
      ...(reason === undefined ? {} : { code: reason.srsCode, detail: reason.message }),
      durationMs: Math.round(this.#runtime.now() - this.#begunMs),
      receivedBytes: this.#receivedBytes,
      sentBytes: this.sendBytes,
      jumps: this.jumps,
    });
  }

  #log(level: "debug" | "info" | "error", message: string, properties: Record<string, unknown> = {}): void {
    const { hostname, port } = this.#duplex.remoteAddress;
    this.#runtime.log[level](message, {
      connectionId: this.id,
      peer: `${hostname}:${port}`,
      ...(this.#session.proxiedAddress === undefined ? {} : { proxied: this.#session.proxiedAddress }),
      ...(this.#address === undefined || this.#vhost === undefined
        ? {}
        : { stream: requestKey(this.#vhost, this.#address) }),
      ...properties,
    });
  }
}

/** How a refusal is told. A name that can't be used is told to a player in a player's words. */
function refusalStatus(kind: "publish" | "play", error: RtmpError): string {
  const status = error.rtmpStatus ?? "NetStream.Failed";
  return kind === "play" && status.startsWith("NetStream.Publish.") ? "NetStream.Play.Failed" : status;
}
