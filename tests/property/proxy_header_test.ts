import { deepEqual, ok } from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { parseIp } from "../../lib/base/ip_address.ts";
import { forwardedClient } from "../../lib/http/server/client_address.ts";
import { MAX_PROXY_HEADER_BYTES, type ProxyHeader, readProxyHeader } from "../../lib/net/proxy_header.ts";
import { Random, SEED_TEXT } from "./random.ts";

const CASES = 20_000;
const SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a];
const WORDS = ["PROXY ", "TCP4 ", "TCP6 ", "UNKNOWN", "1.2.3.4", "::1", " ", "65535", "0", "\r\n", "\n", "x"];
const PARTS = [
  "1.2.3.4",
  "[::1]",
  ":80",
  ",",
  ";",
  "for=",
  '"',
  "\\",
  " ",
  "unknown",
  "%",
  "::ffff:1.2.3.4",
  "\xff",
  "10.0.0.1",
];

/** What a proxy could never mean, but nearly. */
function forge(random: Random): Uint8Array {
  if (random.below(2) === 0) {
    const words = Array.from({ length: 1 + random.below(9) }, () => WORDS[random.below(WORDS.length)]);
    return new TextEncoder().encode(`${random.below(4) > 0 ? "PROXY TCP4 " : ""}${words.join("")}`);
  }
  const rest = Array.from({ length: random.below(60) }, () => random.below(256));
  const length = random.below(3) > 0 ? [0, random.below(60)] : [random.below(256), random.below(256)];
  return Uint8Array.from([
    ...SIGNATURE,
    random.below(3) > 0 ? 0x21 : random.below(256),
    0x11 + 0x10 * random.below(3),
    ...length,
    ...rest,
  ]);
}

function readOrRefuse(bytes: Uint8Array): ProxyHeader | undefined | string {
  try {
    return readProxyHeader(bytes);
  } catch (error) {
    ok(error instanceof RtmpError, String(error));
    return error.code;
  }
}

Deno.test(`forged PROXY headers are read, wait for more, or are malformed, the same in any pieces (${SEED_TEXT})`, () => {
  let read = 0;
  for (let index = 0; index < CASES; index++) {
    const bytes = forge(new Random(index));
    const whole = readOrRefuse(bytes);
    if (typeof whole === "object" && whole.client !== undefined) {
      read++;
      ok(
        parseIp(whole.client.hostname) !== undefined &&
          whole.length <= Math.min(bytes.length, MAX_PROXY_HEADER_BYTES),
      );
    }
    // The first prefix that says something says what the whole does.
    for (let length = 1; length <= bytes.length; length++) {
      const part = readOrRefuse(bytes.subarray(0, length));
      if (part === undefined) continue;
      deepEqual(part, whole, `${index}: ${length} of ${bytes.length} bytes`);
      break;
    }
  }
  ok(read > 0);
});

Deno.test(`forged lists of clients name an address, or nobody (${SEED_TEXT})`, () => {
  const peer = { hostname: "10.0.0.1", port: 1 };
  for (let index = 0; index < CASES; index++) {
    const random = new Random(index);
    const text = () =>
      Array.from({ length: random.below(12) }, () => PARTS[random.below(PARTS.length)]).join("");
    const headers = ["X-Forwarded-For", "Forwarded", "X-Real-IP"].filter(() => random.below(2) > 0).map((
      name,
    ) => [name, text()] as const);
    const client = forwardedClient(headers, peer, (ip) => ip.startsWith("10."))?.peer;
    ok(client === undefined || parseIp(client.hostname) !== undefined, `${index}: ${client?.hostname}`);
  }
});
