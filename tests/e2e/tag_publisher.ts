import { FlvReader, type FlvTag } from "../../lib/wire/flv.ts";
import { connectLocally } from "../fakes/local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";
import type { TestScope } from "./test_scope.ts";

/** All tags of an FLV file, its metadata first. */
export async function readTags(path: string): Promise<FlvTag[]> {
  const reader = new FlvReader();
  reader.push(await Deno.readFile(path));
  const tags: FlvTag[] = [];
  for (let tag = reader.next(); tag !== undefined; tag = reader.next()) tags.push(tag);
  return tags;
}

/** Sends the tags of a file as they are, as some tools push files. */
export class TagPublisher {
  readonly #client: RtmpClient;
  readonly #tags: readonly FlvTag[];
  readonly #shiftMs: number;
  #sent = 0;

  private constructor(client: RtmpClient, tags: readonly FlvTag[], shiftMs: number) {
    this.#client = client;
    this.#tags = tags;
    this.#shiftMs = shiftMs;
  }

  /**
   * Publishes until the test ends, and sends nothing yet.
   *
   * @param shiftMs Added to each timestamp, with 32 bits.
   */
  static async start(
    scope: TestScope,
    port: number,
    app: string,
    stream: string,
    tags: readonly FlvTag[],
    shiftMs: number = 0,
  ): Promise<TagPublisher> {
    const client = await connectLocally(port, app);
    scope.onClose(() => client.close());
    await client.publish(stream);
    return new TagPublisher(client, tags, shiftMs);
  }

  /** Leaves. */
  close(): Promise<void> {
    return this.#client.close();
  }

  /** Sends what comes before that time of the file, in milliseconds, and was not sent. */
  async sendUntil(timestampMs: number): Promise<void> {
    for (; this.#sent < this.#tags.length; this.#sent++) {
      const { typeId, timestamp, payload } = this.#tags[this.#sent] as FlvTag;
      if (timestamp >= timestampMs) return;
      await this.#client.send(typeId, (timestamp + this.#shiftMs) >>> 0, payload);
    }
  }
}
