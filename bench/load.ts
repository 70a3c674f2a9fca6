/**
 * A process that makes load: players, publishers, or the one measured stream. Started by main.ts with its task as JSON; answers
 * each line on its input with a line of JSON.
 *
 * @module
 */
import type { RtmpClient } from "../lib/tools/rtmp_client.ts";
import { connectRtmp, isMedia } from "./dial.ts";
import type { FeedMessage } from "../lib/wire/feed_message.ts";
import { FlvClient } from "./flv_client.ts";
import { MeasuredStream } from "./measured_stream.ts";
import { PublisherSet } from "./publisher_set.ts";
import { TimerWheel } from "./timer_wheel.ts";
import type { Crowd, Load, LoadSnapshot, LoadTask, PlayersTask, PublishersTask } from "./load_task.ts";

/** Counts what fails. */
class Failures {
  failed = 0;
  reason: string | undefined;

  readonly note = (error: unknown): void => {
    this.failed++;
    this.reason ??= String(error);
  };
}

/** Longer than a server needs that is not stuck. */
const LIMIT_MS = 20_000;

/** Calls `start` for `count` numbers from `first` on, so many a second; resolves when all have started or failed. */
async function ramp(
  { count, first = 0, rate, limitMs = LIMIT_MS }: Crowd,
  start: (index: number) => Promise<void>,
  failures: Failures,
): Promise<void> {
  const begunMs = performance.now();
  const all: Promise<void>[] = [];
  for (let i = 0; i < count; i++) {
    const waitMs = begunMs + i * 1000 / rate - performance.now();
    if (waitMs > 1) await new Promise((resolve) => setTimeout(resolve, waitMs));
    all.push(inTime(start(first + i), `client ${first + i}`, limitMs).catch(failures.note));
  }
  await Promise.all(all);
}

