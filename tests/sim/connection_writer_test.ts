import assert from "node:assert/strict";
import { ConnectionWriter, type MediaSource } from "../../lib/net/connection_writer.ts";
import { settle } from "../fakes/fake_clock.ts";
import { newStream, TestFeed } from "../fakes/stream_peer.ts";
import { ChunkReader } from "../../lib/wire/chunk_reader.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeUint32 } from "../../lib/wire/control.ts";
import { joinBytes, readMessages } from "../fakes/read_messages.ts";

/** A socket that takes bytes only when the test says how many. */
class FakeSocket {
  readonly taken: Uint8Array[] = [];
  offered: Uint8Array | undefined;
  #resolve: (count: number) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  readonly write = (bytes: Uint8Array): Promise<number> => {
    assert.equal(this.offered, undefined, "one write at a time");
    assert.ok(bytes.length > 0);
    this.offered = bytes;
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  };

  /** Takes up to `count` bytes of the write under way. */
  async take(count = Infinity): Promise<void> {
    const bytes = this.offered;
    assert.ok(bytes !== undefined, "a write is under way");
    const length = Math.min(count, bytes.length);
    this.taken.push(bytes.slice(0, length));
    this.offered = undefined;
    this.#resolve(length);
    await settle();
  }

  async fail(): Promise<void> {
    this.offered = undefined;
    this.#reject(new Error("gone"));
    await settle();
  }

  get bytes(): Uint8Array {
    return joinBytes(...this.taken);
  }
}

/** Pieces of one letter each; nothing is ever left out. */
class FakeSource implements MediaSource {
  readonly pieces: Uint8Array[];
  isUrgent = false;

  constructor(...texts: string[]) {
    this.pieces = texts.map((text) => new TextEncoder().encode(text));
  }
  get isBehind(): boolean {
    return this.pieces.length > 0;
  }
  next(): Uint8Array | undefined {
    return this.pieces.shift();
  }
  remainder(slice: Uint8Array, written: number): Uint8Array {
    return slice.subarray(written);
  }
}

function newWriter() {
  const socket = new FakeSocket();
  const seen = { errors: [] as unknown[], later: 0, nowMs: 0 };
  const writer = new ConnectionWriter({
    write: socket.write,
    onError: (error) => seen.errors.push(error),
    onMoreLater: () => seen.later++,
    now: () => seen.nowMs,
  });
  const text = () => new TextDecoder().decode(socket.bytes);
  return { socket, writer, seen, text };
}

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("ConnectionWriter sends session output at once, and what comes meanwhile in one write", async () => {
  const { socket, writer, text } = newWriter();
  writer.send(bytes("ab"));
  writer.send(bytes("cd"));
  writer.send(bytes("ef"));
  assert.equal(writer.queuedBytes, 4);
  await socket.take();
  assert.equal(writer.queuedBytes, 0);
  assert.equal(socket.offered?.length, 4);
  await socket.take();
  assert.equal(socket.offered, undefined);
  assert.equal(text(), "abcdef");
  assert.deepEqual([writer.sentBytes, writer.writes], [6, 2]);
});

Deno.test("ConnectionWriter goes on with a partial write, however small", async () => {
  const { socket, writer, text } = newWriter();
  writer.send(bytes("abcdefgh"));
  for (let i = 0; i < 8; i++) await socket.take(1);
  assert.equal(text(), "abcdefgh");
  assert.equal(socket.offered, undefined);
});

Deno.test("ConnectionWriter puts session output between whole pieces of media, never into one", async () => {
  const { socket, writer, text } = newWriter();
  const source = new FakeSource("MMMM", "NNNN");
  writer.addSource(source);
  writer.flush();
  await socket.take(1);
  writer.send(bytes("cc"));
  await socket.take(2);
  await socket.take(1);
  await socket.take();
  writer.flush();
  await socket.take();
  assert.equal(text(), "MMMMccNNNN");
});

