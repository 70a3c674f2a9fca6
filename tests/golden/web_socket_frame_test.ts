import assert from "node:assert/strict";
import {
  WEB_SOCKET_OPCODE,
  webSocketFrame,
  webSocketHeaderBytes,
  writeWebSocketHeader,
  writtenWebSocketHeaderBytes,
} from "../../lib/wire/web_socket_frame.ts";
import { hex } from "./hex.ts";

/** RFC 6455, section 5.7, and the borders between the three forms of a length. */
const CASES: [name: string, opcode: keyof typeof WEB_SOCKET_OPCODE, size: number, header: string][] = [
  ["an empty message", "binary", 0, "82 00"],
  ["the longest length in one byte", "binary", 125, "82 7d"],
  ["the shortest length in two", "binary", 126, "82 7e 007e"],
  ["256 bytes", "binary", 256, "82 7e 0100"],
  ["the longest length in two", "binary", 65535, "82 7e ffff"],
  ["64 KiB", "binary", 65536, "82 7f 0000000000010000"],
  ["a payload of 32 bits", "binary", 0xf1e2d3c4, "82 7f 00000000f1e2d3c4"],
  ["a close", "close", 2, "88 02"],
  ["a pong", "pong", 5, "8a 05"],
];

for (const [name, opcode, size, header] of CASES) {
  Deno.test(`writeWebSocketHeader() writes ${name}`, () => {
    const expected = hex(header);
    const target = new Uint8Array(expected.length + 2);
    assert.equal(webSocketHeaderBytes(size), expected.length);
    assert.equal(writeWebSocketHeader(target, 1, WEB_SOCKET_OPCODE[opcode], size), expected.length + 1);
    assert.deepEqual(target.slice(1, -1), expected);
    assert.equal(writtenWebSocketHeaderBytes(target, 1), expected.length);
  });
}

Deno.test("webSocketFrame() puts the payload behind its header", () => {
  assert.deepEqual(webSocketFrame(WEB_SOCKET_OPCODE.close, hex("03e8")), hex("88 02 03e8"));
});
