/**
 * The RTMP handshake, both halves, simple and digest ("complex"), without sockets.
 *
 * Source: RTMP 1.0 section 5.2; the digest form as librtmp, FFmpeg and SRS implement it.
 *
 * @module
 */
import { writeUint32 } from "./bytes.ts";
import { createHmac } from "node:crypto";
import { Buffer } from "node:buffer";
import { RtmpError } from "../base/errors.ts";
import { joinBytes } from "../base/join_bytes.ts";
import { ByteQueue } from "./byte_queue.ts";

const VERSION = 3;
const PACKET_BYTES = 1536;
const DIGEST_BYTES = 32;
/** Of what a server chose at random, at the end of S1. */
const CHALLENGE_BYTES = 32;
const PROXY_PREFIX = 0xf3;
/** A record of TLS that holds a handshake message; its version follows, 3.x. */
const TLS_HANDSHAKE = 0x16;
/** And one that holds an alert: what a server of TLS answers to what is none. */
const TLS_ALERT = 0x15;
const MAX_PROXY_BYTES = 1024;

const KEY_SUFFIX = Uint8Array.from([
  ...[0xf0, 0xee, 0xc2, 0x4a, 0x80, 0x68, 0xbe, 0xe8, 0x2e, 0x00, 0xd0, 0xd1, 0x02, 0x9e, 0x7e, 0x57],
  ...[0x6e, 0xec, 0x5d, 0x2d, 0x29, 0x80, 0x6f, 0xab, 0x93, 0xb8, 0xe6, 0x36, 0xcf, 0xeb, 0x31, 0xae],
]);
const SERVER_NAME = new TextEncoder().encode("Genuine Adobe Flash Media Server 001");
const PLAYER_NAME = new TextEncoder().encode("Genuine Adobe Flash Player 001");
const SERVER_KEY = joinBytes([SERVER_NAME, KEY_SUFFIX]);
const PLAYER_KEY = joinBytes([PLAYER_NAME, KEY_SUFFIX]);

/** Where the digest block stands: schema 0 has the key block first, schema 1 the digest block. */
export type DigestSchema = 0 | 1;

/** What a handshake did with the bytes it was given. */
export interface HandshakeStep {
  /** Bytes to send to the peer, if any. */
  readonly output?: Uint8Array;
  /** Set when the handshake is over: what the peer sent beyond it. A view, valid until the next call. */
  readonly rest?: Uint8Array;
}

/** Fills a new array of `length` bytes with random values. */
export type RandomBytes = (length: number) => Uint8Array;

/** The server's half: takes C0, C1 and C2, gives S0, S1 and S2. */
export class ServerHandshake {
  readonly #randomBytes: RandomBytes;
  readonly #nowSeconds: number;
  readonly #input = new ByteQueue();
  #state: "prefix" | "c1" | "c2" | "done" = "prefix";
  /** The client's address as told by a proxy in front of us (SRS's 0xF3 prefix), for logs only. */
  proxiedAddress: string | undefined;
  /** Random bytes of S1, which nobody could know before; empty until it is said. */
  challenge: Uint8Array = new Uint8Array(0);

  /** @param nowSeconds The time that S1 carries, in seconds. */
  constructor(randomBytes: RandomBytes, nowSeconds: number) {
    this.#randomBytes = randomBytes;
    this.#nowSeconds = nowSeconds;
  }

