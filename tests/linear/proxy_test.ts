import { RtmpError } from "../../lib/base/errors.ts";
import { forwardedClient } from "../../lib/http/server/client_address.ts";
import { takeProxyHeader } from "../../lib/net/proxied_input.ts";
import { readProxyHeader } from "../../lib/net/proxy_header.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill, fillBytes, refusedOr } from "./inputs.ts";

const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const ADDRESSES = new Array(12).fill(1);

/** A header of version 2 whose values are one unit over and over. */
function header(unit: readonly number[], size: number): Uint8Array<ArrayBuffer> {
  const values = fillBytes(unit, size).subarray(0, 4096 - ADDRESSES.length);
  const length = ADDRESSES.length + values.length;
  return Uint8Array.from([...SIGNATURE, 0x21, 0x11, length >> 8, length & 0xff, ...ADDRESSES, ...values]);
}

const HEADERS: Readonly<Record<string, (size: number) => Uint8Array<ArrayBuffer>>> = {
  "of empty values": (size) => header([0xee, 0, 0], size),
  "of checksums": (size) => header([3, 0, 4, 0, 0, 0, 0], size),
  "of values cut off": (size) => header([0xee, 0xff, 0xff], size),
  "of one line": (size) => new TextEncoder().encode(`PROXY TCP4 ${fill("1", size)}`),
  "of spaces": (size) => new TextEncoder().encode(`PROXY ${fill(" ", size)}\r\n`),
};

function whole(): Entrance {
  const kinds = Object.entries(HEADERS).map(([kind, make]) => [kind, (size: number) => {
    const bytes = make(size);
    return () => refusedOr(RtmpError, () => readProxyHeader(bytes));
  }]);
  return { name: "PROXY headers", size: 500, kinds: Object.fromEntries(kinds) };
}

function byteByByte(): Entrance {
  const kinds = Object.entries(HEADERS).map(([kind, make]) => [kind, (size: number) => {
    const bytes = make(size);
    return async () => {
      let at = 0;
      const read = (buffer: Uint8Array) => {
        if (at === bytes.length) return Promise.resolve(null);
        buffer[0] = bytes[at++] as number;
        return Promise.resolve(1);
      };
      await takeProxyHeader({ read }).catch((error) => {
        if (!(error instanceof RtmpError)) throw error;
      });
    };
  }]);
  return {
    name: "PROXY headers that come byte by byte",
    size: 500,
    kinds: Object.fromEntries(kinds),
    harmlessNs: 10_000,
  };
}

const VALUES: Readonly<Record<string, string>> = {
  "of addresses": "10.0.0.1,",
  "of commas": ",",
  "of quotes": '"',
  "of backslashes": '"\\',
  "of semicolons": ";for=1",
  "of brackets": "[",
  "of colons": ":",
  "of spaces": " ",
};

function forwarded(name: string): Entrance {
  const kinds = Object.entries(VALUES).map(([kind, unit]) => [kind, (size: number) => {
    const headers = [[name, fill(unit, size)]] as const;
    const peer = { hostname: "10.0.0.1", port: 1 };
    return () => forwardedClient(headers, peer, () => true);
  }]);
  return { name, size: 2048, kinds: Object.fromEntries(kinds) };
}

testGrowth([
  whole(),
  byteByByte(),
  forwarded("X-Forwarded-For"),
  forwarded("Forwarded"),
  forwarded("X-Real-IP"),
]);
