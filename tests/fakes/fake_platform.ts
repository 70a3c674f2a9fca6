import { ByteInput } from "./byte_input.ts";
import type { ByteDuplex } from "../../lib/net/tcp.ts";
import type { Dial } from "../../lib/upstream/upstream_connection.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { decodeUserControl } from "../../lib/wire/control.ts";
import { MESSAGE_TYPE, USER_CONTROL } from "../../lib/wire/message_type.ts";
import { HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { joinBytes } from "./read_messages.ts";
import { commandOf, SessionPeer } from "./session_peer.ts";

/** What a platform does with the next connection. */
export type PlatformMood =
  | "accepts"
  /** Nobody listens. */
  | "unreachable"
  /** It closes when it is asked to take a stream. */
  | "hangsUp"
  /** It says no, with these words. */
  | { readonly code: string; readonly description: string };

/** A server that streams are published to, without a socket. */
export class FakePlatform {
  /** Taken from the front, one a dial; the last one stays. */
  moods: PlatformMood[] = ["accepts"];
  readonly connections: PlatformConnection[] = [];
  dials = 0;

  get last(): PlatformConnection {
    return this.connections.at(-1) as PlatformConnection;
  }

  readonly dial: Dial = () => {
    this.dials++;
    const mood = (this.moods.length > 1 ? this.moods.shift() : this.moods[0]) as PlatformMood;
    if (mood === "unreachable") return Promise.reject(new Error("Cannot connect: connection refused"));
    const connection = new PlatformConnection(mood);
    this.connections.push(connection);
    return Promise.resolve(connection.duplex);
  };
}

/** One connection, as the platform sees it. */
export class PlatformConnection {
  /** Commands of the client, each with its texts. */
  readonly commands: string[] = [];
  connect: Amf0Object | undefined;
  /** What was published, a word a message: `V` and `A` headers, `K` key frame, `p` other frame, `a` audio, `M` data; with the time. */
  readonly media: string[] = [];
  isClosed = false;
  /** Signs of life that it was asked for. */
  pings = 0;
  readonly duplex: ByteDuplex;
  readonly #mood: Exclude<PlatformMood, "unreachable">;
  readonly #peer = new SessionPeer();
  readonly #reader = new ChunkReader();
  #first: Uint8Array | undefined = new Uint8Array();
  readonly #output = new ByteInput();

  constructor(mood: Exclude<PlatformMood, "unreachable">) {
    this.#mood = mood;
    this.#peer.isAccepting = false;
    const address = { hostname: "192.0.2.1", port: 1935 };
    this.duplex = {
      read: this.#output.read,
      write: (bytes) => {
        if (this.isClosed) return Promise.reject(new Deno.errors.BrokenPipe("closed"));
        this.#receive(bytes.slice());
        return Promise.resolve(bytes.length);
      },
      close: () => this.close(),
      localAddress: address,
      remoteAddress: address,
    };
  }

  /** Sends bytes, whatever they are. */
  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.#output.push(bytes.slice());
  }

  /** Ends the connection, from either side. */
  close(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#output.end();
  }

  #receive(bytes: Uint8Array): void {
    this.#record(bytes);
    for (const event of this.#peer.receive(bytes)) {
      if (event.kind !== "publish") this.#peer.accept(event);
      else if (this.#mood === "accepts") this.#peer.accept(event);
      else if (this.#mood !== "hangsUp") {
        const { code, description } = this.#mood;
        this.#peer.session.say.refused(event.messageStreamId, code, description);
      }
      if (event.kind === "publish" && this.#mood === "hangsUp") {
        this.#flush();
        this.close();
        return;
      }
    }
    this.#flush();
  }

  #flush(): void {
    const output = this.#peer.session.takeOutput();
    if (output !== undefined) this.send(output);
  }

  #record(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#first !== undefined) {
      this.#first = joinBytes(this.#first, bytes);
      if (this.#first.length < HANDSHAKE_BYTES) return;
      rest = this.#first.slice(HANDSHAKE_BYTES);
      this.#first = undefined;
    }
    this.#reader.push(rest);
    for (let message = this.#reader.next(); message !== undefined; message = this.#reader.next()) {
      this.#note(message);
    }
  }

  #note(message: RawMessage): void {
    const { typeId, timestamp, payload } = message;
    if (typeId === MESSAGE_TYPE.setChunkSize) {
      this.commands.push(`chunk size ${new DataView(payload.slice().buffer).getUint32(0)}`);
      return;
    }
    if (typeId === MESSAGE_TYPE.userControl) {
      if (decodeUserControl(payload)?.event === USER_CONTROL.pingRequest) this.pings++;
      return;
    }
    const command = commandOf(message);
    if (command !== undefined) {
      if (command.name === "connect") this.connect = command.object as Amf0Object;
      const texts = command.arguments.filter((value) => typeof value === "string");
      this.commands.push([command.name, ...texts].join(" "));
      return;
    }
    const isHeader = payload[1] === 0;
    if (typeId === MESSAGE_TYPE.data) this.media.push(`M${timestamp}`);
    else if (typeId === MESSAGE_TYPE.audio) this.media.push(`${isHeader ? "A" : "a"}${timestamp}`);
    else if (typeId === MESSAGE_TYPE.video) {
      this.media.push(`${isHeader ? "V" : payload[0] === 0x17 ? "K" : "p"}${timestamp}`);
    }
  }
}
