import { RtmpError } from "../base/errors.ts";
import { splitAggregate } from "../wire/aggregate.ts";
import { ChunkReader, controlValue, type RawMessage } from "../wire/chunk_reader.ts";
import { type Command, decodeCommand } from "../wire/commands.ts";
import { decodeUserControl, encodeUint32 } from "../wire/control.ts";
import { type FeedMessage, readFeedMessage } from "../wire/feed_message.ts";
import type { HandshakeStep } from "../wire/handshake.ts";
import type { WireLimits } from "../wire/limits.ts";
import { MESSAGE_TYPE, USER_CONTROL } from "../wire/message_type.ts";
import type { Acknowledgement } from "./acknowledgement.ts";
import { EventQueue } from "./event_queue.ts";
import type { MessageOutput } from "./message_output.ts";

/** Audio, video or data for a stream. The payload is a view, valid until the next event is asked for. */
export interface MediaMessage extends FeedMessage {
  readonly kind: "media";
  readonly messageStreamId: number;
}

/** A part of what the peer sent could not be read, and counts for nothing. */
export interface LeftOutMessage {
  readonly kind: "leftOut";
  readonly messageStreamId: number;
  readonly what: "aggregate";
  readonly error: RtmpError;
}

export interface CommandMessage {
  readonly kind: "command";
  readonly messageStreamId: number;
  readonly command: Command;
}

/** What is left for one half of a session to understand. */
export type InputMessage = MediaMessage | LeftOutMessage | CommandMessage;

/** What one half of a session does with its input. */
export interface InputHandler<Event> {
  /** The handshake is done: called before anything behind it is read. */
  onHandshake(): void;
  /** The stream that takes media which names this one; undefined: none does, and it is not even looked at. */
  feedId(messageStreamId: number): number | undefined;
  /** What a message means to the session's owner; undefined: nothing. May throw. */
  read(message: InputMessage): Event | undefined;
  /** The chunk stream is broken: nothing more can be read of it. */
  onBroken?(error: RtmpError): void;
}

/** Either side's handshake. */
interface Handshake {
  receive(bytes: Uint8Array): HandshakeStep;
}

export interface MessageInputOptions<Event> {
  readonly handshake: Handshake;
  readonly limits: WireLimits;
  readonly acknowledgement: Acknowledgement;
  /** Where acknowledgements and pings are said. */
  readonly output: MessageOutput;
  readonly handler: InputHandler<Event>;
}

/**
 * Reads what a peer sends, the same for both halves of a session: handshake, chunks, aggregates, acknowledgements, pings. What is
 * left becomes events.
 *
 * After a throw of `receive` or `nextEvent` it is dead, whoever threw: every further call of them throws the same error.
 */
export class MessageInput<Event> {
  readonly #acknowledgement: Acknowledgement;
  readonly #limits: WireLimits;
  readonly #output: MessageOutput;
  readonly #handler: InputHandler<Event>;
  readonly #reader: ChunkReader;
  readonly #queue = new EventQueue<Event>();
  #handshake: Handshake | undefined;
  #mayAnswer = false;
  #hasPong = false;
  #failure: { readonly error: unknown } | undefined;

  constructor(options: MessageInputOptions<Event>) {
    this.#acknowledgement = options.acknowledgement;
    this.#limits = options.limits;
    this.#output = options.output;
    this.#handler = options.handler;
    this.#handshake = options.handshake;
    this.#reader = new ChunkReader(options.limits);
  }

  /** Whether the peer has ever answered a ping. */
  get hasPong(): boolean {
    return this.#hasPong;
  }

  /** Bytes of unfinished messages that the peer may make us hold; the limits' own when that is less. */
  allow(bytes: number): void {
    this.#reader.allow(bytes);
  }

  /** Lets an event come right after the one that the handler's `read` returns. */
  follow(event: Event): void {
    this.#queue.push(event);
  }

  /** From now on the peer is acknowledged and pinged, and its pings are answered: what waits to be sent is memory too. */
  startAnswering(): void {
    this.#mayAnswer = true;
  }

  /**
   * Takes bytes from the peer, in order. They are read in place until the events are drained.
   *
   * @param isMoreWaiting There is more to read at once.
   * @throws {RtmpError} When the peer breaks the handshake.
   */
  receive(bytes: Uint8Array, isMoreWaiting: boolean): void {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      const sequence = this.#acknowledgement.receive(bytes.length, isMoreWaiting);
      const rest = this.#handshake === undefined ? bytes : this.#shakeHands(this.#handshake, bytes);
      this.#acknowledge(sequence);
      if (rest !== undefined && rest.length > 0) this.#reader.push(rest);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  /** Counts bytes that are not read, so that the peer is still acknowledged; nothing can be received behind them. */
  skip(byteCount: number): void {
    this.#failure ??= { error: new Error("Cannot receive: what came before was skipped") };
    this.#acknowledge(this.#acknowledgement.receive(byteCount, false));
  }

  /** What came behind the handshake; undefined while it is not done. */
  #shakeHands(handshake: Handshake, bytes: Uint8Array): Uint8Array | undefined {
    const { output, rest } = handshake.receive(bytes);
    if (output !== undefined) this.#output.raw(output);
    if (rest === undefined) return undefined;
    this.#handshake = undefined;
    this.#handler.onHandshake();
    return rest;
  }

