import { type ByteDuplex, dialTcp, type SocketAddress } from "../../lib/net/tcp.ts";
import { Amf0Object, type Amf0Value, decodeAmf0, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { type ChunkedMessage, encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { type Command, decodeCommand, encodeCommand } from "../../lib/wire/commands.ts";
import { encodeUint32 } from "../../lib/wire/control.ts";
import { ClientHandshake } from "../../lib/wire/handshake.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { withDeadline } from "./deadline.ts";

/** A message with a payload of its own. */
export type ReceivedMessage = RawMessage;

/** A status that a server gave. */
export interface ReceivedStatus {
  readonly level: string;
  readonly code: string;
  readonly description: string;
  readonly object: Amf0Object;
}

/** A small RTMP client that does what a test tells it, and answers nothing by itself. */
export class RtmpTestClient {
  readonly duplex: ByteDuplex;
  readonly #reader = new ChunkReader();
  readonly #buffer = new Uint8Array(64 * 1024);
  /** The read under way. */
  #reading: Promise<number | null> | undefined;
  readonly #handshake = new ClientHandshake((length) => crypto.getRandomValues(new Uint8Array(length)), 0);
  #isShaken = false;
  /** Came, but not taken yet. */
  readonly #messages: ReceivedMessage[] = [];
  #transactionId = 0;
  #chunkSize = 128;
  /** Every message that came, in order, for what a test wants to look at later. */
  readonly seen: ReceivedMessage[] = [];
  receivedBytes = 0;
  timeoutMs = 10_000;

  constructor(duplex: ByteDuplex) {
    this.duplex = duplex;
  }

  /** Opens a TCP connection; says nothing yet. */
  static async dial(address: SocketAddress): Promise<RtmpTestClient> {
    const hostname = address.hostname === "0.0.0.0" ? "127.0.0.1" : address.hostname;
    return new RtmpTestClient(await dialTcp({ hostname, port: address.port }, 5000));
  }

  /** Dials, shakes hands and connects to an app. */
  static async connect(
    address: SocketAddress,
    app: string,
    properties: Record<string, Amf0Value> = {},
  ): Promise<RtmpTestClient> {
    const client = await RtmpTestClient.dial(address);
    try {
      await client.handshake();
      await client.sendConnect(`rtmp://127.0.0.1:${address.port}/${app}`, app, properties);
      const answer = await client.answer();
      if (answer.name !== "_result") throw new Error(`connect was answered with ${answer.name}`);
      return client;
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** Connects, creates a stream and publishes; ready for media on message stream 1. */
  static async publish(address: SocketAddress, app: string, name: string): Promise<RtmpTestClient> {
    const client = await RtmpTestClient.connect(address, app);
    const id = await client.createStream();
    await client.sendCommand("publish", id, null, name, "live");
    const status = await client.status();
    if (status.code !== "NetStream.Publish.Start") {
      client.close();
      throw new Error(`publish was answered with ${status.code}: ${status.description}`);
    }
    return client;
  }

  /** Connects, creates a stream and plays; the next messages are media. */
  static async play(address: SocketAddress, app: string, name: string): Promise<RtmpTestClient> {
    const client = await RtmpTestClient.connect(address, app);
    const id = await client.createStream();
    await client.sendCommand("play", id, null, name, -2000);
    for (;;) {
      const status = await client.status();
      if (status.code === "NetStream.Play.Start") return client;
      if (status.level !== "error") continue;
      client.close();
      throw new Error(`play was answered with ${status.code}: ${status.description}`);
    }
  }

  async handshake(): Promise<void> {
    await this.send(this.#handshake.start());
    while (!this.#isShaken) await this.#read();
  }

  async sendConnect(tcUrl: string, app: string, properties: Record<string, Amf0Value> = {}): Promise<void> {
    await this.sendRaw(
      MESSAGE_TYPE.command,
      0,
      encodeCommand(
        "connect",
        ++this.#transactionId,
        Amf0Object.from({ app, tcUrl, flashVer: "test", ...properties }),
      ),
    );
  }

  /** @returns The message stream id. */
  async createStream(): Promise<number> {
    const transactionId = await this.sendCommand("createStream", 0, null);
    const answer = await this.answer(transactionId);
    return answer.arguments[0] as number;
  }

  /** Sends a command with the next transaction id, and returns that id. */
  async sendCommand(name: string, messageStreamId: number, ...values: Amf0Value[]): Promise<number> {
    const [object = null, ...rest] = values;
    const transactionId = ++this.#transactionId;
    const payload = encodeCommand(name, transactionId, object, ...rest);
    await this.sendRaw(MESSAGE_TYPE.command, messageStreamId, payload);
    return transactionId;
  }

  /** Sends `@setDataFrame onMetaData`. */
  sendMetadata(properties: Record<string, Amf0Value>, messageStreamId = 1): Promise<void> {
    const payload = encodeAmf0(["@setDataFrame", "onMetaData", Amf0Object.from(properties)]);
    return this.sendRaw(MESSAGE_TYPE.data, messageStreamId, payload);
  }

  /** Sends an audio (8) or video (9) message. */
  sendMedia(
    typeId: number,
    timestamp: number,
    payload: Uint8Array,
    messageStreamId = 1,
  ): Promise<void> {
    const chunkStreamId = typeId === MESSAGE_TYPE.video ? 6 : 4;
    return this.sendMessage({ typeId, timestamp, messageStreamId, chunkStreamId }, payload);
  }

  /** Sends a message that has no time. */
  sendRaw(typeId: number, messageStreamId: number, payload: Uint8Array): Promise<void> {
    const chunkStreamId = typeId <= 6 ? 2 : messageStreamId === 0 ? 3 : 8;
    return this.sendMessage({ typeId, timestamp: 0, messageStreamId, chunkStreamId }, payload);
  }

  sendMessage(message: ChunkedMessage, payload: Uint8Array): Promise<void> {
    return this.send(encodeChunks(message, payload, this.#chunkSize));
  }

  async setChunkSize(bytes: number): Promise<void> {
    await this.sendRaw(MESSAGE_TYPE.setChunkSize, 0, encodeUint32(bytes));
    this.#chunkSize = bytes;
  }

  /** Sends bytes as they are. */
  async send(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) sent += await this.duplex.write(bytes.subarray(sent));
  }

  /** The next message; undefined when the server has closed the connection. */
  async next(): Promise<ReceivedMessage | undefined> {
    while (this.#messages.length === 0) if (!await this.#read()) return undefined;
    return this.#messages.shift();
  }

  /** The next message of a type (or one of several); others are passed over. */
  async nextOf(...typeIds: number[]): Promise<ReceivedMessage> {
    for (;;) {
      const message = await this.next();
      if (message === undefined) throw new Error(`Connection closed before a message of type ${typeIds}`);
      if (typeIds.includes(message.typeId)) return message;
    }
  }

  /** The next audio or video message. */
  nextMedia(): Promise<ReceivedMessage> {
    return this.nextOf(MESSAGE_TYPE.audio, MESSAGE_TYPE.video);
  }

  /** The next command; others than `name` are passed over when it is given. */
  async command(name?: string): Promise<Command> {
    for (;;) {
      const message = await this.nextOf(MESSAGE_TYPE.command);
      const command = decodeCommand(message.typeId, message.payload, DEFAULT_WIRE_LIMITS);
      if (command !== undefined && (name === undefined || command.name === name)) return command;
    }
  }

  /** The next `_result` or `_error`, of one transaction when it is given. */
  async answer(transactionId?: number): Promise<Command> {
    for (;;) {
      const command = await this.command();
      const isAnswer = command.name === "_result" || command.name === "_error";
      if (isAnswer && (transactionId === undefined || command.transactionId === transactionId)) {
        return command;
      }
    }
  }

  /** The next `onStatus`. */
  async status(): Promise<ReceivedStatus> {
    const { arguments: [object] } = await this.command("onStatus");
    if (!(object instanceof Amf0Object)) throw new Error("onStatus has no object");
    return {
      level: object.getString("level") ?? "",
      code: object.getString("code") ?? "",
      description: object.getString("description") ?? "",
      object,
    };
  }

  /** Reads until the server closes the connection. */
  async closed(): Promise<void> {
    while (await this.next() !== undefined);
  }

  /** Closes the connection without a word. */
  close(): void {
    this.duplex.close();
    this.#reading?.catch(() => {});
  }

  /** Reads once; false at the end. A connection that was reset is at its end. */
  async #read(): Promise<boolean> {
    let count: number | null = null;
    try {
      this.#reading ??= this.duplex.read(this.#buffer);
      count = await withDeadline(this.#reading, "bytes from the server", this.timeoutMs);
      this.#reading = undefined;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BadResource)) {
        throw error;
      }
    }
    if (count === null) return false;
    const value = this.#buffer.subarray(0, count);
    this.receivedBytes += value.length;
    let rest: Uint8Array | undefined = value;
    if (!this.#isShaken) {
      const step = this.#handshake.receive(value);
      if (step.output !== undefined) await this.send(step.output);
      rest = step.rest;
      this.#isShaken = rest !== undefined;
    }
    if (rest === undefined) return true;
    this.#reader.push(rest);
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      const owned = { ...message, payload: message.payload.slice() };
      this.#messages.push(owned);
      this.seen.push(owned);
    }
    return true;
  }
}

/** The values of a data message. */
export function dataValues(message: ReceivedMessage): Amf0Value[] {
  return decodeAmf0(message.payload);
}
