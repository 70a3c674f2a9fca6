import { RtmpError } from "../base/errors.ts";
import { type Command, type ConnectInfo, readConnect, type ServerIdentity } from "../wire/commands.ts";
import { type RandomBytes, ServerHandshake } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import { Acknowledgement, PROMPT_ACKNOWLEDGEMENTS } from "./acknowledgement.ts";
import { type CommandMessage, type InputMessage, MessageInput } from "./message_input.ts";
import { MessageOutput } from "./message_output.ts";
import { meantStreamId, MessageStreams } from "./message_streams.ts";
import { ServerAnswers } from "./server_answers.ts";
import { ServerCommands } from "./server_commands.ts";
import type { ServerEvent } from "./server_event.ts";

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
 * `play`) before the next event is taken, and send what `takeOutput()` gives. A throw of either ends the session: send what is left
 * and close. Every further call of them throws the same error.
 */
export class ServerSession {
  readonly #options: ServerSessionOptions;
  readonly #output = new MessageOutput();
  /** What may be said at any time. */
  readonly say: ServerAnswers = new ServerAnswers(this.#output);
  readonly #acknowledgement: Acknowledgement;
  /** Let go of when it is done: it holds memory. */
  #handshake: ServerHandshake | undefined;
  readonly #input: MessageInput<ServerEvent>;
  readonly #streams = new MessageStreams();
  readonly #commands: ServerCommands;
  #pendingConnect: { command: Command; info: ConnectInfo } | undefined;
  #isConnected = false;
  #challenge: Uint8Array = new Uint8Array(0);
  #nowMs: number;
  #deadlineMs: number;
  /** The client's address as a proxy in front of us told it, for logs. */
  proxiedAddress: string | undefined;

  /** @param nowMs Milliseconds on any monotonic clock, the one that `nextEvent` is given too. */
  constructor(options: ServerSessionOptions, nowMs: number) {
    const { inAckSize, outAckSize, promptAcknowledgements = PROMPT_ACKNOWLEDGEMENTS } = options;
    this.#options = options;
    this.#acknowledgement = new Acknowledgement(inAckSize, outAckSize, promptAcknowledgements);
    this.#handshake = new ServerHandshake(options.randomBytes, Math.floor(nowMs / 1000));
    this.#input = new MessageInput<ServerEvent>({
      handshake: this.#handshake,
      limits: options.limits,
      acknowledgement: this.#acknowledgement,
      output: this.#output,
      handler: {
        onHandshake: () => this.#endHandshake(),
        feedId: (messageStreamId) => this.#streams.publishingId(messageStreamId),
        read: (message) => this.#read(message),
        onBroken: (error) => this.#sayClosed(error),
      },
    });
    this.#input.allow(EARLY_BYTES);
    this.#commands = new ServerCommands({
      say: this.say,
      streams: this.#streams,
      follow: (event) => this.#input.follow(event),
    });
    this.#nowMs = nowMs;
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
   * @throws {RtmpError} When the peer breaks the handshake.
   */
  receive(bytes: Uint8Array, isMoreWaiting: boolean = false): void {
    this.#input.receive(bytes, isMoreWaiting);
  }

  /**
   * The next thing to know, or undefined until more is received.
   *
   * @throws {RtmpError} When the peer breaks the protocol or a limit.
   */
  nextEvent(nowMs: number): ServerEvent | undefined {
    this.#nowMs = nowMs;
    return this.#input.nextEvent();
  }

  /** Acknowledges what is due to a peer that has said nothing since the last call; to be called now and then. */
  acknowledgeStalled(): void {
    this.#input.acknowledgeStalled();
  }

  /** What to send, or undefined. */
  takeOutput(): Uint8Array | undefined {
    this.#input.acknowledgePromptly();
    return this.#output.take();
  }

  /** @throws {RtmpError} `handshake-timeout` or `idle-timeout` when the peer has had its time. */
  checkDeadline(nowMs: number): void {
    if (nowMs < this.#deadlineMs) return;
    const { handshakeTimeoutMs, idleTimeoutMs } = this.#options;
    const error = this.#isConnected
      ? new RtmpError(
        "idle-timeout",
        `Cannot keep the connection: no publish or play within ${idleTimeoutMs} ms`,
      )
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
    this.#input.startAnswering();
    this.#input.allow(UNPUBLISHED_BYTES);
    this.#touch(nowMs);
  }

  /** Refuses the client; send the output, then close. */
  rejectConnect(code: string, description: string): void {
    this.say.error(this.#takePendingConnect().command, code, description);
  }

  /**
   * Lets the encoder publish.
   *
   * @throws {TypeError} When it has not asked to.
   */
  acceptPublish(messageStreamId: number): void {
    const { publishKind } = this.#streams.accept(messageStreamId, "accept publish");
    this.#acknowledgement.endPrompt();
    this.#input.allow(Infinity);
    this.#deadlineMs = Infinity;
    this.say.publishStarted(messageStreamId, publishKind);
  }

  /**
   * Lets the player play. `chunkSize` is that of the stream's bytes.
   *
   * @throws {TypeError} When it has not asked to.
   */
  acceptPlay(messageStreamId: number, chunkSize: number): void {
    this.#streams.accept(messageStreamId, "accept play");
    this.#deadlineMs = Infinity;
    this.say.playStarted(messageStreamId, chunkSize);
  }

  /** SRS's RTMP 302: `tcUrl` for old followers, `url` with the stream for newer ones. */
  redirect(tcUrl: string, url: string): void {
    this.say.redirected(tcUrl, url);
    this.#commands.isRedirected = true;
  }

  /** Asks for a sign of life; also makes a dead connection fail. */
  ping(nowMs: number): void {
    this.#input.ping(nowMs);
  }

  #endHandshake(): void {
    this.proxiedAddress = this.#handshake?.proxiedAddress;
    this.#challenge = this.#handshake?.challenge ?? this.#challenge;
    this.#handshake = undefined;
    // Said to everyone before connect is answered. Said now, it also lets a client go on that waits with its connect until it hears
    // that its handshake has come.
    this.say.window(this.#options.outAckSize);
  }

  #read(message: InputMessage): ServerEvent | undefined {
    return message.kind === "command" ? this.#answer(message) : message;
  }

  /** What ends the connection is told to the client first. */
  #answer({ command, messageStreamId }: CommandMessage): ServerEvent | undefined {
    try {
      if (!this.#isConnected) return this.#connect(command);
      const event = this.#commands.answer(command, messageStreamId);
      if (event?.kind === "stop" && !this.#streams.isActive) this.#touch(this.#nowMs);
      return event;
    } catch (error) {
      if (error instanceof RtmpError) this.#refuse(command, messageStreamId, error);
      throw error;
    }
  }

  #connect(command: Command): ServerEvent {
    if (command.name !== "connect") {
      throw new RtmpError(
        "unexpected-command",
        `Cannot accept command '${command.name.slice(0, 64)}' before connect`,
      );
    }
    const info = readConnect(command, this.#challenge);
    this.#pendingConnect = { command, info };
    return { kind: "connect", info };
  }

  #refuse(command: Command, messageStreamId: number, error: RtmpError): void {
    const { name } = command;
    if (name === "publish" || name === "play") {
      const code = name === "publish" ? "NetStream.Publish.Failed" : "NetStream.Play.Failed";
      this.say.refused(meantStreamId(messageStreamId), code, error.message);
      return;
    }
    const code = error.rtmpStatus ??
      (name === "connect" ? "NetConnection.Connect.Rejected" : "NetConnection.Call.Failed");
    this.say.error(command, code, error.message);
  }

  /** A client that could read one so far is told why the connection ends. */
  #sayClosed({ message }: RtmpError): void {
    if (this.#isConnected) this.say.closed(message);
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
