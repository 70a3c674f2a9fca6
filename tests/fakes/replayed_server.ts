import { ByteInput } from "./byte_input.ts";
import type { ByteDuplex, SocketAddress } from "../../lib/net/tcp.ts";
import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { C0_C1_BYTES, HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { bytesOf, isHandshake, srsExchange, type SrsExchangeName, type SrsMessage } from "../fixtures/srs.ts";
import { joinBytes } from "./read_messages.ts";

/** A recorded server in place of SRS: it says its next words when as many commands of the client have come as had come then. */
export class ReplayedServer {
  /** What the client has said, in order. */
  readonly heard: RawMessage[] = [];
  readonly #handshake: Uint8Array;
  readonly #script: SrsMessage[];
  readonly #edit: (bytes: Uint8Array) => Uint8Array;
  readonly #reader = new ChunkReader();
  readonly #closes: boolean;
  #first: Uint8Array | undefined = new Uint8Array();
  #awaited = 0;

  /** @param edit Changes what is said: the recorded ports are not those of a test. */
  constructor(name: SrsExchangeName, edit: (bytes: Uint8Array) => Uint8Array = (bytes) => bytes) {
    this.#edit = edit;
    this.#closes = CLOSING.has(name);
    this.#handshake = bytesOf(
      srsExchange("edge_play").filter((message) => isHandshake(message) && message.from === "server"),
    );
    this.#script = srsExchange(name).filter((message) =>
      !isHandshake(message) && (message.from === "server" || COMMANDS.has(message.name))
    );
  }

  /** Whether it has closed the connection. */
  get isClosed(): boolean {
    return this.#closes && this.#first === undefined && this.#script.length === 0;
  }

  /** Takes what the client sends; gives what to answer. */
  receive(bytes: Uint8Array): Uint8Array {
    const answers: Uint8Array[] = [];
    let rest = bytes;
    if (this.#first !== undefined) {
      const before = this.#first.length;
      this.#first = joinBytes(this.#first, bytes);
      if (before < C0_C1_BYTES && this.#first.length >= C0_C1_BYTES) answers.push(this.#handshake);
      if (this.#first.length < HANDSHAKE_BYTES) return joinBytes(...answers);
      rest = this.#first.slice(HANDSHAKE_BYTES);
      this.#first = undefined;
    }
    this.#reader.push(rest);
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      this.heard.push({ ...message, payload: message.payload.slice() });
      if (message.typeId === MESSAGE_TYPE.command) this.#awaited++;
    }
    for (let next = this.#script[0]; next !== undefined; next = this.#script[0]) {
      if (next.from === "server") answers.push(this.#edit(next.bytes));
      else if (this.#awaited > 0) this.#awaited--;
      else break;
      this.#script.shift();
    }
    return joinBytes(...answers);
  }

  /** Closes the connection. */
  end: () => void = () => {};

  /** A connection to it, without a socket. */
  connect(): ByteDuplex {
    const input = new ByteInput();
    const close = this.end = () => input.end();
    return {
      read: input.read,
      write: (bytes) => {
        input.push(this.receive(bytes.slice()));
        if (this.isClosed) close();
        return Promise.resolve(bytes.length);
      },
      close,
      localAddress: ADDRESS,
      remoteAddress: ADDRESS,
    };
  }
}

/** What a server waits for. */
const COMMANDS: ReadonlySet<string> = new Set(["connect", "createStream", "play", "publish"]);

/** The exchanges that end with the server closing the connection. */
const CLOSING: ReadonlySet<SrsExchangeName> = new Set([
  "edge_redirect",
  "edge_redirect_vhost",
  "edge_nowhere",
  "edge_push_busy",
]);

const ADDRESS: SocketAddress = { hostname: "127.0.0.1", port: 19_350 };
