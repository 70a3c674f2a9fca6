import { Amf0Object } from "../lib/wire/amf0.ts";
import { ChunkReader, controlValue, INITIAL_CHUNK_SIZE, type RawMessage } from "../lib/wire/chunk_reader.ts";
import { encodeChunks } from "../lib/wire/chunk_writer.ts";
import { type Command, decodeCommand, encodeCommand } from "../lib/wire/commands.ts";
import { encodeUint32 } from "../lib/wire/control.ts";
import { ClientHandshake } from "../lib/wire/handshake.ts";
import { DEFAULT_WIRE_LIMITS } from "../lib/wire/limits.ts";
import { CHUNK_STREAM, MESSAGE_TYPE } from "../lib/wire/message_type.ts";
import type { LibcSocket } from "./libc_socket.ts";
import { PUBLISH_CHUNK_SIZE } from "./synthetic_stream.ts";

const APP = "live";
/** Codec headers are shorter, and media is longer. */
const MIN_MEDIA_BYTES = 100;

/** What bytes go over. */
export type Connection = Pick<LibcSocket, "read" | "write"> | Pick<Deno.Conn, "read" | "write">;

/** How a client connects. */
export interface RtmpClientOptions {
  /** What it can take with one read. */
  readonly bufferBytes?: number;
  /** It comes by TLS, and trusts this certificate, in PEM. */
  readonly caCert?: string | undefined;
}

/** Opens a connection to this machine; by TLS where there is a certificate to trust. */
export async function connect(port: number, caCert: string | undefined): Promise<Deno.Conn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return caCert === undefined
    ? connection
    : await Deno.startTls(connection, { hostname: "localhost", caCerts: [caCert] });
}

/** Whether it is audio or video, and no codec header. */
export function isMedia({ typeId, payload }: RawMessage): boolean {
  return (typeId === MESSAGE_TYPE.audio || typeId === MESSAGE_TYPE.video) &&
    payload.length >= MIN_MEDIA_BYTES;
}

/** The little of an RTMP client that a load needs. */
export class RtmpClient {
  readonly #connection: Connection;
  readonly #reader = new ChunkReader();
  readonly #buffer: Uint8Array;
  #acknowledgeEvery = 0;
  #acknowledgedBytes = 0;
  /** Message stream that createStream gave. */
  messageStreamId = 0;
  receivedBytes = 0;
  /** Reads that brought bytes. */
  reads = 0;
  /** When the connection was begun, by performance.now(). */
  readonly begunMs: number;

  private constructor(connection: Connection, begunMs: number, bufferBytes: number) {
    this.#connection = connection;
    this.#buffer = new Uint8Array(bufferBytes);
    this.begunMs = begunMs;
  }

  /** Connects, shakes hands, and creates a message stream. */
  static async connect(
    port: number,
    { bufferBytes = 16 * 1024, caCert }: RtmpClientOptions = {},
  ): Promise<RtmpClient> {
    const begunMs = performance.now();
    const client = new RtmpClient(await connect(port, caCert), begunMs, bufferBytes);
    await client.#begin(port);
    return client;
  }

  /** The same over a connection that is there. */
  static async over(connection: Connection, port: number): Promise<RtmpClient> {
    const client = new RtmpClient(connection, performance.now(), 16 * 1024);
    await client.#begin(port);
    return client;
  }

  /** Asks for a stream; what comes next are its messages. */
  async play(name: string): Promise<void> {
    await this.#command(this.messageStreamId, encodeCommand("play", 0, null, name, -2000));
  }

  /** Reads until media has come. */
  async media(): Promise<void> {
    while (!isMedia(await this.nextMessage()));
  }

  /** Publishes a stream; resolves when the server lets us. */
  async publish(name: string): Promise<void> {
    await this.#send(MESSAGE_TYPE.setChunkSize, 0, encodeUint32(PUBLISH_CHUNK_SIZE));
    await this.#command(this.messageStreamId, encodeCommand("publish", 3, null, name, "live"));
    for (;;) {
      const command = await this.#nextCommand();
      if (command.name !== "onStatus") continue;
      const status = command.arguments[0];
      const code = status instanceof Amf0Object ? status.getString("code") : undefined;
      if (code === "NetStream.Publish.Start") return;
      throw new Error(`Cannot publish ${name}: the server answers ${code}`);
    }
  }

