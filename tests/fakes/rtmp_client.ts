import { Amf0Object, type Amf0Value } from "../../lib/wire/amf0.ts";
import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { CAPS_EX, type Command, decodeCommand, encodeCommand } from "../../lib/wire/commands.ts";
import { decodeUserControl, encodeUint32, encodeUserControl } from "../../lib/wire/control.ts";
import { ClientHandshake } from "../../lib/wire/handshake.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { CHUNK_STREAM, MESSAGE_TYPE, USER_CONTROL } from "../../lib/wire/message_type.ts";
import { Changes } from "./changes.ts";

const CHUNK_SIZE = 65_536;
const READ_BYTES = 256 * 1024;
const MESSAGE_STREAM_ID = 1;
const ENHANCED = Amf0Object.from({ "*": 4 });

/** What a client says of itself in `connect`. */
export interface ConnectWords {
  readonly capsEx?: number;
  /** The second object. */
  readonly argumentsObject?: Readonly<Record<string, Amf0Value>>;
}

/**
 * A publisher or player over a real socket, as small as they come, for tests that need many of them or need to see or send every
 * byte. Reads until it is closed, or told to stop reading.
 */
export class RtmpClient {
  /** Commands of the server, in order. */
  readonly commands: Command[] = [];
  /** Notified after each read. */
  readonly changes: Changes = new Changes();
  /** The server has ended the connection. */
  isEnded = false;
  readonly #connection: Deno.Conn;
  readonly #reader = new ChunkReader();
  readonly #onMedia: (message: RawMessage) => void;
  #resume: (() => void) | undefined;
  #paused: Promise<void> | undefined;
  #writing: Promise<void> = Promise.resolve();
  #done: Promise<void> = Promise.resolve();

  private constructor(connection: Deno.Conn, onMedia: (message: RawMessage) => void) {
    this.#connection = connection;
    this.#onMedia = onMedia;
  }

  /**
   * Connects to a server on this machine, up to the answer of `connect`.
   *
   * @param onMedia Takes each audio, video and data message; its payload is valid during the call.
   * @param says Absent: as a client of Enhanced RTMP that does not follow reconnect requests.
   * @throws {Error} When the server refuses.
   */
  static async connect(
    port: number,
    app: string,
    onMedia: (message: RawMessage) => void = () => {},
    says: ConnectWords = {},
  ): Promise<RtmpClient> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const client = new RtmpClient(connection, onMedia);
    try {
      await client.#open(port, app, says);
      return client;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** What the server's `onStatus` commands said, in order. */
  get statuses(): { code: string; description: string }[] {
    return this.commands.filter(({ name }) => name === "onStatus").map(({ arguments: [info] }) => ({
      code: stringOf(info, "code") ?? "",
      description: stringOf(info, "description") ?? "",
    }));
  }

  /** Resolves when the connection has ended, from whichever side. */
  get ended(): Promise<void> {
    return this.#done;
  }

  /** Plays a stream; resolves when the server has said that it starts. */
  async play(stream: string): Promise<void> {
    await this.#command(encodeCommand("play", 3, null, stream), MESSAGE_STREAM_ID);
    await this.#status("NetStream.Play.Start");
  }

  /** Publishes a stream; resolves when the server has accepted it. */
  async publish(stream: string): Promise<void> {
    await this.#command(encodeCommand("publish", 3, null, stream, "live"), MESSAGE_STREAM_ID);
    await this.#status("NetStream.Publish.Start");
  }

  /** Sends an audio, video or data message. */
  async send(typeId: number, timestamp: number, payload: Uint8Array): Promise<void> {
    const chunkStreamId = typeId === MESSAGE_TYPE.video ? CHUNK_STREAM.video : CHUNK_STREAM.audio;
    const message = { typeId, timestamp, messageStreamId: MESSAGE_STREAM_ID, chunkStreamId };
    await this.#send(encodeChunks(message, payload, CHUNK_SIZE));
  }

  /** Leaves what comes in the socket, as a stopped process does, from the read under way on. */
  stopReading(): void {
    this.#paused ??= new Promise((resolve) => this.#resume = resolve);
  }

  continueReading(): void {
    this.#resume?.();
    this.#paused = undefined;
  }

  async close(): Promise<void> {
    this.continueReading();
    try {
      this.#connection.close();
    } catch {
      // The server was first.
    }
    await this.#done;
    await this.#writing.catch(() => {});
  }

  async #open(port: number, app: string, says: ConnectWords): Promise<void> {
    this.#done = this.#read(await this.#handshake());
    const properties = Amf0Object.from({
      app,
      tcUrl: `rtmp://127.0.0.1:${port}/${app}`,
      fourCcList: ["*"],
      videoFourCcInfoMap: ENHANCED,
      capsEx: says.capsEx ?? CAPS_EX.multitrack,
    });
    const rest = says.argumentsObject === undefined ? [] : [Amf0Object.from(says.argumentsObject)];
    await this.#control(MESSAGE_TYPE.setChunkSize, encodeUint32(CHUNK_SIZE));
    await this.#command(encodeCommand("connect", 1, properties, ...rest));
    await this.#answer("_result", 1);
    await this.#command(encodeCommand("createStream", 2, null));
    await this.#answer("_result", 2);
  }

