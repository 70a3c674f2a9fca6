import { deepEqual, equal, throws } from "node:assert/strict";
import { crc32c, MAX_PROXY_HEADER_BYTES, readProxyHeader } from "../../lib/net/proxy_header.ts";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Version 2 from its words in hexadecimal, without the signature. */
function binary(hex: string): Uint8Array {
  return Uint8Array.from(
    `0d0a0d0a000d0a515549540a${hex.replaceAll(" ", "")}`.match(/../g) ?? [],
    (byte) => parseInt(byte, 16),
  );
}

const IPV4 = "7f000001 7f000001 91be 1cf5";
const client = { hostname: "127.0.0.1", port: 37_310 };

const read: readonly { name: string; header: Uint8Array; expected: unknown }[] = [
  {
    name: "nginx 1.22, version 1",
    header: bytes("PROXY TCP4 192.0.2.1 127.0.0.1 44152 7411\r\n"),
    expected: { hostname: "192.0.2.1", port: 44_152 },
  },
  {
    name: "IPv6, version 1",
    header: bytes("PROXY TCP6 2001:DB8:0::1 ::1 1 65535\r\n"),
    expected: { hostname: "2001:db8::1", port: 1 },
  },
  {
    name: "IPv4 in IPv6, version 1",
    header: bytes("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n"),
    expected: { hostname: "192.0.2.1", port: 1 },
  },
  { name: "UNKNOWN", header: bytes("PROXY UNKNOWN\r\n"), expected: undefined },
  {
    name: "UNKNOWN with more",
    header: bytes("PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n"),
    expected: undefined,
  },
  { name: "haproxy 2.6, version 2", header: binary(`21 11 000c ${IPV4}`), expected: client },
  { name: "haproxy's check, LOCAL", header: binary("20 00 0000"), expected: undefined },
  {
    name: "AWS NLB's check: LOCAL that holds addresses",
    header: binary(`20 11 000c ${IPV4}`),
    expected: undefined,
  },
  {
    name: "an unspecified family that holds something",
    header: binary("21 00 0003 010203"),
    expected: undefined,
  },
  { name: "a UNIX socket", header: binary(`21 31 00d8 ${"00".repeat(216)}`), expected: undefined },
  {
    name: "IPv6, version 2",
    header: binary(`21 21 0024 20010db8${"00".repeat(11)}01 ${"00".repeat(15)}01 0050 0051`),
    expected: { hostname: "2001:db8::1", port: 80 },
  },
  {
    name: "values, of a kind that nobody knows",
    header: binary(`21 11 0015 ${IPV4} ee 0001 ff 04 0002 0000`),
    expected: client,
  },
  { name: "a checksum", header: withChecksum(0), expected: client },
];

/** A header with a checksum, which is wrong by so much. */
function withChecksum(error: number): Uint8Array {
  const header = binary(`21 11 0013 ${IPV4} 03 0004 00000000`);
  new DataView(header.buffer).setUint32(header.length - 4, (crc32c(header) + error) >>> 0);
  return header;
}

for (const { name, header, expected } of read) {
  Deno.test(`the PROXY header of ${name} is read, however it comes`, () => {
    for (let length = 0; length < header.length; length++) {
      equal(readProxyHeader(header.subarray(0, length)), undefined, `${length} bytes`);
    }
    const found = readProxyHeader(new Uint8Array([...header, 3, 1, 2, 3]));
    equal(found?.length, header.length);
    deepEqual(found?.client, expected);
  });
}

Deno.test("crc32c() is Castagnoli's", () => {
  equal(crc32c(bytes("123456789")), 0xe306_9283);
});

for (const first of ["\x03", "GET / HTTP/1.1\r\n", "PROXZ", "\r\n\r\nx", "\x16\x03\x01"]) {
  Deno.test(`what begins with ${JSON.stringify(first)} has no PROXY header`, () => {
    deepEqual(readProxyHeader(bytes(first)), { length: 0 });
  });
}

const malformed: readonly (readonly [name: string, header: Uint8Array])[] = [
  ["a line that does not end", bytes(`PROXY TCP4 ${"1".repeat(100)}`)],
  ["a line feed alone", bytes("PROXY TCP4 1.1.1.1 2.2.2.2 1 2\n")],
  ["UDP4", bytes("PROXY UDP4 1.1.1.1 2.2.2.2 1 2\r\n")],
  ["two spaces", bytes("PROXY TCP4  1.1.1.1 2.2.2.2 1 2\r\n")],
  ["IPv6 in TCP4", bytes("PROXY TCP4 ::1 ::1 1 2\r\n")],
  ["IPv4 in TCP6", bytes("PROXY TCP6 1.1.1.1 2.2.2.2 1 2\r\n")],
  ["a name", bytes("PROXY TCP4 localhost 2.2.2.2 1 2\r\n")],
  ["a port with a zero in front", bytes("PROXY TCP4 1.1.1.1 2.2.2.2 01 2\r\n")],
  ["a port too large", bytes("PROXY TCP4 1.1.1.1 2.2.2.2 1 65536\r\n")],
  ["a word too many", bytes("PROXY TCP4 1.1.1.1 2.2.2.2 1 2 3\r\n")],
  ["version 1 in version 2", binary(`11 11 000c ${IPV4}`)],
  ["an unknown command", binary(`22 11 000c ${IPV4}`)],
  ["an unknown family", binary(`21 41 000c ${IPV4}`)],
  ["datagrams", binary(`21 12 000c ${IPV4}`)],
  ["no room for the addresses", binary("21 11 000b 7f000001 7f000001 91be 1c")],
  ["more than is taken", binary("21 11 ffff")],
  ["a value beyond the end", binary(`21 11 0010 ${IPV4} 04 0002 00`)],
  ["a wrong checksum", withChecksum(1)],
];

for (const [name, header] of malformed) {
  Deno.test(`a PROXY header with ${name} is malformed`, () => {
    throws(() => readProxyHeader(header), { code: "proxy-header-malformed" });
  });
}

Deno.test("the longest PROXY header is complete when it is there", () => {
  const header = binary(`21 11 1000 ${IPV4} 04 0ff1 ${"00".repeat(4096 - 15)}`);
  equal(header.length, MAX_PROXY_HEADER_BYTES);
  equal(readProxyHeader(header)?.length, header.length);
});