  /** The next message of any type, in pieces that come through this client's own buffer. */
  async nextMessage(): Promise<RawMessage> {
    for (;;) {
      const message = this.#reader.next();
      if (message === undefined) {
        this.#reader.push(this.#buffer.subarray(0, await this.read(this.#buffer)));
      } else if (message.typeId === MESSAGE_TYPE.windowAcknowledgementSize) {
        this.#acknowledgeEvery = controlValue(message);
      } else {
        return message;
      }
    }
  }

  /** Some bytes, acknowledged when it is time. */
  async read(buffer: Uint8Array): Promise<number> {
    const count = await this.#connection.read(buffer);
    if (count === null) throw new Error("Cannot read: the server has closed the connection");
    this.receivedBytes += count;
    this.reads++;
    if (
      this.#acknowledgeEvery > 0 && this.receivedBytes - this.#acknowledgedBytes >= this.#acknowledgeEvery
    ) {
      this.#acknowledgedBytes = this.receivedBytes;
      await this.#send(MESSAGE_TYPE.acknowledgement, 0, encodeUint32(this.receivedBytes));
    }
    return count;
  }

  /** Sends all of `bytes`. */
  async write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) done += await this.#connection.write(bytes.subarray(done));
  }

  async #begin(port: number): Promise<void> {
    await this.#shakeHands();
    const object = Amf0Object.from({
      app: APP,
      flashVer: "LNX 9,0,124,2",
      tcUrl: `rtmp://127.0.0.1:${port}/${APP}`,
      capabilities: 15,
      audioCodecs: 4071,
      videoCodecs: 252,
    });
    await this.#command(0, encodeCommand("connect", 1, object));
    await this.#answer(1);
    await this.#command(0, encodeCommand("createStream", 2, null));
    const id = (await this.#answer(2)).arguments[0];
    this.messageStreamId = typeof id === "number" ? id : 1;
  }

  async #shakeHands(): Promise<void> {
    const randomBytes = (length: number) => crypto.getRandomValues(new Uint8Array(length));
    const handshake = new ClientHandshake(randomBytes, 0);
    await this.write(handshake.start());
    for (;;) {
      const step = handshake.receive(this.#buffer.subarray(0, await this.read(this.#buffer)));
      if (step.output !== undefined) await this.write(step.output);
      if (step.rest === undefined) continue;
      this.#reader.push(step.rest.slice());
      return;
    }
  }

  async #answer(transactionId: number): Promise<Command> {
    for (;;) {
      const command = await this.#nextCommand();
      if (command.name === "_error") throw new Error("Cannot connect: the server refuses");
      if (command.name === "_result" && command.transactionId === transactionId) return command;
    }
  }

  async #nextCommand(): Promise<Command> {
    for (;;) {
      const { typeId, payload } = await this.nextMessage();
      const isCommand = typeId === MESSAGE_TYPE.command;
      const command = isCommand ? decodeCommand(typeId, payload, DEFAULT_WIRE_LIMITS) : undefined;
      if (command !== undefined) return command;
    }
  }

  #command(messageStreamId: number, payload: Uint8Array): Promise<void> {
    return this.#send(MESSAGE_TYPE.command, messageStreamId, payload);
  }

  #send(typeId: number, messageStreamId: number, payload: Uint8Array): Promise<void> {
    const chunkStreamId = typeId === MESSAGE_TYPE.command
      ? CHUNK_STREAM.connectionCommand
      : CHUNK_STREAM.control;
    const isLarge = typeId === MESSAGE_TYPE.command && this.#hasLargeChunks;
    const chunkSize = isLarge ? PUBLISH_CHUNK_SIZE : INITIAL_CHUNK_SIZE;
    if (typeId === MESSAGE_TYPE.setChunkSize) this.#hasLargeChunks = true;
    return this.write(
      encodeChunks({ typeId, timestamp: 0, messageStreamId, chunkStreamId }, payload, chunkSize),
    );
  }

  #hasLargeChunks = false;
}
