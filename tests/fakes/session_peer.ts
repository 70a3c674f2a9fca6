import { Amf0Object, type Amf0Value, decodeAmf0, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { type Command, decodeCommand, encodeCommand } from "../../lib/wire/commands.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import type { ServerEvent } from "../../lib/session/server_event.ts";
import { ServerSession, type ServerSessionOptions } from "../../lib/session/server_session.ts";
import { readMessages } from "./read_messages.ts";

export const TEST_SESSION_OPTIONS: ServerSessionOptions = {
  limits: DEFAULT_WIRE_LIMITS,
  chunkSize: 60_000,
  outAckSize: 2_500_000,
  inAckSize: 0,
  promptAcknowledgements: 0,
  handshakeTimeoutMs: 10_000,
  idleTimeoutMs: 180_000,
  randomBytes: (length) => new Uint8Array(length),
  identity: {
    signature: "Headwater/0",
    version: "0",
    serverIp: "10.0.0.1",
    processId: 42,
    connectionId: "abcdefgh",
  },
};

/** A server session and the client that talks to it, without a socket. Time stands still until the test moves it. */
export class SessionPeer {
  readonly session: ServerSession;
  nowMs = 0;
  /** Accept connect, publish and play as they come. */
  isAccepting = true;
  /** Chunk size for what the client sends, in bytes. */
  chunkSize = 128;
  readonly #reader = new ChunkReader();
  #isShaken = false;

  constructor(options: Partial<ServerSessionOptions> = {}) {
    this.session = new ServerSession({ ...TEST_SESSION_OPTIONS, ...options }, 0);
  }

  /** A peer that is connected already, its answers read. */
  static connected(
    properties: Record<string, Amf0Value> = {},
    options: Partial<ServerSessionOptions> = {},
  ): SessionPeer {
    const peer = new SessionPeer(options);
    peer.shakeHands();
    peer.connect(properties);
    peer.answers();
    return peer;
  }

  shakeHands(): void {
    const c0c1c2 = new Uint8Array(1 + 2 * 1536);
    c0c1c2[0] = 3;
    this.receive(c0c1c2);
  }

  connect(properties: Record<string, Amf0Value> = {}, ...rest: Amf0Value[]): ServerEvent[] {
    const object = Amf0Object.from({ app: "live", tcUrl: "rtmp://h/live", ...properties });
    return this.send(MESSAGE_TYPE.command, 0, encodeCommand("connect", 1, object, ...rest));
  }

  /** Sends a command on message stream 0 or, for those of a stream, `messageStreamId`. */
  command(name: string, transactionId: number, values: Amf0Value[] = [], messageStreamId = 0): ServerEvent[] {
    return this.send(
      MESSAGE_TYPE.command,
      messageStreamId,
      encodeCommand(name, transactionId, null, ...values),
    );
  }

  data(values: Amf0Value[], messageStreamId = 1): ServerEvent[] {
    return this.send(MESSAGE_TYPE.data, messageStreamId, encodeAmf0(values));
  }

  /** Sends one message; the events it made, requests among them answered when `isAccepting`. */
  send(typeId: number, messageStreamId: number, payload: Uint8Array, timestamp = 0): ServerEvent[] {
    const message = { typeId, timestamp, messageStreamId, chunkStreamId: typeId < 7 ? 2 : 3 };
    const bytes = encodeChunks(message, payload, this.chunkSize);
    if (typeId === MESSAGE_TYPE.setChunkSize) this.chunkSize = new DataView(payload.buffer).getUint32(0);
    return this.receive(bytes);
  }

  receive(bytes: Uint8Array): ServerEvent[] {
    this.session.receive(bytes);
    const events: ServerEvent[] = [];
    for (;;) {
      const event = this.session.nextEvent(this.nowMs);
      if (event === undefined) return events;
      events.push(event.kind === "media" ? { ...event, payload: event.payload.slice() } : event);
      if (this.isAccepting) this.accept(event);
    }
  }

  accept(event: ServerEvent): void {
    if (event.kind === "connect") this.session.acceptConnect(this.nowMs);
    if (event.kind === "publish") this.session.acceptPublish(event.messageStreamId);
    if (event.kind === "play") this.session.acceptPlay(event.messageStreamId, 60_000);
  }

  /** What the server has sent since the last call. */
  messages(): RawMessage[] {
    let bytes = this.session.takeOutput();
    if (bytes === undefined) return [];
    if (!this.#isShaken && bytes[0] === 3) {
      this.#isShaken = true;
      bytes = bytes.subarray(1 + 2 * 1536);
    }
    return readMessages([bytes], undefined, this.#reader);
  }

  /** What the server has sent since the last call, a line each: `_result 2 null 1`, `onStatus@1 NetStream.Play.Start`, `type 5: 2500000`. */
  answers(): string[] {
    return this.messages().map(describe);
  }
}

/** The command in a message. */
export function commandOf(message: RawMessage): Command | undefined {
  return message.typeId === MESSAGE_TYPE.command
    ? decodeCommand(message.typeId, message.payload, DEFAULT_WIRE_LIMITS)
    : undefined;
}

function describe(message: RawMessage): string {
  const at = message.messageStreamId === 0 ? "" : `@${message.messageStreamId}`;
  const command = commandOf(message);
  if (command === undefined) {
    if (message.typeId === MESSAGE_TYPE.data) return `data${at} ${decodeAmf0(message.payload).join(" ")}`;
    const view = new DataView(message.payload.buffer, message.payload.byteOffset);
    if (message.typeId === MESSAGE_TYPE.userControl) {
      return `event ${view.getUint16(0)}: ${view.getUint32(2)}`;
    }
    return `type ${message.typeId}: ${view.getUint32(0)}`;
  }
  const values = command.arguments.map((value) =>
    value instanceof Amf0Object
      ? `${value.getString("level") ?? ""} ${value.getString("code") ?? ""}`.trim()
      : `${value}`
  );
  const transaction = command.name.startsWith("_") ? ` ${command.transactionId}` : "";
  return [`${command.name}${at}${transaction}`, ...values].join(" ");
}
