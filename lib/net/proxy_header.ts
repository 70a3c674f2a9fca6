/**
 * The PROXY protocol's header, versions 1 and 2: what a proxy says of a connection before it passes the client's own bytes on.
 *
 * Source: haproxy's proxy-protocol.txt.
 *
 * @module
 */
import { RtmpError } from "../base/errors.ts";
import { formatIp, parseIp } from "../base/ip_address.ts";
import type { SocketAddress } from "./tcp.ts";

/** What a header says. */
export interface ProxyHeader {
  /** The client; absent: the connection is the proxy's own, or it does not know. */
  readonly client?: SocketAddress;
  /** The header itself, in bytes: what follows is the client's. */
  readonly length: number;
}

/** Version 1 with its line's end. */
const MAX_TEXT_BYTES = 107;
const TEXT_START = new TextEncoder().encode("PROXY ");
const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const HEAD_BYTES = 16;
/** What may follow the head of version 2: addresses, and what a proxy says of TLS. */
const MAX_BINARY_BYTES = 4096;
/** Longest header, in bytes. */
export const MAX_PROXY_HEADER_BYTES: number = HEAD_BYTES + MAX_BINARY_BYTES;

const COMMAND_PROXY = 1;
const FAMILY = { unspecified: 0, ipv4: 1, ipv6: 2, unix: 3 } as const;
const ADDRESS_BYTES: Readonly<Record<number, number>> = {
  [FAMILY.unspecified]: 0,
  [FAMILY.ipv4]: 12,
  [FAMILY.ipv6]: 36,
  [FAMILY.unix]: 216,
};
const TRANSPORT_STREAM = 1;
const TYPE_CRC32C = 3;

/**
 * Reads the header at the beginning of what has come.
 *
 * @returns Undefined while there is more to come; a length of 0 where the bytes are no such header.
 * @throws {RtmpError} `proxy-header-malformed`.
 */
export function readProxyHeader(bytes: Uint8Array): ProxyHeader | undefined {
  if (beginsAs(bytes, SIGNATURE)) {
    return bytes.length < SIGNATURE.length ? undefined : readBinary(bytes);
  }
  if (beginsAs(bytes, TEXT_START)) return bytes.length < TEXT_START.length ? undefined : readText(bytes);
  return { length: 0 };
}

/** Whether the bytes begin with those, as far as they have come. */
function beginsAs(bytes: Uint8Array, start: Uint8Array): boolean {
  return start.subarray(0, bytes.length).every((byte, i) => bytes[i] === byte);
}

function readText(bytes: Uint8Array): ProxyHeader | undefined {
  const end = bytes.subarray(0, MAX_TEXT_BYTES).indexOf(0x0a);
  if (end < 0) {
    if (bytes.length < MAX_TEXT_BYTES) return undefined;
    throw malformed(`no line end within ${MAX_TEXT_BYTES} bytes`);
  }
  if (bytes[end - 1] !== 0x0d) throw malformed("its line does not end in CR LF");
  const line = String.fromCharCode(...bytes.subarray(0, end - 1));
  const [, family, source, target, sourcePort, targetPort, ...rest] = line.split(" ");
  const length = end + 1;
  if (family === "UNKNOWN") return { length };
  if (family !== "TCP4" && family !== "TCP6") throw malformed("it names neither TCP4, TCP6 nor UNKNOWN");
  const isIpv6 = family === "TCP6";
  if (!isAddress(source, isIpv6) || !isAddress(target, isIpv6)) {
    throw malformed(`it does not hold two addresses of ${family}`);
  }
  if (!isPort(sourcePort) || !isPort(targetPort) || rest.length > 0) {
    throw malformed("it does not end in two ports");
  }
  return { client: { hostname: canonical(source), port: Number(sourcePort) }, length };
}

function isAddress(text: string | undefined, isIpv6: boolean): text is string {
  return text !== undefined && text.includes(":") === isIpv6 && parseIp(text) !== undefined;
}

function canonical(text: string): string {
  return formatIp(parseIp(text) ?? new Uint8Array(16));
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

function readBinary(bytes: Uint8Array): ProxyHeader | undefined {
  if (bytes.length < HEAD_BYTES) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = view.getUint8(12) >> 4;
  const command = view.getUint8(12) & 0xf;
  const family = view.getUint8(13) >> 4;
  const transport = view.getUint8(13) & 0xf;
  const size = view.getUint16(14);
  if (version !== 2 || command > COMMAND_PROXY) {
    throw malformed(`its version is ${version} and its command ${command}`);
  }
  if (size > MAX_BINARY_BYTES) throw malformed(`${size} bytes are announced, limit is ${MAX_BINARY_BYTES}`);
  const length = HEAD_BYTES + size;
  if (bytes.length < length) return undefined;
  // The proxy's own, as health checks are: what else it holds means nothing.
  if (command !== COMMAND_PROXY) return { length };
  const addressBytes = ADDRESS_BYTES[family];
  if (addressBytes === undefined || (family !== FAMILY.unspecified && transport !== TRANSPORT_STREAM)) {
    throw malformed(`its address family and transport are 0x${view.getUint8(13).toString(16)}`);
  }
  if (family === FAMILY.unspecified) return { length };
  if (size < addressBytes) throw malformed(`${size} bytes cannot hold its addresses`);
  checkTypes(bytes.subarray(0, length), HEAD_BYTES + addressBytes);
  if (family === FAMILY.unix) return { length };
  const isIpv6 = family === FAMILY.ipv6;
  const portAt = HEAD_BYTES + (isIpv6 ? 32 : 8);
  const hostname = isIpv6
    ? formatIp(bytes.subarray(HEAD_BYTES, HEAD_BYTES + 16))
    : bytes.subarray(HEAD_BYTES, HEAD_BYTES + 4).join(".");
  return { client: { hostname, port: view.getUint16(portAt) }, length };
}

/** Walks the types, lengths and values behind the addresses; the checksum must be right where there is one. */
function checkTypes(header: Uint8Array, from: number): void {
  for (let at = from; at < header.length;) {
    const size = ((header[at + 1] ?? 0) << 8) | (header[at + 2] ?? 0);
    const end = at + 3 + size;
    if (end > header.length) throw malformed("a value in it goes beyond its end");
    if (header[at] === TYPE_CRC32C) {
      if (size !== 4) throw malformed(`its checksum has ${size} bytes`);
      const copy = header.slice();
      copy.fill(0, at + 3, end);
      const told = new DataView(header.buffer, header.byteOffset + at + 3, 4).getUint32(0);
      if (told !== crc32c(copy)) throw malformed("its checksum is wrong");
      // One is enough: each costs the whole header.
      return;
    }
    at = end;
  }
}

/** Castagnoli's, bit by bit: a header is short, and has one. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return ~crc >>> 0;
}

function malformed(reason: string): RtmpError {
  return new RtmpError("proxy-header-malformed", `Cannot read PROXY header: ${reason}`);
}
