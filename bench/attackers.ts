/**
 * One client that means harm, in each of the ways that used to cost others something. Each keeps within what a stranger on the network
 * can do, and begins again when the server throws it off.
 *
 * @module
 */
import { Amf0Object, type Amf0Value, encodeAmf0 } from "../lib/wire/amf0.ts";
import { encodeChunks } from "../lib/wire/chunk_writer.ts";
import { encodeCommand } from "../lib/wire/commands.ts";
import { encodeUint32, encodeUserControl } from "../lib/wire/control.ts";
import { MESSAGE_TYPE, USER_CONTROL } from "../lib/wire/message_type.ts";

/** Where the server is, all on 127.0.0.1. */
export interface AttackedPorts {
  readonly rtmp: number;
  /** HTTP-FLV. */
  readonly http: number;
  readonly api: number;
}

/** One way to do harm. */
export interface Attack {
  readonly name: string;
  /** Goes on until `endMs`, by performance.now(); returns how often it did it. */
  readonly run: (ports: AttackedPorts, endMs: number) => Promise<number>;
}

const CHUNK_SIZE = 1 << 20;
const HANDSHAKE_BYTES = 1 + 2 * 1536;
const BUFFER = new Uint8Array(256 * 1024);

function join(...pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let offset = 0;
  for (const piece of pieces) {
    joined.set(piece, offset);
    offset += piece.length;
  }
  return joined;
}

function repeat(piece: Uint8Array, times: number): Uint8Array {
  return join(...Array.from({ length: times }, () => piece));
}

function message(
  typeId: number,
  payload: Uint8Array,
  messageStreamId = 1,
  chunkSize = CHUNK_SIZE,
): Uint8Array {
  return encodeChunks({ typeId, timestamp: 40, messageStreamId, chunkStreamId: 5 }, payload, chunkSize);
}

function command(
  messageStreamId: number,
  name: string,
  transactionId: number,
  ...rest: Amf0Value[]
): Uint8Array {
  const [object, ...values] = rest;
  return message(
    MESSAGE_TYPE.command,
    encodeCommand(name, transactionId, object, ...values),
    messageStreamId,
  );
}

/** A handshake that waits for nobody. */
const HANDSHAKE = join(Uint8Array.of(3), new Uint8Array(HANDSHAKE_BYTES - 1));
const LARGE_CHUNKS = message(MESSAGE_TYPE.setChunkSize, encodeUint32(CHUNK_SIZE), 0, 128);
const CONNECTED = join(
  HANDSHAKE,
  LARGE_CHUNKS,
  command(0, "connect", 1, Amf0Object.from({ app: "live", tcUrl: "rtmp://127.0.0.1/live" })),
  command(0, "createStream", 2, null),
);

let names = 0;

function publishing(): Uint8Array {
  return join(CONNECTED, command(1, "publish", 3, null, `attack${names++}`, "live"));
}

/** Sends `first`, then `again` over and over, and reads what comes; a new connection whenever the server ends one. */
function flood(
  protocol: keyof AttackedPorts,
  first: () => Uint8Array,
  again: () => Uint8Array | undefined,
): Attack["run"] {
  return async (ports, endMs) => {
    let count = 0;
    while (performance.now() < endMs) {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port: ports[protocol] });
      const reading = drain(connection);
      // A write to one that reads no more would wait for ever.
      const timer = setTimeout(() => close(connection), Math.max(0, endMs - performance.now()));
      try {
        await write(connection, first());
        while (performance.now() < endMs) {
          const bytes = again();
          if (bytes === undefined) break;
          await write(connection, bytes);
          count++;
        }
      } catch {
        count++;
      } finally {
        clearTimeout(timer);
        close(connection);
        await reading;
      }
    }
    return count;
  };
}

/** Opens `width` connections at a time that send `bytes`, and leaves them after `stayMs` without having read anything. */
function crowd(
  protocol: keyof AttackedPorts,
  bytes: () => Uint8Array,
  width: number,
  stayMs: number,
): Attack["run"] {
  return async (ports, endMs) => {
    let count = 0;
    while (performance.now() < endMs) {
      const connections: Deno.Conn[] = [];
      for (let i = 0; i < width && performance.now() < endMs; i++) {
        try {
          const connection = await Deno.connect({ hostname: "127.0.0.1", port: ports[protocol] });
          connections.push(connection);
          // Not waited for: the server may read no further.
          write(connection, bytes()).catch(() => {});
        } catch {
          // Turned away.
        }
        count++;
      }
      const waitMs = Math.min(stayMs, endMs - performance.now());
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      // What has come and was not read makes the system answer with a reset.
      connections.forEach(close);
    }
    return count;
  };
}

async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += await connection.write(bytes.subarray(done));
}

async function drain(connection: Deno.Conn): Promise<void> {
  try {
    while (await connection.read(BUFFER) !== null);
  } catch {
    // It is closed.
  }
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // It is already.
  }
}

function u29(value: number): number[] {
  return value < 0x80
    ? [value]
    : value < 0x4000
    ? [(value >> 7) | 0x80, value & 0x7f]
    : [(value >> 14) | 0x80, ((value >> 7) & 0x7f) | 0x80, value & 0x7f];
}

/** AMF3 objects of one class, whose name is as long as strings may be. */
function amf3Metadata(): Uint8Array {
  const name = new Uint8Array(65_000).fill(0x61);
  const count = 1000;
  return join(
    encodeAmf0(["onMetaData"]),
    Uint8Array.of(3, 0, 1, 0x61, 17, 9, ...u29(((count + 1) << 1) | 1), 1),
    Uint8Array.of(10, 3, ...u29((name.length << 1) | 1)),
    name,
    repeat(Uint8Array.of(10, 1), count),
    Uint8Array.of(0, 0, 9),
  );
}

