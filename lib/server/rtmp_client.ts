import type { AccessClient } from "../access/access_request.ts";
import { RateMeter } from "../base/rate_meter.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { ConnectionWriter } from "../net/connection_writer.ts";
import type { ByteDuplex } from "../net/tcp.ts";
import type { ServerEvent } from "../session/server_event.ts";
import type { ServerSession } from "../session/server_session.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { Client, ClientType } from "./client.ts";
import { ConnectionRoles } from "./connection_roles.ts";
import { ConnectionSocket } from "./connection_socket.ts";
import { isNode } from "./peer_node.ts";
import { requestKey } from "./requested_vhost.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import { SessionLoop } from "./session_loop.ts";
import type { Requester } from "./stream_requests.ts";
import type { StreamRequest } from "./stream_router.ts";
import type { VhostSettings } from "./vhost_settings.ts";

/** What an RTMP connection is made of, and what lists, the log and access control see of it. What it does is `RtmpConnection`'s. */
export abstract class RtmpClient implements Client {
  readonly id: string;
  readonly protocol = "rtmp";
  readonly connectedAtMs: number;
  readonly sendRate: RateMeter = new RateMeter();
  readonly receiveRate: RateMeter = new RateMeter();
  readonly runtime: ServerRuntime;
  readonly session: ServerSession;
  protected readonly socket: ConnectionSocket;
  protected readonly loop: SessionLoop;
  protected readonly roles: ConnectionRoles = new ConnectionRoles();
  /** Aborts what is asked elsewhere for a client that has gone. */
  protected readonly abort: AbortController = new AbortController();
  #connect: ConnectInfo | undefined;
  #type: ClientType = "Unknown";
  #address: StreamAddress | undefined;
  #vhost: VhostSettings | undefined;

  constructor(runtime: ServerRuntime, duplex: ByteDuplex) {
    const { clock } = runtime.options;
    this.runtime = runtime;
    this.id = runtime.newId();
    this.connectedAtMs = clock.wallNow();
    this.socket = new ConnectionSocket(duplex, {
      clock,
      onWriteError: (error) => this.endAfterReading(error),
      onMoreLater: () => this.#markBehind(),
    });
    this.session = runtime.newSession(this.id, duplex.localAddress.hostname);
    this.loop = new SessionLoop({
      clock,
      session: this.session,
      writer: this.socket.writer,
      onEvent: (event, nowMs) => this.handle(event, nowMs),
      isOver: () => this.isClosing,
    });
  }

  abstract get isClosing(): boolean;
  abstract kick(): void;

  /** Handles what the client says; a promise when it needs an answer from elsewhere. */
  protected abstract handle(event: ServerEvent, nowMs: number): Promise<void> | undefined;

  /** Nothing can be written any more. */
  protected abstract endAfterReading(error: unknown): void;

  get writer(): ConnectionWriter {
    return this.socket.writer;
  }
  get requester(): Requester {
    const { id, protocol, ip, tcUrl, pageUrl } = this;
    const client: AccessClient = { protocol, clientId: id, tcUrl, pageUrl };
    return { connect: this.#connect, ip, client, signal: this.abort.signal };
  }
  get ip(): string {
    return this.socket.ip;
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
    return this.roles.stream;
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
  get isNode(): boolean {
    return isNode(this.#connect);
  }
  get sendBytes(): number {
    return this.writer.sentBytes;
  }
  get receiveBytes(): number {
    return this.loop.receivedBytes;
  }
  get jumps(): number {
    return this.roles.jumps;
  }
  get logProperties(): Record<string, unknown> {
    const { proxiedAddress } = this.session;
    const stream = this.#vhost && this.#address && requestKey(this.#vhost, this.#address);
    return {
      connectionId: this.id,
      peer: this.socket.peer,
      ...(proxiedAddress === undefined ? {} : { proxied: proxiedAddress }),
      ...(stream === undefined ? {} : { stream }),
    };
  }

  /** Notes what a client said in connect. */
  protected noteConnect(info: ConnectInfo): void {
    this.#connect = info;
  }

  /** Notes what a client does, as it is told that it may. */
  protected noteType(type: ClientType): void {
    this.#type = type;
  }

  /** Notes what a client asks for: lists and the log show it from now on. */
  note({ address, vhost }: StreamRequest): void {
    this.#address = address;
    this.#vhost = vhost;
    if (!vhost.noDelay) this.socket.setNoDelay(false);
  }

  /** Sends what the session has to say. */
  flush(): void {
    this.loop.flush();
  }

  /** Bytes are left that may wait for the next round. */
  #markBehind(): void {
    for (const { stream, cursor } of this.roles.behind()) {
      this.runtime.streams.scheduler(stream.options.gatherMs).markDirty(cursor.output);
    }
  }
}
