import { FlvReader, type FlvTag } from "../../lib/wire/flv.ts";
import { readVideoTag } from "../../lib/wire/media_tag.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally } from "../fakes/local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const STEP_MS = 40;

/** Publishes an FLV file as live/a, in real time and over and over, as an encoder does whose camera can be covered. */
export class FilePublisher {
  /** No video is sent, not even its header; what comes after is sent from a key frame on. */
  isVideoHeld = false;
  readonly #client: RtmpClient;
  readonly #tags: readonly FlvTag[];
  readonly #videoHeader: FlvTag;
  readonly #durationMs: number;
  #isVideoOn = false;
  #sent = 0;
  #isOver = false;

  private constructor(client: RtmpClient, tags: readonly FlvTag[]) {
    const header = tags.find(({ typeId, payload }) =>
      typeId === MESSAGE_TYPE.video && readVideoTag(payload).isSequenceHeader
    );
    if (header === undefined) throw new Error("Cannot publish the file: it has no video");
    this.#client = client;
    this.#tags = tags.filter((tag) => tag.typeId !== MESSAGE_TYPE.data && tag !== header);
    this.#videoHeader = header;
    this.#durationMs = (tags.at(-1)?.timestamp ?? 0) + STEP_MS;
  }

  /** Begins with nothing sent yet: `isVideoHeld` may still be set. */
  static async start(scope: TestScope, server: ServerProcess, file: string): Promise<FilePublisher> {
    const reader = new FlvReader();
    reader.push(await Deno.readFile(file));
    const tags = Array.from({ [Symbol.iterator]: () => ({ next: () => nextOf(reader) }) });
    const client = await connectLocally(server.port("rtmp"), "live");
    const publisher = new FilePublisher(client, tags);
    await client.publish("a");
    const running = publisher.#run();
    // Told when the scope closes.
    running.catch(() => {});
    scope.onClose(async () => {
      publisher.#isOver = true;
      await running.finally(() => client.close());
    });
    return publisher;
  }

  async #run(): Promise<void> {
    const begunMs = performance.now();
    while (!this.#isOver) {
      await this.#sendUntil(performance.now() - begunMs);
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
  }

  async #sendUntil(elapsedMs: number): Promise<void> {
    while (!this.#isOver) {
      const tag = this.#tags[this.#sent % this.#tags.length] as FlvTag;
      const timestamp = tag.timestamp + Math.floor(this.#sent / this.#tags.length) * this.#durationMs;
      if (timestamp > elapsedMs) return;
      this.#sent++;
      if (tag.typeId === MESSAGE_TYPE.video && !await this.#letsThrough(tag, timestamp)) continue;
      await this.#client.send(tag.typeId, timestamp, tag.payload);
    }
  }

  async #letsThrough({ payload }: FlvTag, timestamp: number): Promise<boolean> {
    if (this.isVideoHeld) return this.#isVideoOn = false;
    if (this.#isVideoOn) return true;
    if (!readVideoTag(payload).isKeyframe) return false;
    await this.#client.send(MESSAGE_TYPE.video, timestamp, this.#videoHeader.payload);
    return this.#isVideoOn = true;
  }
}

function nextOf(reader: FlvReader): IteratorResult<FlvTag> {
  const value = reader.next();
  return value === undefined ? { done: true, value } : { done: false, value };
}