/** As many properties and bytes as metadata may have. */
function longMetadata(): Uint8Array {
  const properties = Object.fromEntries(
    Array.from({ length: 1000 }, (_, index) => [`p${index}`, "x".repeat(40)]),
  );
  return encodeAmf0(["onMetaData", Amf0Object.from(properties)]);
}

let track = 0;

/** Codec headers of two tracks that no header named together before, until all pairs are through. */
function trackHeaders(): Uint8Array {
  const headers = Array.from({ length: 500 }, () => {
    track++;
    const tracks = [track & 0xff, 0, 0, 0, (track >> 8) & 0xff, 0, 0, 0];
    return message(MESSAGE_TYPE.video, Uint8Array.of(0x96, 0x10, 0x68, 0x76, 0x63, 0x31, ...tracks));
  });
  return join(...headers);
}

/** The beginnings of long messages on all chunk streams that there may be. */
function unfinished(): Uint8Array {
  const begun = Array.from({ length: 60 }, (_, index) => {
    const header = Uint8Array.of(3 + index, 0, 0, 0, 0x0f, 0xff, 0xff, 9, 1, 0, 0, 0);
    return join(header, new Uint8Array(64 * 1024));
  });
  return join(HANDSHAKE, LARGE_CHUNKS, ...begun);
}

const UNFINISHED = unfinished();

const utf8 = (text: string) => new TextEncoder().encode(text);
const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const GET_FLV = "GET /live/a.flv HTTP/1.1\r\nHost: h\r\n";

const PARAMETERS = message(
  MESSAGE_TYPE.command,
  encodeCommand("play", 3, null, `s?a${"&".repeat(60_000)}b`),
);
const AMF3_METADATA = message(MESSAGE_TYPE.data, amf3Metadata());
const LONG_METADATA = message(MESSAGE_TYPE.data, longMetadata());
const REFUSED_PLAYS = repeat(command(1, "play", 4, null, "\x01"), 50);
const PINGS = repeat(
  message(MESSAGE_TYPE.userControl, encodeUserControl(USER_CONTROL.pingRequest, 1), 0),
  500,
);
const DATA = repeat(message(MESSAGE_TYPE.data, encodeAmf0(["onTextData", "x".repeat(60_000)])), 4);
const TINY_CHUNKS = join(
  message(MESSAGE_TYPE.setChunkSize, encodeUint32(1), 0),
  message(MESSAGE_TYPE.video, new Uint8Array(200_000), 1, 1),
  encodeChunks(
    { typeId: MESSAGE_TYPE.setChunkSize, timestamp: 0, messageStreamId: 0, chunkStreamId: 5 },
    encodeUint32(CHUNK_SIZE),
    1,
  ),
);
const EMPTY_PARTS = message(MESSAGE_TYPE.aggregate, repeat(new Uint8Array(15).fill(8, 0, 1), 10_000));
const API_REQUESTS = repeat(utf8("GET /api/v1/streams?count=1000 HTTP/1.1\r\nHost: h\r\n\r\n"), 20);

/** The worst of each. */
export const ATTACKS: readonly Attack[] = [
  { name: "plays with 60 KB of parameters", run: flood("rtmp", () => CONNECTED, () => PARAMETERS) },
  { name: "plays that are refused", run: flood("rtmp", () => CONNECTED, () => REFUSED_PLAYS) },
  { name: "metadata of AMF3 objects", run: flood("rtmp", publishing, () => AMF3_METADATA) },
  { name: "metadata of 1000 properties", run: flood("rtmp", publishing, () => LONG_METADATA) },
  { name: "data messages", run: flood("rtmp", publishing, () => DATA) },
  { name: "headers of many tracks", run: flood("rtmp", publishing, trackHeaders) },
  { name: "aggregates of empty parts", run: flood("rtmp", publishing, () => EMPTY_PARTS) },
  { name: "chunks of one byte", run: flood("rtmp", publishing, () => TINY_CHUNKS) },
  { name: "pings", run: flood("rtmp", () => CONNECTED, () => PINGS) },
  { name: "long messages before connect", run: crowd("rtmp", () => UNFINISHED, 20, 200) },
  { name: "RTMP connections that are reset", run: crowd("rtmp", () => HANDSHAKE, 50, 50) },
  { name: "WebSockets that are reset", run: crowd("http", () => utf8(`${GET_FLV}${UPGRADE}\r\n`), 50, 20) },
  { name: "HTTP-FLV readers who read nothing", run: crowd("http", () => utf8(`${GET_FLV}\r\n`), 100, 500) },
  { name: "HTTP requests that stop halfway", run: crowd("http", () => utf8(GET_FLV), 200, 500) },
  { name: "API requests", run: flood("api", () => new Uint8Array(0), () => API_REQUESTS) },
];

if (import.meta.main) {
  const { name, ports, seconds } = JSON.parse(Deno.args[0] ?? "{}") as {
    name: string;
    ports: AttackedPorts;
    seconds: number;
  };
  const attack = ATTACKS.find((each) => each.name === name);
  if (attack === undefined) throw new Error(`Cannot attack by '${name}': there is no such attack`);
  const count = await attack.run(ports, performance.now() + seconds * 1000);
  Deno.stdout.writeSync(utf8(`${count}\n`));
}
