import { RtmpError } from "../base/errors.ts";
import { Amf0Object, type Amf0Value } from "../wire/amf0.ts";
import { ALL_CAPS_EX, type Command, encodeCommand } from "../wire/commands.ts";
import { encodeUint32 } from "../wire/control.ts";
import { ClientHandshake, type RandomBytes } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import { MESSAGE_TYPE, USER_CONTROL } from "../wire/message_type.ts";
import { Acknowledgement, PROMPT_ACKNOWLEDGEMENTS } from "./acknowledgement.ts";
import { type InputMessage, type LeftOutMessage, type MediaMessage, MessageInput } from "./message_input.ts";
import { MessageOutput } from "./message_output.ts";

const WINDOW_BYTES = 2_500_000;
const BUFFER_MS = 1000;

export interface ClientSessionOptions {
  /** What to do once connected; "connect": nothing, until `open` says it. */
  readonly purpose: "play" | "publish" | "connect";
  readonly tcUrl: string;
  readonly app: string;
  /** The stream's name with its parameters; empty for "connect". */
  readonly streamName: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  /** The second object of connect: who we are, in SRS's fields and ours. */
  readonly argumentsObject: Readonly<Record<string, Amf0Value>> | undefined;
  /**
   * What a node of the server's cluster adds to it, to say for which clients it vouches.
   *
   * @param challenge Random bytes that the server chose for this connection.
   */
  readonly vouch?: ((challenge: Uint8Array) => Readonly<Record<string, Amf0Value>>) | undefined;
  /** Chunk size towards the server, in bytes. */
  readonly chunkSize: number;
  /** Whether `connect` says that we take all that Enhanced RTMP has; default true. */
  readonly isEnhanced?: boolean;
  /** What it says then that we can do besides; default all that Enhanced RTMP has. */
  readonly capsEx?: number;
  /**
   * How to speak: `srs`, as an SRS edge does (default), or `encoder`, as OBS publishes, which platforms expect: no more than they know in
   * connect, releaseStream and FCPublish, and the chunk size at once.
   */
  readonly manner?: "srs" | "encoder";
  /** Reads at the connection's beginning that are answered at once; default 8. */
  readonly promptAcknowledgements?: number;
  readonly limits: WireLimits;
  readonly randomBytes: RandomBytes;
}

/** What a session tells its owner. */
export type ClientEvent =
  /** The server let us in; what it said of itself. */
  | { readonly kind: "connected"; readonly server: Amf0Object }
  /** Play.Start or Publish.Start. */
  | { readonly kind: "started"; readonly messageStreamId: number }
  | MediaMessage
  | LeftOutMessage
  /** Go elsewhere: SRS's 302 (at once), or Enhanced RTMP's ReconnectRequest (when it suits). */
  | { readonly kind: "redirect"; readonly url: string; readonly isUrgent: boolean }
  | { readonly kind: "refused"; readonly code: string; readonly description: string }
  /** The server says that the stream is over. */
  | { readonly kind: "ended"; readonly code: string };

/**
 * The client's half of one RTMP connection, as SRS's edge and forwarder speak it: connect, createStream, play or publish, without
 * waiting for more answers than needed. The drain rule of `ServerSession` holds here too, and what a throw means.
 */