Deno.test("ConnectionWriter asks for media only when it can be sent", async () => {
  const { socket, writer, seen } = newWriter();
  const source = new FakeSource("M", "N");
  writer.addSource(source);
  writer.flush();
  writer.flush();
  assert.equal(source.pieces.length, 1);
  await socket.take();
  assert.equal(seen.later, 1, "the rest waits for the next round");
  assert.equal(source.pieces.length, 1);
  source.isUrgent = true;
  writer.flush();
  await socket.take();
  assert.equal(seen.later, 1);
});

Deno.test("ConnectionWriter does not wait for a round while much is left, or a player joins", async () => {
  const { socket, writer, seen } = newWriter();
  const source = new FakeSource("M".repeat(64 * 1024), "N", "O");
  writer.addSource(source);
  writer.flush();
  await socket.take();
  assert.equal(socket.offered?.length, 1);
  assert.equal(seen.later, 0);
  source.isUrgent = true;
  await socket.take();
  assert.equal(socket.offered?.length, 1);
});

Deno.test("ConnectionWriter takes from several sources", async () => {
  const { socket, writer, text } = newWriter();
  const [first, second] = [new FakeSource("M"), new FakeSource("N")];
  writer.addSource(first);
  writer.addSource(second);
  writer.flush();
  await socket.take();
  writer.flush();
  await socket.take();
  assert.equal(text(), "MN");
});

Deno.test("ConnectionWriter finishes the piece of a source that is taken away", async () => {
  const { socket, writer, text } = newWriter();
  const source = new FakeSource("MMMM", "NNNN");
  writer.addSource(source);
  writer.flush();
  await socket.take(2);
  writer.removeSource(source);
  writer.removeSource(source);
  const drained = writer.drained();
  await socket.take();
  await drained;
  assert.equal(text(), "MMMM");
});

Deno.test("ConnectionWriter is drained when session output is out, at once when there is none, and when closed", async () => {
  const { socket, writer } = newWriter();
  await writer.drained();
  writer.send(bytes("ab"));
  let isDrained = false;
  const drained = writer.drained().then(() => isDrained = true);
  await socket.take(1);
  assert.equal(isDrained, false);
  await socket.take(1);
  await drained;
  writer.send(bytes("ab"));
  const closed = writer.drained();
  writer.close();
  await closed;
  await writer.drained();
  await socket.take();
  writer.send(bytes("cd"));
  writer.flush();
  assert.equal(socket.offered, undefined, "nothing is sent after the end");
});

Deno.test("ConnectionWriter knows since when a write makes no progress", async () => {
  const { socket, writer, seen } = newWriter();
  assert.equal(writer.writingSinceMs, undefined);
  seen.nowMs = 1000;
  writer.send(bytes("abcd"));
  assert.equal(writer.writingSinceMs, 1000);
  seen.nowMs = 5000;
  assert.equal(writer.writingSinceMs, 1000);
  await socket.take(1);
  assert.equal(writer.writingSinceMs, 5000, "a byte is progress");
  await socket.take();
  assert.equal(writer.writingSinceMs, undefined);
});

Deno.test("ConnectionWriter tells of a failed write once, and sends no more", async () => {
  const { socket, writer, seen } = newWriter();
  writer.send(bytes("ab"));
  writer.send(bytes("cd"));
  const drained = writer.drained();
  await socket.fail();
  await drained;
  assert.equal(seen.errors.length, 1);
  writer.send(bytes("ef"));
  assert.equal(socket.offered, undefined);
  const closed = newWriter();
  closed.writer.send(bytes("ab"));
  closed.writer.close();
  await closed.socket.fail();
  assert.deepEqual(closed.seen.errors, [], "it was closed already");
});

