import assert from "node:assert/strict";
import { HttpError } from "../../lib/http/server/http_error.ts";
import { HttpServer } from "../../lib/http/server/http_server.ts";
import { RequestParser } from "../../lib/http/server/request_parser.ts";
import { ConnectionLimits } from "../../lib/net/connection_limits.ts";
import { Entrance } from "../../lib/net/entrance.ts";
import {
  WEB_SOCKET_OPCODE,
  WebSocketError,
  webSocketFrame,
  WebSocketReader,
} from "../../lib/wire/web_socket_frame.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { heldBytes } from "../fakes/memory.ts";
import { MemoryDuplex } from "../fakes/memory_duplex.ts";
import { cutEvery } from "../fakes/read_messages.ts";
import { Random, SEED_TEXT } from "./random.ts";

const PARSED_CASES = 40_000;
const SERVED_CASES = 2000;
const SOCKET_CASES = 20_000;
const LIMITS = { maxHeadBytes: 2000, maxBodyBytes: 500 };
const FAR_AWAY_MS = 1_000_000;

/** What is usual, and what else comes once in a few times. */
const METHODS = [["GET", "GET", "HEAD", "POST"], [
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
  "PRI",
  "get",
  "G T",
  "",
]] as const;
const TARGETS = [["/", "/a", "/live/a.flv?x=y"], [
  "*",
  "http://h/a",
  "h:80",
  "/%",
  "/%ff",
  "/#a",
  "//",
  "/..",
  "?",
  "",
  "/\xff",
  "/a b",
]] as const;
const VERSIONS = [["1.1", "1.1", "1.0"], ["0.9", "2.0", "1.10", "x"]] as const;
const ENDS = [["\r\n"], ["\n", "\r", "\r\n "]] as const;
const HEADERS = [[
  "A: b",
  "Connection: keep-alive",
  "Accept: */*",
], [
  "Host: h",
  "Host: h:80",
  "Host: [::1]",
  "Host: a b",
  "Host:",
  "Connection: close",
  "Connection: keep-alive",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Upgrade: h2c",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
  "Expect: 100-continue",
  "Content-Length: 3",
  "Content-Length: 3, 4",
  "Content-Length: -1",
  "Content-Length: 99999999999999999999",
  "Transfer-Encoding: chunked",
  "Transfer-Encoding: gzip, chunked",
  "Transfer-Encoding: xchunked",
  "A: b",
  "A : b",
  ": b",
  "A",
  "\x01: b",
  "A: \x00",
  "A: \xff",
]] as const;
const BODIES = [["", "", "", ""], [
  "abc",
  "3\r\nabc\r\n0\r\n\r\n",
  "0\r\n\r\n",
  "fffffffff\r\n",
  "3;x=y\r\nabc\r\n0\r\nA: b\r\n\r\n",
  "-1\r\n",
]] as const;

/** A few requests, right or nearly right, one after the other. */
function forgeRequests(random: Random): Uint8Array {
  let text = "";
  for (let count = random.below(3); count >= 0; count--) {
    const one = ([usual, odd]: readonly [readonly string[], readonly string[]], times: number) =>
      random.pick(random.once(times) ? odd : usual);
    const end = () => one(ENDS, 30);
    text += `${one(METHODS, 12)} ${one(TARGETS, 8)} HTTP/${one(VERSIONS, 20)}${end()}`;
    if (!random.once(12)) text += `Host: h${end()}`;
    for (let headers = random.below(6); headers > 0; headers--) text += one(HEADERS, 5) + end();
    if (random.once(30)) text += `B: ${"b".repeat(random.below(3000))}${end()}`;
    text += end() + one(BODIES, 4);
  }
  const bytes = Uint8Array.from(text, (character) => character.charCodeAt(0));
  if (random.once(5)) return bytes.slice(0, random.below(bytes.length));
  for (let changes = random.once(4) ? random.below(4) : 0; changes > 0; changes--) {
    bytes[random.below(bytes.length)] = random.below(256);
  }
  return bytes;
}

/** What a parser makes of bytes that come in these pieces. */
function parse(pieces: readonly Uint8Array[]): { requests: unknown[]; refusal: string | undefined } {
  const parser = new RequestParser(LIMITS);
  const requests: unknown[] = [];
  try {
    for (const bytes of pieces) {
      // The same memory for every piece, as the pump reads.
      const buffer = bytes.slice();
      for (let piece = buffer; piece.length > 0;) {
        piece = piece.subarray(parser.push(piece));
        if (parser.request === undefined) continue;
        requests.push(parser.request);
        parser.next();
      }
      buffer.fill(0xee);
    }
    return { requests, refusal: undefined };
  } catch (error) {
    if (!(error instanceof HttpError)) throw error;
    assert.ok(error.status >= 400 && error.status < 600);
    return { requests, refusal: `${error.status} ${error.message}` };
  } finally {
    parser.close();
  }
}

