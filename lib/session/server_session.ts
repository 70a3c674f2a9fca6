import { RtmpError } from "../base/errors.ts";
import { splitAggregate } from "../wire/aggregate.ts";
import { ChunkReader, controlValue, type RawMessage } from "../wire/chunk_reader.ts";
import {
  type Command,
  type ConnectInfo,
  decodeCommand,
  readConnect,
  type ServerIdentity,
} from "../wire/commands.ts";
import { encodeUint32 } from "../wire/control.ts";
import { readFeedMessage } from "../wire/feed_message.ts";
import { type RandomBytes, ServerHandshake } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import { MESSAGE_TYPE, USER_CONTROL } from "../wire/message_type.ts";
import { Acknowledgement, PROMPT_ACKNOWLEDGEMENTS } from "./acknowledgement.ts";
import { EventQueue } from "./event_queue.ts";
import { MessageOutput } from "./message_output.ts";
import type { ServerEvent } from "./server_event.ts";
import { ServerAnswers } from "./server_answers.ts";
import { MessageStreams, type PublishKind } from "./message_streams.ts";

/** Bytes of unfinished messages that a client may make us hold before its connect is accepted; with what else it has, 64 KiB. */
const EARLY_BYTES = 48 * 1024;
/** And from then on, until it publishes: commands are small. */
const UNPUBLISHED_BYTES = 1024 * 1024;

export interface ServerSessionOptions {
  readonly limits: WireLimits;
  /** Chunk size towards the peer from connect on, in bytes. */
  readonly chunkSize: number;
  /** Window Acknowledgement Size and Set Peer Bandwidth sent at connect, in bytes; 0: not sent. */
  readonly outAckSize: number;
  /** Acknowledge by this window until the peer names one, in bytes; 0: not before. */
  readonly inAckSize: number;
  /** Reads at the connection's beginning that are answered at once; default 8. */
  readonly promptAcknowledgements?: number;
  /** How long handshake and first command may take, in milliseconds. */
  readonly handshakeTimeoutMs: number;
  /** How long a connected client may do nothing, in milliseconds. */
  readonly idleTimeoutMs: number;
  readonly randomBytes: RandomBytes;
  readonly identity: ServerIdentity;
}

/**
 * The server's half of one RTMP connection, without a socket or a clock.
 *
 * The drain rule: after `receive`, take `nextEvent()` until it gives undefined, answering each request (`connect`, `publish`,
 * `play`) before the next event is taken, and send what `takeOutput()` gives. A throw ends the session: send what is left and close.
 */
export class ServerSession {
  readonly #options: ServerSessionOptions;
  readonly #reader: ChunkReader;
  readonly #output = new MessageOutput();
  /** What may be said at any time. */
  readonly say: ServerAnswers = new ServerAnswers(this.#output);
  readonly #acknowledgement: Acknowledgement;
  #handshake: ServerHandshake | undefined;
  readonly #streams = new MessageStreams();
  readonly #queue = new EventQueue<ServerEvent>();
  #pendingConnect: { command: Command; info: ConnectInfo } | undefined;
  #isConnected = false;
  /** The name that releaseStream or FCPublish gave, for a publish without one. */
  #announcedName = "";
  #publishKind: PublishKind = "flash-publish";
  #deadlineMs: number;
  #isRedirected = false;
  /** The client's address as a proxy in front of us told it, for logs. */
  proxiedAddress: string | undefined;

  /** @param nowMs Milliseconds on any monotonic clock, the one that `receive` is given too. */
  constructor(options: ServerSessionOptions, nowMs: number) {
    this.#options = options;
    this.#reader = new ChunkReader(options.limits);
    this.#reader.allow(EARLY_BYTES);
    this.#acknowledgement = new Acknowledgement(
      options.inAckSize,
      options.outAckSize,
      options.promptAcknowledgements ?? PROMPT_ACKNOWLEDGEMENTS,
    );
    this.#handshake = new ServerHandshake(options.randomBytes, Math.floor(nowMs / 1000));
    this.#deadlineMs = nowMs + options.handshakeTimeoutMs;
  }

