import assert from "node:assert/strict";
import type { Timer } from "../../lib/base/clock.ts";
import { pumpBytes } from "../../lib/net/pump.ts";
import type { ByteDuplex } from "../../lib/net/tcp.ts";

/** A connection that fills each of so many reads, and how long these were. */
function fillingDuplex(reads: number): { duplex: ByteDuplex; lengths: number[] } {
  const lengths: number[] = [];
  const readable = new ReadableStream({
    type: "bytes",
    pull(controller) {
      const request = controller.byobRequest;
      const length = request?.view?.byteLength ?? 0;
      if (lengths.length === reads) {
        controller.close();
        request?.respond(0);
        return;
      }
      lengths.push(length);
      request?.respond(length);
    },
  });
  const address = { hostname: "::1", port: 1 };
  const duplex: ByteDuplex = {
    readable,
    write: (bytes) => Promise.resolve(bytes.length),
    close: () => {},
    localAddress: address,
    remoteAddress: address,
  };
  return { duplex, lengths };
}

Deno.test("the read buffer grows while it is filled, to 64 KiB", async () => {
  const { duplex, lengths } = fillingDuplex(5);
  await pumpBytes(duplex, { receive: () => {} });
  assert.deepEqual(lengths, [4096, 16_384, 65_536, 65_536, 65_536]);
});

Deno.test("the read buffer of a stranger does not grow, however much comes", async () => {
  const { duplex, lengths } = fillingDuplex(5);
  let received = 0;
  await pumpBytes(duplex, {
    receive: (bytes) => {
      received += bytes.length;
    },
    mayGrow: () => received > 3 * 4096,
  });
  assert.deepEqual(lengths, [4096, 4096, 4096, 4096, 16_384]);
});

Deno.test("a connection that always has more to read gives way to the others for half of the time", async () => {
  const { duplex, lengths } = fillingDuplex(9);
  let nowMs = 0;
  const waits: { readonly atRead: number; readonly ms: number }[] = [];
  await pumpBytes(duplex, {
    receive: () => {
      nowMs += 4;
    },
    clock: {
      now: () => nowMs,
      setTimer: (callback, ms) => {
        waits.push({ atRead: lengths.length, ms });
        nowMs += ms;
        callback();
        return 0 as unknown as Timer;
      },
      clearTimer: () => {},
      soon: () => {},
    },
  });
  assert.deepEqual(waits, [{ atRead: 3, ms: 10 }, { atRead: 6, ms: 10 }, { atRead: 9, ms: 10 }]);
});