export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #output = new MessageOutput();
  readonly #input: MessageInput<ClientEvent>;
  readonly #createStreamId: number;
  #purpose: ClientSessionOptions["purpose"];
  #streamName: string;
  #messageStreamId = 1;
  #hasAsked = false;
  #isConnected = false;

  /** @param nowSeconds Seconds on any clock, for the handshake. */
  constructor(options: ClientSessionOptions, nowSeconds: number) {
    const { limits, randomBytes, promptAcknowledgements = PROMPT_ACKNOWLEDGEMENTS } = options;
    this.#options = options;
    this.#purpose = options.purpose;
    this.#streamName = options.streamName;
    this.#createStreamId = options.manner === "encoder" ? 4 : 2;
    const handshake = new ClientHandshake(randomBytes, nowSeconds);
    this.#input = new MessageInput<ClientEvent>({
      handshake,
      limits,
      acknowledgement: new Acknowledgement(0, WINDOW_BYTES, promptAcknowledgements),
      output: this.#output,
      handler: {
        onHandshake: () => this.#connect(handshake.challenge),
        feedId: (messageStreamId) => messageStreamId,
        read: (message) => this.#read(message),
      },
    });
    this.#output.raw(handshake.start());
  }

  /** The message stream that the server created for us. */
  get messageStreamId(): number {
    return this.#messageStreamId;
  }

  /** Whether play or publish has been sent. */
  get hasAsked(): boolean {
    return this.#hasAsked;
  }

  /** Whether the server has let us in. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  /** Whether the server has ever answered a ping. */
  get answersPings(): boolean {
    return this.#input.hasPong;
  }

  /**
   * Takes bytes from the server, in order. They are read in place until the events are drained.
   *
   * @throws {RtmpError} When the server breaks the handshake.
   */
  receive(bytes: Uint8Array): void {
    this.#input.receive(bytes, false);
  }

  /**
   * The next thing to know, or undefined until more is received.
   *
   * @throws {RtmpError} When the server breaks the protocol or a limit.
   */
  nextEvent(): ClientEvent | undefined {
    return this.#input.nextEvent();
  }

  /** What to send, or undefined. */
  takeOutput(): Uint8Array | undefined {
    this.#input.acknowledgePromptly();
    return this.#output.take();
  }

  /**
   * Says what to do with a connection that was made only to connect.
   *
   * @param streamName With its parameters.
   */
  open(purpose: "play" | "publish", streamName: string): void {
    this.#purpose = purpose;
    this.#streamName = streamName;
    this.#createStream();
  }

  /** Counts bytes that nobody looks at, so that the server is still acknowledged; nothing can be received any more. */
  skip(byteCount: number): void {
    this.#input.skip(byteCount);
  }

  /** Asks for a sign of life. */
  ping(nowMs: number): void {
    this.#input.ping(nowMs);
  }

  /** Says goodbye, since what we published or played is over; send the output, then close. */
  finish(): void {
    const streamName = this.#streamName;
    if (this.#purpose === "publish") {
      this.#output.command(0, encodeCommand("FCUnpublish", 0, null, streamName));
    }
    if (this.#purpose !== "connect") {
      this.#output.command(0, encodeCommand("deleteStream", 0, null, this.#messageStreamId));
    }
  }

  #connect(challenge: Uint8Array): void {
    this.#input.startAnswering();
    if (this.#options.manner === "encoder") return this.#connectAsEncoder();
    const { app, tcUrl, pageUrl, swfUrl, argumentsObject, vouch, isEnhanced = true, capsEx = ALL_CAPS_EX } =
      this.#options;
    const object = Amf0Object.from({
      app,
      flashVer: "WIN 15,0,0,239",
      swfUrl,
      tcUrl,
      fpad: false,
      capabilities: 239,
      audioCodecs: 3575,
      videoCodecs: 252,
      videoFunction: 1,
      pageUrl,
      objectEncoding: 0,
      // Messages are handed on as they are, whatever their codec; a ReconnectRequest is followed.
      ...(isEnhanced ? { fourCcList: ["*"], capsEx } : {}),
    });
    const rest = argumentsObject === undefined
      ? []
      : [Amf0Object.from({ ...argumentsObject, ...vouch?.(challenge) })];
    this.#output.command(0, encodeCommand("connect", 1, object, ...rest));
    this.#output.control(MESSAGE_TYPE.windowAcknowledgementSize, encodeUint32(WINDOW_BYTES));
  }

  #connectAsEncoder(): void {
    const { app, tcUrl, chunkSize } = this.#options;
    this.#output.setChunkSize(chunkSize);
    const flashVer = "FMLE/3.0 (compatible; FMSc/1.0)";
    const object = Amf0Object.from({ app, type: "nonprivate", flashVer, swfUrl: tcUrl, tcUrl });
    this.#output.command(0, encodeCommand("connect", 1, object));
  }

  #read(message: InputMessage): ClientEvent | undefined {
    switch (message.kind) {
      case "media":
        return message.typeId === MESSAGE_TYPE.data && isStreamNotice(message.payload) ? undefined : message;
      case "leftOut":
        return message;
      case "command":
        return this.#command(message.command);
      default:
        return message satisfies never;
    }
  }

  #command(command: Command): ClientEvent | undefined {
    const information = command.arguments[0];
    switch (command.name) {
      case "_result":
        if (command.transactionId === 1) return this.#connected(information);
        if (command.transactionId === this.#createStreamId && typeof information === "number") {
          this.#start(information);
        }
        return undefined;
      case "_error":
        // Helper commands may be refused; connect and createStream may not.
        return command.transactionId === 1 || command.transactionId === this.#createStreamId
          ? this.#refused(information)
          : undefined;
      case "onBWDone":
        if (this.#options.manner === "encoder") this.#output.command(0, encodeCommand("_checkbw", 0, null));
        return undefined;
      case "onStatus":
        return information instanceof Amf0Object ? this.#status(information) : undefined;
      default:
        return undefined;
    }
  }

  #connected(information: Amf0Value): ClientEvent {
    this.#isConnected = true;
    if (this.#purpose !== "connect") this.#createStream();
    const data = information instanceof Amf0Object ? information.get("data") : undefined;
    return { kind: "connected", server: data instanceof Amf0Object ? data : new Amf0Object() };
  }

  #createStream(): void {
    if (this.#options.manner === "encoder") {
      this.#output.command(0, encodeCommand("releaseStream", 2, null, this.#streamName));
      this.#output.command(0, encodeCommand("FCPublish", 3, null, this.#streamName));
    }
    this.#output.command(0, encodeCommand("createStream", this.#createStreamId, null));
  }

  #start(messageStreamId: number): void {
    this.#messageStreamId = messageStreamId;
    this.#hasAsked = true;
    const { chunkSize, manner } = this.#options;
    const streamName = this.#streamName;
    if (this.#purpose === "publish") {
      if (manner !== "encoder") this.#output.setChunkSize(chunkSize);
      this.#output.command(messageStreamId, encodeCommand("publish", 0, null, streamName, "live"));
    } else {
      this.#output.command(messageStreamId, encodeCommand("play", 0, null, streamName));
      this.#output.userControl(USER_CONTROL.setBufferLength, messageStreamId, BUFFER_MS);
      this.#output.setChunkSize(chunkSize);
    }
  }

  #status(information: Amf0Object): ClientEvent | undefined {
    const code = information.getString("code") ?? "";
    if (code === "NetConnection.Connect.ReconnectRequest") {
      return {
        kind: "redirect",
        url: information.getString("tcUrl") ?? this.#options.tcUrl,
        isUrgent: false,
      };
    }
    if (information.getString("level") === "error") return this.#refused(information);
    switch (code) {
      case "NetStream.Play.Start":
      case "NetStream.Publish.Start":
        return { kind: "started", messageStreamId: this.#messageStreamId };
      case "NetStream.Play.Stop":
      case "NetStream.Play.Complete":
      case "NetStream.Play.UnpublishNotify":
      case "NetStream.Unpublish.Success":
        return { kind: "ended", code };
      default:
        return undefined;
    }
  }

  /** A refusal, or SRS's 302 in the shape of one. */
  #refused(information: Amf0Value): ClientEvent {
    const object = information instanceof Amf0Object ? information : new Amf0Object();
    const ex = object.get("ex");
    if (ex instanceof Amf0Object) {
      const url = ex.getString("redirect2") ?? ex.getString("redirect");
      if (url !== undefined) return { kind: "redirect", url, isUrgent: true };
    }
    const code = object.getString("code") ?? "NetConnection.Call.Failed";
    return { kind: "refused", code, description: object.getString("description") ?? "" };
  }
}

const NOTICES = ["|RtmpSampleAccess", "onStatus"].map((name) => new TextEncoder().encode(name));

/** Data messages that a server adds for its own player, which no other player should get again. */
function isStreamNotice(body: Uint8Array): boolean {
  return NOTICES.some((name) =>
    body[0] === 2 && body[1] === 0 && body[2] === name.length &&
    name.every((byte, index) => body[3 + index] === byte)
  );
}

/** The error that a refusal by another server becomes here. */
export function refusalError(code: string, description: string): RtmpError {
  const text = `The other server refused: ${code}${description === "" ? "" : ` (${description})`}`;
  switch (code) {
    case "NetStream.Publish.BadName":
      return new RtmpError("stream-busy", text);
    case "NetStream.Play.StreamNotFound":
      return new RtmpError("stream-not-found", text);
    case "NetConnection.Connect.AppShutdown":
      return new RtmpError("shutting-down", text);
    case "NetConnection.Connect.Rejected":
    case "NetStream.Publish.Denied":
    case "NetStream.Publish.Rejected":
    case "NetStream.Publish.Unauthorized":
      return new RtmpError("unauthorized", text);
    default:
      return new RtmpError("remote-refused", text);
  }
}