  /** Whether the client has been let in. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /**
   * Takes bytes from the peer, in order. They are read in place until the events are drained.
   *
   * @param isMoreWaiting There is more to read at once.
   */
  receive(bytes: Uint8Array, isMoreWaiting: boolean = false): void {
    const sequence = this.#acknowledgement.receive(bytes.length, isMoreWaiting);
    let rest: Uint8Array | undefined = bytes;
    if (this.#handshake !== undefined) {
      const step = this.#handshake.receive(bytes);
      if (step.output !== undefined) this.#output.raw(step.output);
      rest = step.rest;
      if (rest !== undefined) {
        this.proxiedAddress = this.#handshake.proxiedAddress;
        this.#handshake = undefined;
        // Said to everyone before connect is answered. Said now, it also lets a client go on that waits with its connect until it
        // hears that its handshake has come.
        this.say.window(this.#options.outAckSize);
      }
    }
    this.#acknowledge(sequence);
    if (rest !== undefined && rest.length > 0) this.#reader.push(rest);
  }

  /**
   * The next thing to know, or undefined until more is received.
   *
   * @throws {RtmpError} When the peer breaks the protocol or a limit.
   */
  nextEvent(nowMs: number): ServerEvent | undefined {
    for (;;) {
      const queued = this.#queue.take();
      if (queued !== undefined) return queued;
      if (this.#handshake !== undefined) return undefined;
      const message = this.#nextMessage();
      if (message === undefined) return undefined;
      const event = this.#read(message, nowMs);
      if (event !== undefined) return event;
    }
  }

  /** A chunk stream that is broken ends the connection, with a word to a client that could read one so far. */
  #nextMessage(): RawMessage | undefined {
    try {
      return this.#reader.next();
    } catch (error) {
      if (error instanceof RtmpError) this.#sayClosed(error);
      throw error;
    }
  }

  #sayClosed({ message }: RtmpError): void {
    if (!this.#isConnected) return;
    this.say.closed(message);
  }

  /** Acknowledges what is due to a peer that has said nothing since the last call; to be called now and then. */
  acknowledgeStalled(): void {
    this.#acknowledge(this.#acknowledgement.takeStalled());
  }

  #acknowledge(sequence: number | undefined): void {
    if (sequence === undefined || !this.#isConnected) return;
    this.#output.control(MESSAGE_TYPE.acknowledgement, encodeUint32(sequence));
  }

  /** What to send, or undefined. */
  takeOutput(): Uint8Array | undefined {
    return this.#output.takeOrAcknowledge(this.#acknowledgement, this.#isConnected);
  }

  /** @throws {RtmpError} `handshake-timeout` or `idle-timeout` when the peer has had its time. */
  checkDeadline(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    const { handshakeTimeoutMs, idleTimeoutMs } = this.#options;
    const error = this.#isConnected
      ? new RtmpError("idle-timeout", `Cannot wait for publish or play: none within ${idleTimeoutMs} ms`)
      : new RtmpError(
        "handshake-timeout",
        `Cannot complete ${
          this.#handshake ? "handshake" : "connect"
        }: not done within ${handshakeTimeoutMs} ms`,
      );
    this.#sayClosed(error);
    throw error;
  }

  /** Lets the client in. */
  acceptConnect(nowMs: number): void {
    const pending = this.#takePendingConnect();
    const { chunkSize, identity } = this.#options;
    this.#output.setChunkSize(chunkSize);
    this.say.connected(pending.command, pending.info, identity);
    this.#isConnected = true;
    this.#reader.allow(UNPUBLISHED_BYTES);
    this.#touch(nowMs);
  }

  /** Refuses the client; send the output, then close. */
  rejectConnect(code: string, description: string): void {
    this.say.error(this.#takePendingConnect().command, code, description);
  }

  /** Lets the encoder publish. */
  acceptPublish(messageStreamId: number): void {
    this.#acknowledgement.endPrompt();
    this.#reader.allow(Infinity);
    const stream = this.#streams.open(messageStreamId);
    stream.kind = "publishing";
    this.#deadlineMs = Infinity;
    this.say.publishStarted(messageStreamId, stream.publishKind);
  }

  /** Lets the player play. `chunkSize` is that of the stream's bytes. */
  acceptPlay(messageStreamId: number, chunkSize: number): void {
    this.#streams.open(messageStreamId).kind = "playing";
    this.#deadlineMs = Infinity;
    this.say.playStarted(messageStreamId, chunkSize);
  }

  /** SRS's RTMP 302: `tcUrl` for old followers, `url` with the stream for newer ones. */
  redirect(tcUrl: string, url: string): void {
    this.say.redirected(tcUrl, url);
    this.#isRedirected = true;
  }

  /** Asks for a sign of life; also makes a dead connection fail. */
  ping(nowMs: number): void {
    if (this.#isConnected) this.#output.userControl(USER_CONTROL.pingRequest, nowMs >>> 0);
  }

  #read(message: RawMessage, nowMs: number): ServerEvent | undefined {
    switch (message.typeId) {
      case MESSAGE_TYPE.audio:
      case MESSAGE_TYPE.video:
      case MESSAGE_TYPE.data:
      case MESSAGE_TYPE.dataAmf3: {
        const messageStreamId = this.#streams.publishingId(message.messageStreamId);
        if (messageStreamId === undefined) return undefined;
        const media = readFeedMessage(message);
        return media && { kind: "media", messageStreamId, ...media };
      }
      case MESSAGE_TYPE.command:
      case MESSAGE_TYPE.commandAmf3: {
        const command = decodeCommand(message.typeId, message.payload, this.#options.limits);
        return command && this.#answer(command, message.messageStreamId, nowMs);
      }
      case MESSAGE_TYPE.aggregate: {
        const messageStreamId = this.#streams.publishingId(message.messageStreamId);
        if (messageStreamId === undefined) return undefined;
        const { parts, error } = splitAggregate(message.payload, message.timestamp);
        for (const part of parts) {
          const media = readFeedMessage(part);
          if (media !== undefined) this.#queue.push({ kind: "media", messageStreamId, ...media });
        }
        if (error !== undefined) {
          this.#queue.push({ kind: "leftOut", messageStreamId, what: "aggregate", error });
        }
        return this.#queue.take();
      }
      case MESSAGE_TYPE.windowAcknowledgementSize:
        if (message.payload.length >= 4) this.#acknowledgement.setWindow(controlValue(message));
        return undefined;
      case MESSAGE_TYPE.userControl:
        this.#userControl(message);
        return undefined;
      default:
        // Acknowledgements, Set Peer Bandwidth, shared objects and what nobody knows: unknown is not wrong.
        return undefined;
    }
  }

  #userControl(message: RawMessage): void {
    const { payload } = message;
    const event = ((payload[0] ?? 0) << 8) | (payload[1] ?? 0);
    // Before connect nobody is answered: what waits to be sent is memory too.
    if (this.#isConnected && payload.length >= 6 && event === USER_CONTROL.pingRequest) {
      const view = new DataView(payload.buffer, payload.byteOffset);
      this.#output.userControl(USER_CONTROL.pingResponse, view.getUint32(2));
    }
  }

  /** What ends the connection is told to the client first. */
  #answer(command: Command, messageStreamId: number, nowMs: number): ServerEvent | undefined {
    try {
      return this.#command(command, messageStreamId, nowMs);
    } catch (error) {
      if (error instanceof RtmpError) this.#refuse(command, messageStreamId, error);
      throw error;
    }
  }

  #refuse(command: Command, messageStreamId: number, error: RtmpError): void {
    const { name } = command;
    if (name === "publish" || name === "play") {
      const code = name === "publish" ? "NetStream.Publish.Failed" : "NetStream.Play.Failed";
      this.say.refused(this.#idOf(messageStreamId), code, error.message);
      return;
    }
    const code = error.rtmpStatus ??
      (name === "connect" ? "NetConnection.Connect.Rejected" : "NetConnection.Call.Failed");
    this.say.error(command, code, error.message);
  }

  #command(command: Command, messageStreamId: number, nowMs: number): ServerEvent | undefined {
    if (!this.#isConnected) {
      if (command.name !== "connect") {
        throw new RtmpError(
          "unexpected-command",
          `Cannot accept command '${command.name.slice(0, 64)}' before connect`,
        );
      }
      const info = readConnect(command);
      this.#pendingConnect = { command, info };
      return { kind: "connect", info };
    }
    switch (command.name) {
      case "createStream":
        this.say.result(command, this.#streams.create());
        return undefined;
      case "releaseStream":
      case "FCPublish":
        this.#publishKind =
          command.name === "FCPublish" && this.#streams.size > 0 && this.#publishKind === "flash-publish"
            ? "haivision-publish"
            : this.#publishKind === "haivision-publish"
            ? "haivision-publish"
            : "fmle-publish";
        if (typeof command.arguments[0] === "string") this.#announcedName = command.arguments[0];
        this.say.result(command, undefined);
        return undefined;
      case "publish":
        return this.#publish(command, this.#idOf(messageStreamId), nowMs);
      case "play":
        return this.#play(command, messageStreamId, nowMs);
      case "FCUnpublish":
        return this.#unpublish(command, nowMs);
      case "closeStream":
        return this.#stop(messageStreamId, nowMs);
      case "deleteStream": {
        const id = command.arguments[0];
        const target = typeof id === "number" ? id : messageStreamId;
        const event = this.#stop(target, nowMs);
        this.#streams.delete(target);
        return event;
      }
      case "pause":
      case "pauseRaw":
        return this.#pause(command, messageStreamId);
      case "receiveAudio":
      case "receiveVideo": {
        const media = command.name === "receiveAudio" ? "audio" : "video";
        if (command.transactionId > 0) this.say.result(command, null);
        return {
          kind: "receive",
          messageStreamId: this.#idOf(messageStreamId),
          media,
          isOn: command.arguments[0] !== false,
        };
      }
      case "seek":
        this.say.refused(messageStreamId, "NetStream.Seek.Failed", "Cannot seek in a live stream");
        return undefined;
      case "getStreamLength":
        this.say.result(command, 0);
        return undefined;
      case "connect":
        throw new RtmpError("unexpected-command", "Cannot accept connect: the connection has one already");
      default:
        if (this.#isRedirected && command.arguments.some((value) => typeof value === "string")) {
          return { kind: "redirectAnswered" };
        }
        if (command.transactionId > 0 && command.name !== "_result" && command.name !== "_error") {
          this.say.result(command, null);
        }
        return undefined;
    }
  }

  #publish(command: Command, messageStreamId: number, nowMs: number): ServerEvent | undefined {
    const named = command.arguments[0];
    if (named === false || named === null) return this.#stop(messageStreamId, nowMs); // publish(false) stops, as in Flash
    const name = typeof named === "string" && named !== "" ? named : this.#announcedName;
    const stream = this.#streams.open(messageStreamId);
    if (stream.kind !== "idle") {
      throw new RtmpError(
        "unexpected-command",
        `Cannot publish on message stream ${messageStreamId}: it is ${stream.kind}`,
      );
    }
    stream.publishKind = this.#publishKind;
    return { kind: "publish", messageStreamId, name, publishKind: this.#publishKind };
  }

  #play(command: Command, messageStreamId: number, nowMs: number): ServerEvent | undefined {
    // A client that plays without createStream plays on stream 1, which is what SRS answers on.
    const id = this.#idOf(messageStreamId);
    const name = command.arguments[0];
    if (name === false || name === null) return this.#stop(id, nowMs);
    if (typeof name !== "string") {
      throw new RtmpError(
        "message-malformed",
        `Cannot play: the stream name is a ${typeof name}, expected a string`,
      );
    }
    const stream = this.#streams.open(id);
    if (stream.kind === "publishing") {
      throw new RtmpError("unexpected-command", `Cannot play on message stream ${id}: it is publishing`);
    }
    const duration = command.arguments[2];
    const play: ServerEvent = {
      kind: "play",
      messageStreamId: id,
      name,
      durationMs: typeof duration === "number" && duration > 0 ? duration : undefined,
    };
    if (stream.kind !== "playing") return play;
    stream.kind = "idle";
    this.#queue.push(play);
    return { kind: "stop", messageStreamId: id };
  }

