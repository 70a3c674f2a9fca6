import {
  type ClientEvent,
  ClientSession,
  type ClientSessionOptions,
} from "../../lib/session/client_session.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeCommand, encodeStatus } from "../../lib/wire/commands.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { readMessages } from "./read_messages.ts";

/** A client session and the server that talks to it, without a socket. */
export class ClientPeer {
  readonly session: ClientSession;
  readonly #reader = new ChunkReader();
  #chunkSize = 128;
  #isShaken = false;

  constructor(options: Partial<ClientSessionOptions> = {}) {
    this.session = new ClientSession({
      purpose: "play",
      tcUrl: "rtmp://h/live",
      app: "live",
      streamName: "s",
      pageUrl: "",
      swfUrl: "",
      argumentsObject: undefined,
      chunkSize: 60_000,
      promptAcknowledgements: 0,
      limits: DEFAULT_WIRE_LIMITS,
      randomBytes: (length) => new Uint8Array(length),
      ...options,
    }, 0);
  }

  /** A peer whose play has started, all that it said so far read. */
  static playing(options: Partial<ClientSessionOptions> = {}): ClientPeer {
    const peer = new ClientPeer(options);
    peer.shakeHands();
    peer.send(MESSAGE_TYPE.command, 0, encodeCommand("_result", 1, new Amf0Object(), new Amf0Object()));
    peer.send(MESSAGE_TYPE.command, 0, encodeCommand("_result", 2, null, 1));
    peer.send(MESSAGE_TYPE.command, 1, encodeStatus("status", "NetStream.Play.Start", ""));
    peer.messages();
    return peer;
  }

  shakeHands(): void {
    const s0s1s2 = new Uint8Array(HANDSHAKE_BYTES);
    s0s1s2[0] = 3;
    this.receive(s0s1s2);
  }

  /** Sends one message; the events it made. */
  send(typeId: number, messageStreamId: number, payload: Uint8Array, timestamp = 0): ClientEvent[] {
    const message = { typeId, timestamp, messageStreamId, chunkStreamId: typeId < 7 ? 2 : 3 };
    const bytes = encodeChunks(message, payload, this.#chunkSize);
    if (typeId === MESSAGE_TYPE.setChunkSize) this.#chunkSize = new DataView(payload.buffer).getUint32(0);
    return this.receive(bytes);
  }

  receive(bytes: Uint8Array): ClientEvent[] {
    this.session.receive(bytes);
    const events: ClientEvent[] = [];
    for (let event = this.session.nextEvent(); event !== undefined; event = this.session.nextEvent()) {
      events.push(event.kind === "media" ? { ...event, payload: event.payload.slice() } : event);
    }
    return events;
  }

  /** What the client has sent since the last call. */
  messages(): RawMessage[] {
    let bytes = this.session.takeOutput();
    if (bytes === undefined) return [];
    if (!this.#isShaken) {
      this.#isShaken = true;
      bytes = bytes.subarray(HANDSHAKE_BYTES);
    }
    return readMessages([bytes], undefined, this.#reader);
  }
}
