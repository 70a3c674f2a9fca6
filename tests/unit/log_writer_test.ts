import assert from "node:assert/strict";
import { type LogSink, LogWriter } from "../../lib/app/log_writer.ts";

/** Takes what it is told to take, as a pipe or a disk does. */
class FakeSink implements LogSink {
  readonly #decoder = new TextDecoder();
  text = "";
  isClosed = false;
  /** Bytes that it takes at once. */
  most = Infinity;
  /** Thrown by the next writes instead. */
  readonly failures: Error[] = [];
  #open = Promise.withResolvers<void>();

  constructor() {
    this.#open.resolve();
  }

  /** Nobody reads. */
  block(): void {
    this.#open = Promise.withResolvers();
  }

  unblock(): void {
    this.#open.resolve();
  }

  async write(bytes: Uint8Array): Promise<number> {
    await this.#open.promise;
    const failure = this.failures.shift();
    if (failure !== undefined) throw failure;
    const taken = bytes.subarray(0, this.most);
    this.text += this.#decoder.decode(taken, { stream: true });
    return taken.byteLength;
  }

  close(): void {
    this.isClosed = true;
  }
}

interface Made {
  readonly sink: FakeSink;
  readonly writer: LogWriter;
  readonly lost: [lines: number, reason: string][];
}

function make(maxQueued?: number): Made {
  const sink = new FakeSink();
  const lost: [number, string][] = [];
  const onLost = (lines: number, reason: string) => lost.push([lines, reason]);
  const writer = new LogWriter({ sink, onLost, ...(maxQueued === undefined ? {} : { maxQueued }) });
  return { sink, writer, lost };
}

const LONG_MS = 60_000;

Deno.test("LogWriter writes lines in their order, however little is taken at once", async () => {
  const { sink, writer } = make();
  sink.most = 3;
  writer.write("one\n");
  writer.write("zwölf\n");
  await writer.flush(LONG_MS);
  writer.write("three\n");
  await writer.close(LONG_MS);
  assert.equal(sink.text, "one\nzwölf\nthree\n");
  assert.equal(sink.isClosed, true);
});

Deno.test("LogWriter: a full pipe costs lines beyond a bound, never a wait, and says so when it flows again", async () => {
  const { sink, writer, lost } = make(100);
  sink.block();
  for (let i = 10; i < 60; i++) writer.write(`line ${i}\n`);
  assert.equal(writer.lostTotal, 50 - 12);
  await writer.flush(0);
  assert.equal(sink.text, "");
  assert.deepEqual(lost, []);
  sink.unblock();
  await writer.flush(LONG_MS);
  assert.equal(sink.text.split("\n").length - 1, 12);
  assert.deepEqual(lost, [[38, "they could not be written fast enough"]]);
  writer.write("line 99\n");
  await writer.flush(LONG_MS);
  assert.match(sink.text, /line 21\nline 99\n$/);
  assert.equal(lost.length, 1);
});

Deno.test("LogWriter: a full disk costs lines, and a line cut short is no part of the next", async () => {
  const { sink, writer, lost } = make();
  const full = new Error("No space left on device (os error 28)");
  sink.failures.push(full);
  writer.write("one\n");
  await writer.flush(LONG_MS);
  sink.most = 2;
  const cut = sink.write.bind(sink);
  let writes = 0;
  sink.write = (bytes) => ++writes === 2 ? Promise.reject(full) : cut(bytes);
  writer.write("two\n");
  await writer.flush(LONG_MS);
  assert.deepEqual([sink.text, writer.lostTotal, lost], ["tw", 2, []]);
  writer.write("three\n");
  await writer.flush(LONG_MS);
  assert.equal(sink.text, "tw\nthree\n");
  assert.deepEqual(lost, [[2, "No space left on device (os error 28)"]]);
});

Deno.test("LogWriter waits for a sink that would block, and for its end no longer than it may", async () => {
  const { sink, writer } = make();
  const busy = new Error("Resource temporarily unavailable");
  busy.name = "WouldBlock";
  sink.failures.push(busy, busy);
  writer.write("one\n");
  await writer.flush(LONG_MS);
  assert.deepEqual([sink.text, writer.lostTotal], ["one\n", 0]);
  sink.block();
  writer.write("two\n");
  await writer.close(1);
  assert.equal(sink.isClosed, true);
  // The runner fails a test that leaves a promise of the sink's behind it: it has none.
  sink.unblock();
});
