import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally, type ConnectWords } from "./local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";

const FRAME_MS = 40;
const GOP_FRAMES = 10;
const VIDEO_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1e, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68);
const AUDIO_HEADER = Uint8Array.of(0xaf, 0, 0x12, 0x10);

/** An encoder that makes up its frames: 25 a second, a key frame every ten, and as much audio. */
export class TestEncoder {
  readonly client: RtmpClient;
  /** Video frames sent; each says its number. */
  frames = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  private constructor(client: RtmpClient) {
    this.client = client;
  }

  /**
   * Publishes and begins to send.
   *
   * @throws {Error} With the server's words when it refuses.
   */
  static async start(
    port: number,
    name: string,
    app: string = "live",
    says: ConnectWords = {},
  ): Promise<TestEncoder> {
    const client = await connectLocally(port, app, undefined, says);
    try {
      await client.publish(name);
      const encoder = new TestEncoder(client);
      await client.send(MESSAGE_TYPE.video, 0, VIDEO_HEADER);
      await client.send(MESSAGE_TYPE.audio, 0, AUDIO_HEADER);
      await encoder.#sendFrame();
      encoder.#timer = setInterval(() => void encoder.#sendFrame().catch(() => encoder.stop()), FRAME_MS);
      return encoder;
    } catch (error) {
      await client.close();
      throw error;
    }
  }

  /** The code and words of the last status that the server gave, such as why it threw the encoder off. */
  get lastStatus(): { code: string; description: string } | undefined {
    return this.client.statuses.at(-1);
  }

  /** Sends no more, and stays connected. */
  stop(): void {
    clearInterval(this.#timer);
  }

  /** Leaves without a word. */
  async close(): Promise<void> {
    this.stop();
    await this.client.close();
  }

  async #sendFrame(): Promise<void> {
    const number = this.frames++;
    const payload = new Uint8Array(500);
    payload.set([number % GOP_FRAMES === 0 ? 0x17 : 0x27, 1]);
    new DataView(payload.buffer).setUint32(5, number);
    const timestamp = number * FRAME_MS;
    await this.client.send(MESSAGE_TYPE.video, timestamp, payload);
    await this.client.send(MESSAGE_TYPE.audio, timestamp, Uint8Array.of(0xaf, 1, 1, 2, 3));
  }
}
