import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { RtmpError } from "../../lib/base/errors.ts";
import {
  ClientHandshake,
  type DigestSchema,
  findDigest,
  ServerHandshake,
  verifyResponse,
} from "../../lib/wire/handshake.ts";
import { C0_C1_BYTES, HANDSHAKE_BYTES, recordedSession, type SessionName } from "../fixtures/sessions.ts";
import { hex } from "./hex.ts";

const SERVER_NAME = new TextEncoder().encode("Genuine Adobe Flash Media Server 001");

/** Repeatable bytes that look random enough. */
function patternBytes(seed: number): (length: number) => Uint8Array {
  let state = seed;
  return (length) =>
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return state >>> 24;
    });
}

function concat(...parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** C0 and C1 with a digest by the player's key, made here by the words of FACTS A.3 and not by the code under test. */
function digestC0C1(schema: DigestSchema, offsetBytes: readonly number[]): Uint8Array {
  const c1 = patternBytes(7)(1536);
  const block = schema === 0 ? 772 : 8;
  c1.set(offsetBytes, block);
  const position = block + 4 + offsetBytes.reduce((sum, byte) => sum + byte, 0) % 728;
  const digest = createHmac("sha256", "Genuine Adobe Flash Player 001")
    .update(c1.subarray(0, position)).update(c1.subarray(position + 32)).digest();
  c1.set(digest, position);
  return concat(Uint8Array.of(3), c1);
}

function answerTo(c0c1: Uint8Array): { s1: Uint8Array; s2: Uint8Array } {
  const { output, rest } = new ServerHandshake(patternBytes(1), 1234).receive(c0c1);
  assert.equal(rest, undefined);
  assert.equal(output?.length, 3073);
  assert.equal(output[0], 3);
  return { s1: output.slice(1, 1537), s2: output.slice(1537) };
}

const schemas: { name: string; schema: DigestSchema; offsetBytes: number[] }[] = [
  { name: "schema 0, digest at the block's start", schema: 0, offsetBytes: [0, 0, 0, 0] },
  { name: "schema 0, offset that wraps at 728", schema: 0, offsetBytes: [255, 255, 255, 10] },
  { name: "schema 0, last possible offset", schema: 0, offsetBytes: [255, 255, 217, 0] },
  { name: "schema 1, digest at the block's start", schema: 1, offsetBytes: [0, 0, 0, 0] },
  { name: "schema 1, offset of 728 counts as 0", schema: 1, offsetBytes: [255, 255, 218, 0] },
  { name: "schema 1, last possible offset", schema: 1, offsetBytes: [217, 255, 255, 0] },
];
for (const { name, schema, offsetBytes } of schemas) {
  Deno.test(`ServerHandshake answers a digest C1 in kind: ${name}`, () => {
    const c0c1 = digestC0C1(schema, offsetBytes);
    const c1Digest = findDigest(c0c1.subarray(1));
    assert.equal(c1Digest?.schema, schema);
    const { s1, s2 } = answerTo(c0c1);
    assert.equal(findDigest(s1, SERVER_NAME)?.schema, schema);
    assert.ok(verifyResponse(s2, "server", c1Digest.digest));
    assert.deepEqual([...s1.subarray(0, 8)], [...hex("000004d2 01000504")]);
  });
}

Deno.test("ServerHandshake answers a C1 without a digest by echoing it, and S1[4] stays under 3", () => {
  const c1 = concat(hex("00000102 00000000"), patternBytes(3)(1528));
  const { s1, s2 } = answerTo(concat(Uint8Array.of(3), c1));
  assert.deepEqual(s2, c1);
  assert.equal(findDigest(s1, SERVER_NAME), undefined);
  assert.deepEqual([...s1.subarray(0, 8)], [...hex("000004d2 00000102")]);
});

Deno.test("ServerHandshake falls back to the simple form when one bit of the digest is wrong", () => {
  const c0c1 = digestC0C1(1, [1, 2, 3, 4]);
  c0c1[1 + 1000] = (c0c1[1 + 1000] as number) ^ 1;
  assert.deepEqual(answerTo(c0c1).s2, c0c1.slice(1));
});

const recorded: { name: SessionName; schema: DigestSchema | undefined }[] = [
  { name: "ffmpeg_publish", schema: 1 },
  { name: "ffmpeg_play", schema: 1 },
  { name: "rtmpdump_play", schema: undefined },
  { name: "librtmp_publish", schema: undefined },
  { name: "gstreamer_publish", schema: undefined },
  { name: "gstreamer_play", schema: undefined },
];
for (const { name, schema } of recorded) {
  Deno.test(`ServerHandshake reads the recorded C0, C1 and C2 of ${name}`, () => {
    const bytes = recordedSession(name);
    const c1 = bytes.slice(1, C0_C1_BYTES);
    assert.equal(findDigest(c1)?.schema, schema);
    const { s2 } = answerTo(bytes.slice(0, C0_C1_BYTES));
    if (schema === undefined) assert.deepEqual(s2, c1);
    else assert.ok(verifyResponse(s2, "server", findDigest(c1)?.digest as Uint8Array));
    const whole = new ServerHandshake(patternBytes(1), 0).receive(bytes);
    assert.deepEqual(whole.rest, bytes.slice(HANDSHAKE_BYTES));
  });
}

Deno.test("ClientHandshake and ServerHandshake agree, byte by byte, and sign for each other", () => {
  const client = new ClientHandshake(patternBytes(5), 99);
  const server = new ServerHandshake(patternBytes(6), 100);
  const c0c1 = client.start();
  const c1Digest = findDigest(c0c1.subarray(1));
  assert.equal(c1Digest?.schema, 1);
  let s: Uint8Array | undefined;
  for (const byte of c0c1) s = server.receive(Uint8Array.of(byte)).output ?? s;
  assert.equal(s?.length, 3073);
  let c2: Uint8Array | undefined;
  let isDone = false;
  for (const byte of concat(s, hex("aa bb"))) {
    const step = client.receive(Uint8Array.of(byte));
    c2 = step.output ?? c2;
    isDone ||= step.rest !== undefined;
  }
  assert.ok(isDone);
  assert.equal(c2?.length, 1536);
  const s1Digest = findDigest(s.subarray(1, 1537), SERVER_NAME);
  assert.ok(verifyResponse(c2, "client", s1Digest?.digest as Uint8Array));
  assert.ok(!verifyResponse(c2, "server", s1Digest?.digest as Uint8Array));
  assert.ok(verifyResponse(s.subarray(1537), "server", c1Digest.digest));
  assert.equal(server.receive(c2.subarray(0, 1535)).rest, undefined);
  const last = server.receive(concat(c2.subarray(1535), hex("01 02 03")));
  assert.deepEqual(last.rest, hex("01 02 03"));
});

Deno.test("ClientHandshake echoes the S1 of a server that knows no digest", () => {
  const client = new ClientHandshake(patternBytes(5), 99);
  client.start();
  const s1 = concat(hex("00000001 00000000"), patternBytes(9)(1528));
  const step = client.receive(concat(Uint8Array.of(3), s1, s1, hex("ff")));
  assert.deepEqual(step.output, s1);
  assert.deepEqual(step.rest, hex("ff"));
});

Deno.test("ClientHandshake refuses an S0 that is not 3", () => {
  const client = new ClientHandshake(patternBytes(5), 99);
  client.start();
  assert.throws(() => client.receive(hex("48 54 54 50")), (error) => isRtmpError(error, "handshake-version"));
});

const c0c1 = concat(Uint8Array.of(3), hex("00000102 00000000"), patternBytes(3)(1528));
const prefixes: { name: string; bytes: Uint8Array; proxied: string | undefined }[] = [
  { name: "with an address", bytes: hex("f3 0004 0a000102"), proxied: "10.0.1.2" },
  { name: "with an address and more", bytes: hex("f3 0006 c0a80001 ffff"), proxied: "192.168.0.1" },
  { name: "empty", bytes: hex("f3 0000"), proxied: undefined },
  { name: "too short for an address", bytes: hex("f3 0003 010203"), proxied: undefined },
  { name: "of the longest allowed", bytes: concat(hex("f3 0400"), new Uint8Array(1024)), proxied: "0.0.0.0" },
];
for (const { name, bytes, proxied } of prefixes) {
  Deno.test(`ServerHandshake passes over a proxy prefix ${name}, at any split`, () => {
    for (const step of [1, 2, 7, 5000]) {
      const server = new ServerHandshake(patternBytes(1), 0);
      const input = concat(bytes, c0c1);
      let output: Uint8Array | undefined;
      for (let at = 0; at < input.length; at += step) {
        output = server.receive(input.subarray(at, at + step)).output ?? output;
      }
      assert.equal(output?.length, 3073);
      assert.equal(server.proxiedAddress, proxied);
    }
  });
}

const refused: { name: string; bytes: Uint8Array; code: string }[] = [
  { name: "RTMPE (6)", bytes: hex("06"), code: "handshake-version" },
  { name: "HTTP", bytes: hex("'GET / HTTP/1.1'"), code: "handshake-version" },
  { name: "TLS", bytes: hex("16 0301"), code: "handshake-version" },
  { name: "a proxy prefix over 1024 bytes", bytes: hex("f3 0401"), code: "proxy-header-too-large" },
  { name: "a wrong C0 behind a proxy prefix", bytes: hex("f3 0001 00 04"), code: "handshake-version" },
];
for (const { name, bytes, code } of refused) {
  Deno.test(`ServerHandshake refuses ${name} at its first bytes`, () => {
    const server = new ServerHandshake(patternBytes(1), 0);
    assert.throws(() => server.receive(bytes), (error) => isRtmpError(error, code));
  });
}

function isRtmpError(error: unknown, code: string): boolean {
  return error instanceof RtmpError && error.code === code;
}