function eachCase(count: number, run: (random: Random) => void): void {
  for (let index = 0; index < count; index++) {
    try {
      run(new Random(index));
    } catch (error) {
      throw new Error(`Case ${index} with ${SEED_TEXT} failed: ${error}`, { cause: error });
    }
  }
}

Deno.test(`forged HTTP requests are read the same however they are split, or refused with a status (${SEED_TEXT})`, () => {
  let requests = 0;
  let refused = 0;
  eachCase(PARSED_CASES, (random) => {
    const bytes = forgeRequests(random);
    const whole = parse([bytes]);
    requests += whole.requests.length;
    if (whole.refusal !== undefined) refused++;
    assert.deepEqual(parse(cutEvery(bytes, 1 + random.below(40))), whole);
  });
  assert.ok(requests > PARSED_CASES / 10, `${requests} requests`);
  assert.ok(refused > PARSED_CASES / 10, `${refused} refused`);
});

Deno.test(`forged HTTP requests cost at most their connection, and leave no memory behind (${SEED_TEXT})`, async () => {
  const clock = new FakeClock();
  const faults: unknown[] = [];
  const limits = { maxConnections: 10, maxConnectionsPerIp: 0 };
  const connections = new ConnectionLimits(() => limits);
  const server = new HttpServer({
    clock,
    entrance: new Entrance({ limits: connections, clock }),
    limits: () => ({ maxBodyBytes: LIMITS.maxBodyBytes, sendTimeoutMs: 5000 }),
    onFault: (error) => faults.push(error),
    onRefused: () => {},
  });
  let answered = 0;
  let before = heldBytes();
  for (let index = 0; index < SERVED_CASES; index++) {
    const random = new Random(index);
    const connection = new MemoryDuplex();
    server.accept(connection.duplex, async (request) => {
      answered++;
      return { response: new Response(`${request.method} ${request.url} ${await request.text()}`) };
    });
    for (const piece of cutEvery(forgeRequests(random), 1 + random.below(400))) connection.send(piece);
    const reading = readAll(connection);
    await settle();
    await clock.advance(FAR_AWAY_MS);
    server.tick();
    await clock.advance(FAR_AWAY_MS);
    await reading;
    assert.deepEqual([faults, server.size], [[], 0], `case ${index} with ${SEED_TEXT}`);
    if (index === SERVED_CASES / 4) before = heldBytes();
  }
  assert.ok(answered > SERVED_CASES / 10, `${answered} were answered`);
  const grown = heldBytes().bytes - before.bytes;
  assert.ok(grown < before.toleranceBytes, `${SERVED_CASES} cases left ${grown} bytes behind`);
  await server.close();
});

async function readAll(connection: MemoryDuplex): Promise<void> {
  while (await connection.read() !== undefined);
}

Deno.test(`forged WebSocket frames are read the same however they are split, or refused with a code (${SEED_TEXT})`, () => {
  let pings = 0;
  eachCase(SOCKET_CASES, (random) => {
    const pieces: number[] = [];
    for (let count = random.below(6); count >= 0; count--) {
      const opcode = random.pick([
        WEB_SOCKET_OPCODE.ping,
        WEB_SOCKET_OPCODE.ping,
        2,
        1,
        0,
        WEB_SOCKET_OPCODE.pong,
        random.below(16),
      ]);
      const frame = webSocketFrame(
        opcode,
        random.bytes(random.once(9) ? random.below(2000) : random.below(130)),
      );
      const headerBytes = (frame[1] ?? 0) === 126 ? 4 : 2;
      // A client's is masked, mostly.
      if (!random.once(30)) frame[1] = (frame[1] ?? 0) | 0x80;
      if (random.once(8)) frame[0] = (frame[0] ?? 0) & 0x7f;
      if (random.once(20)) frame[random.below(2)] = random.below(256);
      pieces.push(...frame.subarray(0, headerBytes), ...random.bytes(4), ...frame.subarray(headerBytes));
    }
    const bytes = Uint8Array.from(pieces);
    const whole = readFrames([bytes]);
    pings += whole.inputs.length;
    assert.deepEqual(readFrames(cutEvery(bytes, 1 + random.below(20))), whole);
  });
  assert.ok(pings > SOCKET_CASES / 5, `${pings} frames were told of`);
});

function readFrames(pieces: readonly Uint8Array[]): { inputs: unknown[]; code: number | undefined } {
  const reader = new WebSocketReader(1000);
  const inputs: unknown[] = [];
  try {
    for (const piece of pieces) for (const input of reader.push(piece)) inputs.push(input);
    return { inputs, code: undefined };
  } catch (error) {
    if (!(error instanceof WebSocketError)) throw error;
    return { inputs, code: error.closeCode };
  }
}