  /** FCUnpublish names a stream, not a message stream; encoders have one. */
  #unpublish(command: Command, nowMs: number): ServerEvent | undefined {
    const id = this.#streams.firstPublishing;
    if (id === undefined) {
      this.say.result(command, undefined);
      return undefined;
    }
    this.say.unpublished(id, command);
    return this.#stop(id, nowMs);
  }

  #stop(messageStreamId: number, nowMs: number): ServerEvent | undefined {
    const id = this.#idOf(messageStreamId);
    const stream = this.#streams.get(id);
    if (stream === undefined || stream.kind === "idle") return undefined;
    stream.kind = "idle";
    if (!this.#streams.isActive) this.#touch(nowMs);
    return { kind: "stop", messageStreamId: id };
  }

  #pause(command: Command, messageStreamId: number): ServerEvent | undefined {
    const id = this.#idOf(messageStreamId);
    if (this.#streams.get(id)?.kind !== "playing") return undefined;
    const isPaused = command.arguments[0] === true;
    this.say.paused(id, isPaused);
    return { kind: "pause", messageStreamId: id, isPaused };
  }

  #idOf(messageStreamId: number): number {
    return messageStreamId === 0 ? 1 : messageStreamId;
  }

  #touch(nowMs: number): void {
    this.#deadlineMs = nowMs + this.#options.idleTimeoutMs;
  }

  #takePendingConnect(): { command: Command; info: ConnectInfo } {
    const pending = this.#pendingConnect;
    if (pending === undefined) throw new TypeError("Cannot answer connect: none is pending");
    this.#pendingConnect = undefined;
    return pending;
  }
}
