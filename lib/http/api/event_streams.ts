import { inBackground } from "../../base/background.ts";
import type { Clock, Timer } from "../../base/clock.ts";
import type { MediaSource } from "../../net/connection_writer.ts";
import type { MediaPlay, MediaSink } from "../../net/media_sink.ts";

/** One kind of event and what it says now. */
export interface EventData {
  /** The event's name: letters only. */
  readonly event: string;
  /** JSON: one line. */
  readonly data: string;
  /** What makes it news; absent: `data`. */
  readonly key?: string;
}

/** What there is to say now; asked for once a second while the last answer is out. */
export type EventSourceOf = () => Promise<readonly EventData[]>;

/** How often a page is told what changed, in milliseconds. */
export const EVENT_INTERVAL_MS = 1000;
/** A proxy takes a response that says nothing for so long for dead: nginx after 60 s. */
const HEARTBEAT_MS = 15_000;
/** After how long a browser comes back by itself, in milliseconds. */
const RETRY_MS = 2000;
/** A page that takes nothing for so long is cut, in milliseconds. */
const SEND_TIMEOUT_MS = 30_000;
/** Pages at a time. Each costs a share of the connections and a look at the cluster's lists a second. */
const MAX_OPEN = 64;

export interface EventStreamsOptions {
  readonly clock: Clock;
  /** Names this start of the server in the ids of events. */
  readonly bootId: string;
  readonly maxOpen?: number;
}

/** The event streams that are open, a bounded number. */
export class EventStreams {
  readonly #options: EventStreamsOptions;
  readonly #open = new Set<EventStream>();

  constructor(options: EventStreamsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#open.size;
  }

  /** A stream of what a source says, to be written to a connection; undefined while there are too many. */
  open(source: EventSourceOf): MediaPlay | undefined {
    const { clock, bootId, maxOpen = MAX_OPEN } = this.#options;
    if (this.#open.size >= maxOpen) return undefined;
    const stream = new EventStream(clock, bootId, source, () => this.#open.delete(stream));
    this.#open.add(stream);
    return stream;
  }

  /** Ends all; browsers come back by themselves. */
  closeAll(): void {
    for (const stream of [...this.#open]) stream.end();
  }
}

/**
 * Server-sent events to one page. It never holds more than one turn's events: while a page has not taken the last ones, nothing new is
 * asked for, and what it gets then is how things are by then.
 */
class EventStream implements MediaPlay, MediaSource {
  readonly #clock: Clock;
  readonly #bootId: string;
  readonly #source: EventSourceOf;
  readonly #onClosed: () => void;
  readonly #encoder = new TextEncoder();
  /** What was said last of each kind. */
  readonly #said = new Map<string, string>();
  #sink: MediaSink | undefined;
  #pending: Uint8Array | undefined;
  #timer: Timer | undefined;
  #isClosed = false;
  #isAsking = false;
  #events = 0;
  #lastSentMs = 0;

  constructor(clock: Clock, bootId: string, source: EventSourceOf, onClosed: () => void) {
    this.#clock = clock;
    this.#bootId = bootId;
    this.#source = source;
    this.#onClosed = onClosed;
  }

  open(sink: MediaSink): void {
    if (this.#isClosed) return sink.cut();
    this.#sink = sink;
    sink.setNoDelay(true);
    sink.addSource(this);
    this.#send(`retry: ${RETRY_MS}\n\n`);
    this.#turn();
  }

  next(): Uint8Array | undefined {
    const bytes = this.#pending;
    this.#pending = undefined;
    return bytes;
  }

  remainder(slice: Uint8Array, written: number): Uint8Array {
    return slice.subarray(written);
  }

  readonly isBehind = false;

  get isUrgent(): boolean {
    return this.#pending !== undefined;
  }

  markBehind(): void {
    this.#sink?.flush();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#pending = undefined;
    this.#onClosed();
  }

  /** This server has nothing more to say. */
  end(): void {
    this.#sink?.end("going-away");
    this.close();
  }

  #turn(): void {
    const nowMs = this.#clock.now();
    const since = this.#sink?.writingSinceMs;
    if (since !== undefined && nowMs - since > SEND_TIMEOUT_MS) {
      this.#sink?.cut();
      return this.close();
    }
    this.#timer = this.#clock.setTimer(() => this.#turn(), EVENT_INTERVAL_MS);
    if (this.#isAsking || this.#pending !== undefined || since !== undefined) return;
    inBackground(this.#ask(), "telling a page what changed");
  }

  async #ask(): Promise<void> {
    this.#isAsking = true;
    try {
      const news = await this.#source();
      if (this.#isClosed) return;
      const text = news.map((each) => this.#word(each)).join("");
      if (text !== "") this.#send(text);
      else if (this.#clock.now() - this.#lastSentMs >= HEARTBEAT_MS) this.#send(":\n\n");
    } finally {
      this.#isAsking = false;
    }
  }

  #word({ event, data, key = data }: EventData): string {
    if (this.#said.get(event) === key) return "";
    this.#said.set(event, key);
    this.#events++;
    return `event: ${event}\nid: ${this.#bootId}-${this.#events}\ndata: ${data}\n\n`;
  }

  #send(text: string): void {
    this.#lastSentMs = this.#clock.now();
    const bytes = this.#encoder.encode(text);
    this.#pending = this.#pending === undefined ? bytes : join(this.#pending, bytes);
    this.#sink?.flush();
  }
}

function join(first: Uint8Array, second: Uint8Array): Uint8Array {
  const both = new Uint8Array(first.length + second.length);
  both.set(first);
  both.set(second, first.length);
  return both;
}
