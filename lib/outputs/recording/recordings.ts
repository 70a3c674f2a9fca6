import { inBackground } from "../../base/background.ts";
import type { Clock } from "../../base/clock.ts";
import type { LiveStream } from "../../hub/live_stream.ts";
import type { StreamRequest } from "../../server/stream_router.ts";
import { Recorder } from "./recorder.ts";
import type { RecordingDisk, RecordingFailure } from "./recording_disk.ts";
import { isRecorded, type RecordingSettings } from "./recording_settings.ts";

export interface RecordingsOptions {
  /** Of every vhost whose streams are published here. */
  readonly settings: ReadonlyMap<string, RecordingSettings>;
  readonly disk: RecordingDisk;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly holdDescriptor: () => () => void;
  /** A file is closed, and whole. */
  readonly onFile: (request: StreamRequest, path: string) => void;
}

/** Why a recording is not begun. */
export type NotRecorded = "not published here" | "recorded already";

interface Publish {
  readonly request: StreamRequest;
  readonly stream: LiveStream;
  recorder: Recorder | undefined;
}

/** All recordings of what is published at this node. */
export class Recordings {
  readonly #options: RecordingsOptions;
  #settings: ReadonlyMap<string, RecordingSettings>;
  /** By the stream's key. */
  readonly #publishes = new Map<string, Publish>();
  /** Ended, with files that the disk has not closed yet. */
  readonly #ending = new Set<Promise<void>>();
  readonly #failures: Record<RecordingFailure, number> = {
    "disk-full": 0,
    "disk-low": 0,
    "disk-slow": 0,
    "not-writable": 0,
    "io-error": 0,
  };
  #files = 0;
  #closedBytes = 0;

  constructor(options: RecordingsOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Since the start. */
  get totals(): {
    readonly files: number;
    readonly bytes: number;
    readonly failures: Readonly<Record<RecordingFailure, number>>;
  } {
    return { files: this.#files, bytes: this.#closedBytes, failures: this.#failures };
  }

  *list(): Iterable<Recorder> {
    for (const { recorder } of this.#publishes.values()) if (recorder !== undefined) yield recorder;
  }

  /** Takes a new configuration: files that are begun from now on are made by it, and what is published from now on is recorded by it. */
  reload(settings: ReadonlyMap<string, RecordingSettings>): void {
    this.#settings = settings;
  }

  /**
   * Somebody publishes a stream, which is recorded if it is configured so.
   *
   * @returns To be called when it is published no longer.
   */
  begin(request: StreamRequest, stream: LiveStream): () => void {
    const settings = this.#settings.get(request.vhost.name);
    // At an edge nothing is recorded: its origins do that.
    if (settings === undefined) return () => {};
    const publish: Publish = { request, stream, recorder: undefined };
    this.#publishes.set(request.key, publish);
    const { app, stream: name } = request.address;
    if (isRecorded(settings, app, name)) publish.recorder = this.#record(publish, settings, false);
    return () => {
      if (this.#publishes.get(request.key) === publish) this.#publishes.delete(request.key);
      this.#end(publish);
    };
  }

  /** Records what is published already, by the vhost's settings whether they are enabled or not. */
  start(key: string): Recorder | NotRecorded {
    const publish = this.#publishes.get(key);
    const settings = publish && this.#settings.get(publish.request.vhost.name);
    if (publish === undefined || settings === undefined) return "not published here";
    if (publish.recorder !== undefined) return "recorded already";
    return publish.recorder = this.#record(publish, settings, true);
  }

  /** Ends a recording; what is published later is recorded as configured. */
  stop(id: string): Recorder | undefined {
    for (const publish of this.#publishes.values()) {
      const { recorder } = publish;
      if (recorder?.id !== id) continue;
      this.#end(publish);
      return recorder;
    }
    return undefined;
  }

  /** Resolves when all files are closed, at the latest after a time. */
  async finish(timeoutMs: number): Promise<void> {
    for (const publish of this.#publishes.values()) this.#end(publish);
    const { clock } = this.#options;
    const late = Promise.withResolvers<void>();
    const timer = clock.setTimer(late.resolve, timeoutMs);
    await Promise.race([Promise.all(this.#ending), late.promise]);
    clock.clearTimer(timer);
  }

  #record(publish: Publish, begun: RecordingSettings, isAsked: boolean): Recorder {
    const { request, stream } = publish;
    const { disk, clock, newId, holdDescriptor, onFile } = this.#options;
    return new Recorder({
      id: newId(),
      request,
      stream,
      settings: () => this.#settings.get(request.vhost.name) ?? begun,
      isAsked,
      disk,
      clock,
      holdDescriptor,
      onFailure: ({ failure }) => this.#failures[failure]++,
      onFile: (path) => {
        this.#files++;
        onFile(request, path);
      },
      onBytes: (bytes) => this.#closedBytes += bytes,
    });
  }

  #end(publish: Publish): void {
    const ended = publish.recorder?.end();
    publish.recorder = undefined;
    if (ended === undefined) return;
    this.#ending.add(ended);
    inBackground(ended.finally(() => this.#ending.delete(ended)), "ending a recording");
  }
}