  async #handshake(): Promise<Uint8Array> {
    const handshake = new ClientHandshake((length) => crypto.getRandomValues(new Uint8Array(length)), 0);
    await this.#send(handshake.start());
    const buffer = new Uint8Array(READ_BYTES);
    for (;;) {
      const count = await this.#connection.read(buffer);
      if (count === null) throw new Error("Cannot complete handshake: the server has closed");
      const { output, rest } = handshake.receive(buffer.slice(0, count));
      if (output !== undefined) await this.#send(output);
      if (rest !== undefined) return rest;
    }
  }

  async #read(first: Uint8Array): Promise<void> {
    this.#take(first);
    const buffer = new Uint8Array(READ_BYTES);
    try {
      for (;;) {
        if (this.#paused !== undefined) await this.#paused;
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        this.#take(buffer.subarray(0, count));
      }
    } catch {
      // Cut off, by the server or by `close`.
    }
    this.isEnded = true;
    this.changes.notify();
  }

  #take(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      const { typeId, payload } = message;
      if (typeId === MESSAGE_TYPE.audio || typeId === MESSAGE_TYPE.video || typeId === MESSAGE_TYPE.data) {
        this.#onMedia(message);
      } else if (typeId === MESSAGE_TYPE.command) {
        const command = decodeCommand(typeId, payload.slice(), DEFAULT_WIRE_LIMITS);
        if (command !== undefined) this.commands.push(command);
      } else if (typeId === MESSAGE_TYPE.userControl) {
        this.#answerPing(payload);
      }
    }
    this.changes.notify();
  }

  #answerPing(body: Uint8Array): void {
    const control = decodeUserControl(body);
    if (control?.event !== USER_CONTROL.pingRequest || control.value === undefined) return;
    const answer = encodeUserControl(USER_CONTROL.pingResponse, control.value);
    this.#control(MESSAGE_TYPE.userControl, answer).catch(() => {});
  }

  async #answer(name: string, transactionId: number): Promise<Command> {
    return await this.#commandWhere(
      (command) => command.name === name && command.transactionId === transactionId,
      `${name} of ${transactionId}`,
    );
  }

  async #status(code: string): Promise<void> {
    const command = await this.#commandWhere(({ name, arguments: [info] }) => {
      const level = stringOf(info, "level");
      return name === "onStatus" && (level === "error" || stringOf(info, "code") === code);
    }, code);
    const info = command.arguments[0];
    if (stringOf(info, "code") !== code) {
      throw new Error(`Cannot go on: ${stringOf(info, "code")}: ${stringOf(info, "description")}`);
    }
  }

  async #commandWhere(matches: (command: Command) => boolean, what: string): Promise<Command> {
    return await this.changes.until(
      () => {
        const found = this.commands.find(matches);
        if (found === undefined && this.isEnded) {
          throw new Error(
            `Cannot wait for ${what}: the server has closed`,
          );
        }
        return found;
      },
      what,
    );
  }

  async #command(payload: Uint8Array, messageStreamId: number = 0): Promise<void> {
    const chunkStreamId = CHUNK_STREAM.connectionCommand;
    const message = { typeId: MESSAGE_TYPE.command, timestamp: 0, messageStreamId, chunkStreamId };
    await this.#send(encodeChunks(message, payload, CHUNK_SIZE));
  }

  async #control(typeId: number, payload: Uint8Array): Promise<void> {
    const message = { typeId, timestamp: 0, messageStreamId: 0, chunkStreamId: CHUNK_STREAM.control };
    await this.#send(encodeChunks(message, payload, CHUNK_SIZE));
  }

  /** One write after the other. */
  #send(bytes: Uint8Array): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await this.#connection.write(rest));
    });
    return this.#writing;
  }
}

function stringOf(value: Amf0Value | undefined, name: string): string | undefined {
  return value instanceof Amf0Object ? value.getString(name) : undefined;
}
