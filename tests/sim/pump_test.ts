import assert from "node:assert/strict";
import type { Timer } from "../../lib/base/clock.ts";
import { pumpBytes } from "../../lib/net/pump.ts";
import { ReadBuffers } from "../../lib/net/read_buffers.ts";
import type { ByteDuplex } from "../../lib/net/tcp.ts";

/** A connection that fills each of so many reads, and how long these were. */
function fillingDuplex(reads: number): { duplex: ByteDuplex; lengths: number[] } {
  const lengths: number[] = [];
  const address = { hostname: "::1", port: 1 };
  const duplex: ByteDuplex = {
    read(buffer) {
      if (lengths.length === reads) return Promise.resolve(null);
      lengths.push(buffer.length);
      return Promise.resolve(buffer.length);
    },
    write: (bytes) => Promise.resolve(bytes.length),
    close: () => {},
    localAddress: address,
    remoteAddress: address,
  };
  return { duplex, lengths };
}

Deno.test("the read buffer grows while it is filled, to 64 KiB", async () => {
  const { duplex, lengths } = fillingDuplex(6);
  await pumpBytes(duplex, { receive: () => {} });
  assert.deepEqual(lengths, [4096, 8192, 16_384, 32_768, 65_536, 65_536]);
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
  assert.deepEqual(lengths, [4096, 4096, 4096, 4096, 8192]);
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
      wallNow: () => nowMs,
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

Deno.test("connections that pause between two reads share their buffers", async () => {
  const memories = new Set<ArrayBufferLike>();
  const pauses: (() => void)[] = [];
  const pumps = Array.from({ length: 50 }, () => {
    const { duplex } = fillingDuplex(0);
    let reads = 0;
    const read = (buffer: Uint8Array) => {
      memories.add(buffer.buffer);
      return Promise.resolve(reads++ < 10 ? 1000 : null);
    };
    return pumpBytes({ ...duplex, read }, {
      receive: () => {},
      pause: () => new Promise((resolve) => pauses.push(resolve)),
    });
  });
  // One after the other, as slots do with publishers whom nobody plays.
  for (let i = 0; i < 500; i++) {
    while (pauses.length === 0) await Promise.resolve();
    pauses.shift()?.();
  }
  await Promise.all(pumps);
  assert.ok(memories.size <= 51, `${memories.size} buffers`);
});

Deno.test("few buffers are kept for those who read next", () => {
  const buffers = new ReadBuffers();
  const taken = Array.from({ length: 100 }, () => buffers.take(64 * 1024));
  for (const buffer of taken) buffers.giveBack(buffer);
  const again = Array.from({ length: 100 }, () => buffers.take(64 * 1024));
  assert.equal(again.filter((buffer) => taken.includes(buffer)).length, 32, "2 MiB");
});