async function inTime(started: Promise<void>, who: string, limitMs: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`Cannot start ${who}: it is not there after ${limitMs / 1000} s`);
    timer = setTimeout(() => reject(error), limitMs);
  });
  try {
    await Promise.race([started, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Of one read before the first media, in bytes: thousands of clients are to fit into memory that costs nothing. */
const READ_BYTES = 16 * 1024;

/** Reads a connection for ever, when the wheel comes by. */
async function drain(read: (buffer: Uint8Array) => Promise<unknown>, wheel: TimerWheel): Promise<void> {
  const place = wheel.place();
  for (;;) {
    await read(TRASH);
    await wheel.wait(place);
  }
}

/** Nobody looks at what players are sent after their first media message. */
const TRASH = new Uint8Array(256 * 1024);

async function startPlayers(task: PlayersTask): Promise<Load> {
  const { port, streams, caCert } = task;
  const wheel = new TimerWheel(task.readEveryMs, 10);
  const clients: RtmpClient[] = [];
  const firstMediaMs: number[] = [];
  const failures = new Failures();
  await ramp(task, async (index) => {
    const media = Promise.withResolvers<void>();
    const place = wheel.place();
    let hasMedia = false;
    const onMedia = (message: FeedMessage) => {
      if (hasMedia || !isMedia(message)) return;
      hasMedia = true;
      media.resolve();
    };
    const begunMs = performance.now();
    const pauseReading = () => hasMedia ? wheel.wait(place) : undefined;
    const client = await connectRtmp(port, { onMedia, pauseReading, readBytes: READ_BYTES }, caCert);
    const ended = client.ended.then(() => {
      throw new Error("The server has closed the connection");
    });
    ended.catch(failures.note);
    await client.play(streams === undefined ? "bench" : `bench${index % streams}`);
    await Promise.race([media.promise, ended]);
    firstMediaMs.push(performance.now() - begunMs);
    clients.push(client);
    client.lookAway();
  }, failures);
  return () => ({
    receivedBytes: clients.reduce((sum, client) => sum + client.receivedBytes, 0),
    failed: failures.failed,
    reason: failures.reason,
    firstMediaMs,
  });
}

async function startFlvPlayers(task: PlayersTask): Promise<Load> {
  const wheel = new TimerWheel(task.readEveryMs, 10);
  const clients: FlvClient[] = [];
  const firstMediaMs: number[] = [];
  const failures = new Failures();
  let probe: FlvClient | undefined;
  let readsBefore = 0;
  await ramp(task, async (index) => {
    const client = await FlvClient.play(task.port, "bench", task.caCert);
    firstMediaMs.push(performance.now() - client.begunMs);
    clients.push(client);
    if (index === 0) {
      probe = client;
      readAtOnce(client).catch(failures.note);
    } else {
      drain((buffer) => client.read(buffer), wheel).catch(failures.note);
    }
  }, failures);
  return () => {
    const reads = probe?.reads ?? 0;
    const probeReads = reads - readsBefore;
    readsBefore = reads;
    return {
      receivedBytes: clients.reduce((sum, client) => sum + client.receivedBytes, 0),
      failed: failures.failed,
      reason: failures.reason,
      firstMediaMs,
      probeReads,
    };
  };
}

/** Reads a connection for ever, without a pause: its reads are the server's writes. */
async function readAtOnce(client: FlvClient): Promise<void> {
  const buffer = new Uint8Array(1024 * 1024);
  for (;;) await client.read(buffer);
}

async function startSinks(port: number, count: number): Promise<Load> {
  const wheel = new TimerWheel(50, 10);
  let receivedBytes = 0;
  const failures = new Failures();
  await ramp({ count, rate: 200 }, async () => {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    drain(async (buffer) => {
      const count = await connection.read(buffer);
      receivedBytes += count ?? 0;
    }, wheel).catch(failures.note);
  }, failures);
  return () => ({ receivedBytes, failed: failures.failed, reason: failures.reason });
}

async function startPublishers(task: PublishersTask): Promise<Load> {
  const failures = new Failures();
  const publishers = new PublisherSet(task.kbps, failures.note);
  await ramp(task, async (index) => {
    await publishers.add(task.port, `bench${index}`, (index - (task.first ?? 0)) / task.count);
  }, failures);
  return () => ({ sentBytes: publishers.sentBytes, failed: failures.failed, reason: failures.reason });
}

async function startMeasured(
  port: number,
  kbps: number,
  probePorts: readonly number[],
): Promise<{ load: Load; addProbe: (port: number) => Promise<void> }> {
  const stream = await MeasuredStream.start(port, kbps);
  for (const probePort of probePorts) await stream.addProbe(probePort);
  return { load: () => stream.snapshot(), addProbe: (probePort) => stream.addProbe(probePort) };
}

function startHooks(port: number): Load {
  Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, async (request) => {
    await request.body?.cancel();
    return Response.json({ code: 0 });
  });
  return () => ({});
}

const NOTHING: LoadSnapshot = {
  sentBytes: 0,
  receivedBytes: 0,
  failed: 0,
  reason: undefined,
  firstMediaMs: [],
  delaysMs: [],
  probeReads: 0,
};

function say(value: unknown): void {
  const line = new TextEncoder().encode(`${JSON.stringify(value)}\n`);
  for (let done = 0; done < line.length;) done += Deno.stdout.writeSync(line.subarray(done));
}

async function main(task: LoadTask): Promise<void> {
  let load: Load;
  let addProbe = (_port: number): Promise<void> => Promise.resolve();
  if (task.kind === "measured") {
    ({ load, addProbe } = await startMeasured(task.port, task.kbps, task.probePorts));
  } else if (task.kind === "publishers") load = await startPublishers(task);
  else if (task.kind === "sinks") load = await startSinks(task.port, task.count);
  else if (task.kind === "hooks") load = startHooks(task.port);
  else load = await (task.kind === "players" ? startPlayers : startFlvPlayers)(task);
  say({ ready: true });
  const decoder = new TextDecoder();
  for await (const piece of Deno.stdin.readable) {
    for (const line of decoder.decode(piece).trim().split("\n")) {
      const [word, port] = line.split(" ");
      if (word === "probe") {
        await addProbe(Number(port));
        say({ ready: true });
      } else say({ ...NOTHING, ...load() } satisfies LoadSnapshot);
    }
  }
  Deno.exit(0);
}

if (import.meta.main) await main(JSON.parse(Deno.args[0] ?? "{}"));
