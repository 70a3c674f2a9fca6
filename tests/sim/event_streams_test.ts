import { deepEqual, equal, match } from "node:assert/strict";
import { type EventData, EventStreams } from "../../lib/http/api/event_streams.ts";
import type { MediaSource } from "../../lib/net/connection_writer.ts";
import type { MediaSink } from "../../lib/net/media_sink.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { idle } from "../fakes/cluster_network.ts";

/** A page's connection, which takes what comes unless it is slow. */
class Page implements MediaSink {
  isSlow = false;
  isEnded = false;
  isCut = false;
  sentBytes = 0;
  writingSinceMs: number | undefined;
  #source: MediaSource | undefined;
  #text = "";

  send(): void {}
  setNoDelay(): void {}
  addSource(source: MediaSource): void {
    this.#source = source;
  }
  flush(): void {
    if (this.isSlow) return;
    const bytes = this.#source?.next();
    if (bytes !== undefined) this.#text += new TextDecoder().decode(bytes);
  }
  end(): void {
    this.isEnded = true;
  }
  cut(): void {
    this.isCut = true;
  }

  take(): string {
    const text = this.#text;
    this.#text = "";
    return text;
  }
}

function open(clock: FakeClock, source: () => Promise<EventData[]>, maxOpen?: number) {
  const streams = new EventStreams({ clock, bootId: "boot1", ...(maxOpen === undefined ? {} : { maxOpen }) });
  const page = new Page();
  const play = streams.open(source);
  play?.open(page);
  return { streams, page, play };
}

async function advance(clock: FakeClock, seconds: number): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    await clock.advance(1000);
    await idle();
  }
}

Deno.test("a page is told all at first, then what changed, at most once a second", async () => {
  const clock = new FakeClock();
  let streams = "1";
  const { page, play } = open(
    clock,
    () => Promise.resolve([{ event: "nodes", data: "[]" }, { event: "streams", data: streams }]),
  );
  await idle();
  equal(
    page.take(),
    "retry: 2000\n\nevent: nodes\nid: boot1-1\ndata: []\n\nevent: streams\nid: boot1-2\ndata: 1\n\n",
  );
  await advance(clock, 3);
  equal(page.take(), "");
  streams = "2";
  await advance(clock, 1);
  equal(page.take(), "event: streams\nid: boot1-3\ndata: 2\n\n");
  play?.close();
});

Deno.test("what differs in its data only is no news", async () => {
  const clock = new FakeClock();
  let data = 0;
  const { page, play } = open(
    clock,
    () => Promise.resolve([{ event: "nodes", data: String(data++), key: "same" }]),
  );
  await advance(clock, 3);
  match(page.take(), /data: 0\n\n$/);
  play?.close();
});

Deno.test("a stream that has nothing to say beats every 15 seconds", async () => {
  const clock = new FakeClock();
  const { page, play } = open(clock, () => Promise.resolve([]));
  await idle();
  page.take();
  await advance(clock, 14);
  equal(page.take(), "");
  await advance(clock, 1);
  equal(page.take(), ":\n\n");
  play?.close();
});

Deno.test("a slow page holds one turn's events, gets what is then, and is cut after half a minute", async () => {
  const clock = new FakeClock();
  let asked = 0;
  const { streams, page, play } = open(
    clock,
    () => Promise.resolve([{ event: "streams", data: String(++asked) }]),
  );
  page.isSlow = true;
  await advance(clock, 10);
  equal(asked, 1);
  page.isSlow = false;
  page.flush();
  page.take();
  await advance(clock, 1);
  equal(page.take(), "event: streams\nid: boot1-2\ndata: 2\n\n");
  page.writingSinceMs = clock.now();
  await advance(clock, 30);
  equal(page.isCut, false);
  await advance(clock, 1);
  deepEqual([page.isCut, streams.size, asked], [true, 0, 2]);
  play?.close();
});

Deno.test("so many pages are open at a time, and all are ended when the server stops", async () => {
  const clock = new FakeClock();
  const { streams, page } = open(clock, () => Promise.resolve([]), 2);
  const second = streams.open(() => Promise.resolve([]));
  equal(streams.open(() => Promise.resolve([])), undefined);
  second?.close();
  equal(streams.size, 1);
  streams.closeAll();
  deepEqual([streams.size, page.isEnded], [0, true]);
  await advance(clock, 2);
  equal(clock.nextDelayMs, undefined);
});

Deno.test("a source that has not answered is not asked again", async () => {
  const clock = new FakeClock();
  let asked = 0;
  const { page, play } = open(clock, () => {
    if (++asked === 1) return new Promise(() => {});
    return Promise.resolve([]);
  });
  await advance(clock, 5);
  // The first question is not answered yet: nobody is asked meanwhile.
  equal(asked, 1);
  equal(page.take(), "retry: 2000\n\n");
  play?.close();
});