Deno.test("ConnectionWriter lets a source that fails cost its connection, not its caller", async () => {
  const { writer, seen } = newWriter();
  const source = new FakeSource("M");
  source.next = () => {
    throw new RangeError("no such bytes");
  };
  writer.addSource(source);
  writer.flush();
  assert.equal(seen.errors.length, 1);
  const other = newWriter();
  const partial = new FakeSource("MMMM");
  partial.remainder = () => {
    throw new RangeError("no such bytes");
  };
  other.writer.addSource(partial);
  other.writer.flush();
  await other.socket.take(1);
  assert.equal(other.seen.errors.length, 1);
});

Deno.test("a player with a slow socket gets whole messages, jumps, and answers in between", async () => {
  const stream = newStream({ queueLengthMs: 2000, chunkSize: 4096 });
  const feed = new TestFeed(stream);
  const { socket, writer } = newWriter();
  const cursor = stream.subscribe("rtmp", { fromGop: true, onReady: () => writer.flush() });
  writer.addSource(cursor);
  const answer = encodeChunks(
    { typeId: 3, timestamp: 0, messageStreamId: 0, chunkStreamId: 2 },
    encodeUint32(7),
    4096,
  );
  let state = 1;
  const random = (below: number) => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) % below;
  for (let at = 0; at < 60_000; at += 40) {
    if (at % 1000 === 0) feed.keyframe(at, 20_000);
    else feed.inter(at, 5_000);
    feed.audio(at, 300);
    stream.rtmp.flushPlayers();
    if (random(20) === 0) writer.send(answer);
    // Half of what the stream has, in odd pieces.
    if (socket.offered !== undefined) await socket.take(1 + random(6000));
  }
  while (socket.offered !== undefined) await socket.take();
  assert.ok(cursor.jumps > 5, `${cursor.jumps} jumps`);
  const reader = new ChunkReader();
  readMessages(
    [encodeChunks(
      { typeId: 1, timestamp: 0, messageStreamId: 0, chunkStreamId: 2 },
      encodeUint32(4096),
      128,
    )],
    undefined,
    reader,
  );
  const messages = readMessages([socket.bytes], undefined, reader);
  assert.equal(reader.bufferedBytes, 0, "ends with a whole message");
  assert.ok(messages.filter(({ typeId }) => typeId === 3).length > 20);
  let last = -1;
  let isBroken = true;
  let gaps = 0;
  for (const { typeId, timestamp, payload } of messages) {
    if (typeId !== 9) continue;
    assert.equal(payload.length, payload[0] === 0x17 ? 20_000 : 5_000);
    assert.ok(timestamp > last);
    if (timestamp - last !== 40 && last >= 0) {
      gaps++;
      isBroken = true;
    }
    if (payload[0] === 0x17) isBroken = false;
    assert.ok(!isBroken, `an inter frame at ${timestamp} without the ones before it`);
    last = timestamp;
  }
  assert.ok(gaps > 0 && gaps <= cursor.jumps);
});

Deno.test("answers wait for the end of a message that is sent in two pieces, though its player leaves", async () => {
  const stream = newStream({ chunkSize: 65_536 });
  const feed = new TestFeed(stream);
  const { socket, writer } = newWriter();
  const cursor = stream.subscribe("rtmp", { fromGop: true, onReady: () => writer.flush() });
  cursor.setFilter({ messageStreamId: 2, accept: () => true });
  writer.addSource(cursor);
  feed.keyframe(0, 50_000);
  stream.rtmp.flushPlayers();
  assert.equal(socket.offered?.length, 12);
  const answer = Uint8Array.of(2, 0, 0, 0, 0, 0, 4, 3, 0, 0, 0, 0, 0, 0, 0, 7);
  writer.send(answer);
  writer.removeSource(cursor);
  const drained = writer.drained();
  await socket.take();
  assert.equal(socket.offered?.length, 50_000);
  await socket.take(100);
  await socket.take();
  assert.deepEqual(socket.offered, answer);
  await socket.take();
  await drained;
  assert.equal(socket.offered, undefined);
  assert.equal(socket.bytes.length, 12 + 50_000 + 16);
});