  /**
   * Takes bytes from the client, in order.
   *
   * @throws {RtmpError} `handshake-version` when C0 is not 3, `proxy-header-too-large` for a prefix over 1024 bytes.
   */
  receive(bytes: Uint8Array): HandshakeStep {
    this.#input.push(bytes);
    let output: Uint8Array | undefined;
    if (this.#state === "prefix" && !this.#readPrefix()) return {};
    if (this.#state === "c1") {
      if (this.#input.length < PACKET_BYTES) return {};
      output = this.#answer(this.#input.take(PACKET_BYTES));
      this.#state = "c2";
    }
    if (this.#state === "c2") {
      if (this.#input.length < PACKET_BYTES) return output ? { output } : {};
      // C2 is not checked: librtmp, OBS and GStreamer echo, Flash signs, and SRS looks at neither.
      this.#input.take(PACKET_BYTES);
      this.#state = "done";
    }
    const rest = this.#input.take(this.#input.length);
    return output ? { output, rest } : { rest };
  }

  /** Reads the optional proxy prefix and C0; false while more bytes are needed. */
  #readPrefix(): boolean {
    const held = this.#input.peek();
    if (held.length === 0) return false;
    let headBytes = 1;
    let version = held[0];
    if (version === PROXY_PREFIX) {
      if (held.length < 3) return false;
      const length = ((held[1] ?? 0) << 8) | (held[2] ?? 0);
      if (length > MAX_PROXY_BYTES) {
        throw new RtmpError(
          "proxy-header-too-large",
          `Cannot read proxy prefix: ${length} bytes announced, limit is ${MAX_PROXY_BYTES}`,
        );
      }
      if (held.length < 3 + length + 1) return false;
      if (length >= 4) this.proxiedAddress = held.subarray(3, 7).join(".");
      version = held[3 + length];
      headBytes = 3 + length + 1;
    }
    if (version !== VERSION) {
      throw new RtmpError(
        "handshake-version",
        version === TLS_HANDSHAKE
          ? "Cannot begin handshake: the client speaks TLS (rtmps://), this port is for plain RTMP (rtmp://)"
          : `Cannot begin handshake: C0 is ${version}, only ${VERSION} (plain RTMP) is served`,
      );
    }
    this.#input.take(headBytes);
    this.#state = "c1";
    return true;
  }

  #answer(c1: Uint8Array): Uint8Array {
    const output = new Uint8Array(1 + 2 * PACKET_BYTES);
    output[0] = VERSION;
    const s1 = output.subarray(1, 1 + PACKET_BYTES);
    const s2 = output.subarray(1 + PACKET_BYTES);
    s1.set(this.#randomBytes(PACKET_BYTES));
    writeUint32(s1, 0, this.#nowSeconds);
    const found = findDigest(c1, PLAYER_NAME);
    if (found === undefined) {
      s1.set(c1.subarray(0, 4), 4);
      s2.set(c1);
    } else {
      writeUint32(s1, 4, 0x01000504);
      sign(s1, found.schema, SERVER_NAME);
      s2.set(this.#randomBytes(PACKET_BYTES));
      signResponse(s2, SERVER_KEY, found.digest);
    }
    this.challenge = s1.slice(-CHALLENGE_BYTES);
    return output;
  }
}

/** The client's half: gives C0 and C1 at once, and C2 when S0, S1 and S2 have come. */
export class ClientHandshake {
  readonly #randomBytes: RandomBytes;
  readonly #nowSeconds: number;
  readonly #input = new ByteQueue();
  #state: "s0" | "s2" | "done" = "s0";
  /** Random bytes of S1, which the server could not know before; empty until it has come. */
  challenge: Uint8Array = new Uint8Array(0);

  /** @param nowSeconds The time that C1 carries, in seconds. */
  constructor(randomBytes: RandomBytes, nowSeconds: number) {
    this.#randomBytes = randomBytes;
    this.#nowSeconds = nowSeconds;
  }

  /** C0 and C1, with a schema 1 digest as SRS's client sends it; servers that know no digest ignore it. */
  start(): Uint8Array {
    const output = new Uint8Array(1 + PACKET_BYTES);
    output[0] = VERSION;
    const c1 = output.subarray(1);
    c1.set(this.#randomBytes(PACKET_BYTES));
    writeUint32(c1, 0, this.#nowSeconds);
    writeUint32(c1, 4, 0x80000702);
    sign(c1, 1, PLAYER_NAME);
    return output;
  }

  /**
   * Takes bytes from the server, in order.
   *
   * @throws {RtmpError} `handshake-version` when S0 is not 3.
   */
  receive(bytes: Uint8Array): HandshakeStep {
    this.#input.push(bytes);
    let output: Uint8Array | undefined;
    if (this.#state === "s0") {
      const version = this.#input.peek()[0];
      if (version !== undefined && version !== VERSION) {
        throw new RtmpError(
          "handshake-version",
          version === TLS_ALERT
            ? "Cannot complete handshake: the other server speaks TLS (rtmps://), and was dialled by plain RTMP (rtmp://)"
            : `Cannot complete handshake: S0 is ${version}, expected ${VERSION}`,
        );
      }
      if (this.#input.length < 1 + PACKET_BYTES) return {};
      const s1 = this.#input.take(1 + PACKET_BYTES).subarray(1);
      this.challenge = s1.slice(-CHALLENGE_BYTES);
      const found = findDigest(s1, SERVER_NAME);
      if (found === undefined) {
        output = s1.slice();
      } else {
        output = Uint8Array.from(this.#randomBytes(PACKET_BYTES));
        signResponse(output, PLAYER_KEY, found.digest);
      }
      this.#state = "s2";
    }
    if (this.#state === "s2") {
      if (this.#input.length < PACKET_BYTES) return output ? { output } : {};
      this.#input.take(PACKET_BYTES);
      this.#state = "done";
    }
    const rest = this.#input.take(this.#input.length);
    return output ? { output, rest } : { rest };
  }
}

/** The digest in a C1 or S1, and the schema it follows; undefined for a simple handshake. */
export function findDigest(
  packet: Uint8Array,
  key: Uint8Array = PLAYER_NAME,
): { schema: DigestSchema; digest: Uint8Array } | undefined {
  for (const schema of [0, 1] as const) {
    const position = digestPosition(packet, schema);
    const digest = packet.subarray(position, position + DIGEST_BYTES);
    if (Buffer.compare(digest, packetDigest(packet, position, key)) === 0) {
      return { schema, digest: digest.slice() };
    }
  }
  return undefined;
}

/** Whether the last 32 bytes of a C2 or S2 sign the other side's `digest`. */
export function verifyResponse(packet: Uint8Array, signer: "server" | "client", digest: Uint8Array): boolean {
  const copy = packet.slice();
  signResponse(copy, signer === "server" ? SERVER_KEY : PLAYER_KEY, digest);
  return Buffer.compare(copy, packet) === 0;
}

function digestPosition(packet: Uint8Array, schema: DigestSchema): number {
  const block = schema === 0 ? 772 : 8;
  let offset = 0;
  for (let i = 0; i < 4; i++) offset += packet[block + i] ?? 0;
  return block + 4 + (offset % 728);
}

function packetDigest(packet: Uint8Array, position: number, key: Uint8Array): Uint8Array {
  return createHmac("sha256", key)
    .update(packet.subarray(0, position))
    .update(packet.subarray(position + DIGEST_BYTES))
    .digest();
}

function sign(packet: Uint8Array, schema: DigestSchema, key: Uint8Array): void {
  const position = digestPosition(packet, schema);
  packet.set(packetDigest(packet, position, key), position);
}

function signResponse(packet: Uint8Array, key: Uint8Array, digest: Uint8Array): void {
  const temporaryKey = createHmac("sha256", key).update(digest).digest();
  const signed = packet.subarray(0, PACKET_BYTES - DIGEST_BYTES);
  packet.set(createHmac("sha256", temporaryKey).update(signed).digest(), PACKET_BYTES - DIGEST_BYTES);
}