  /**
   * The next event, or undefined until more is received.
   *
   * @throws {RtmpError} When the peer breaks the protocol or a limit.
   */
  nextEvent(): Event | undefined {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      return this.#nextEvent();
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #nextEvent(): Event | undefined {
    for (;;) {
      const queued = this.#queue.take();
      if (queued !== undefined) return queued;
      if (this.#handshake !== undefined) return undefined;
      const message = this.#nextMessage();
      if (message === undefined) return undefined;
      const event = this.#read(message);
      if (event !== undefined) return event;
    }
  }

  #nextMessage(): RawMessage | undefined {
    try {
      return this.#reader.next();
    } catch (error) {
      if (error instanceof RtmpError) this.#handler.onBroken?.(error);
      throw error;
    }
  }

  #read(message: RawMessage): Event | undefined {
    const { typeId, payload } = message;
    switch (typeId) {
      case MESSAGE_TYPE.audio:
      case MESSAGE_TYPE.video:
      case MESSAGE_TYPE.data:
      case MESSAGE_TYPE.dataAmf3: {
        const messageStreamId = this.#handler.feedId(message.messageStreamId);
        return messageStreamId === undefined ? undefined : this.#readMedia(messageStreamId, message);
      }
      case MESSAGE_TYPE.aggregate: {
        const messageStreamId = this.#handler.feedId(message.messageStreamId);
        return messageStreamId === undefined ? undefined : this.#readAggregate(messageStreamId, message);
      }
      case MESSAGE_TYPE.command:
      case MESSAGE_TYPE.commandAmf3: {
        const command = decodeCommand(typeId, payload, this.#limits);
        if (command === undefined) return undefined;
        return this.#handler.read({ kind: "command", messageStreamId: message.messageStreamId, command });
      }
      case MESSAGE_TYPE.windowAcknowledgementSize:
        if (payload.length >= 4) this.#acknowledgement.setWindow(controlValue(message));
        return undefined;
      case MESSAGE_TYPE.userControl:
        this.#readUserControl(payload);
        return undefined;
      default:
        // Acknowledgements, Set Peer Bandwidth, shared objects and what nobody knows: unknown is not wrong.
        return undefined;
    }
  }

  #readMedia(messageStreamId: number, message: FeedMessage): Event | undefined {
    const media = readFeedMessage(message);
    return media && this.#handler.read({ kind: "media", messageStreamId, ...media });
  }

  #readAggregate(messageStreamId: number, { payload, timestamp }: RawMessage): Event | undefined {
    const { parts, error } = splitAggregate(payload, timestamp);
    for (const part of parts) this.#push(this.#readMedia(messageStreamId, part));
    if (error !== undefined) {
      this.#push(this.#handler.read({ kind: "leftOut", messageStreamId, what: "aggregate", error }));
    }
    return this.#queue.take();
  }

  #push(event: Event | undefined): void {
    if (event !== undefined) this.#queue.push(event);
  }

  #readUserControl(body: Uint8Array): void {
    const control = decodeUserControl(body);
    if (control?.event === USER_CONTROL.pingResponse) this.#hasPong = true;
    if (control?.event === USER_CONTROL.pingRequest && control.value !== undefined && this.#mayAnswer) {
      this.#output.userControl(USER_CONTROL.pingResponse, control.value);
    }
  }

  /** Asks for a sign of life; also makes a dead connection fail. */
  ping(nowMs: number): void {
    if (this.#mayAnswer) this.#output.userControl(USER_CONTROL.pingRequest, nowMs >>> 0);
  }

  /** Acknowledges what is due to a peer that has said nothing since the last call; to be called now and then. */
  acknowledgeStalled(): void {
    this.#acknowledge(this.#acknowledgement.takeStalled());
  }

  /** To be called before the output is taken: where there is nothing to say, an acknowledgement may be due at once. */
  acknowledgePromptly(): void {
    if (this.#mayAnswer && this.#output.isEmpty) this.#acknowledge(this.#acknowledgement.takePrompt());
    else this.#acknowledgement.noteAnswer();
  }

  #acknowledge(sequence: number | undefined): void {
    if (sequence === undefined || !this.#mayAnswer) return;
    this.#output.control(MESSAGE_TYPE.acknowledgement, encodeUint32(sequence));
  }
}
