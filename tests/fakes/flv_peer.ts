import { testAccess } from "./test_access.ts";
import { configSchema } from "../../lib/config/config.ts";
import { findVhost, serverLimits, vhostSettings } from "../../lib/app/settings.ts";
import type { LiveStream } from "../../lib/hub/live_stream.ts";
import type { StreamFeed } from "../../lib/hub/stream_feed.ts";
import { appHandler } from "../../lib/http/app_handler.ts";
import { HttpServer } from "../../lib/http/server/http_server.ts";
import { createStreamApp } from "../../lib/http/stream_app.ts";
import { ConnectionLimits } from "../../lib/net/connection_limits.ts";
import { Entrance } from "../../lib/net/entrance.ts";
import { FlvServer } from "../../lib/outputs/flv_server.ts";
import { RtmpServer } from "../../lib/server/rtmp_server.ts";
import { StreamRounds } from "../../lib/server/stream_rounds.ts";
import { ServerRuntime } from "../../lib/server/server_runtime.ts";
import { FlvReader, type FlvTag } from "../../lib/wire/flv.ts";
import { FakeClock, settle } from "./fake_clock.ts";
import type { MemoryDuplex } from "./memory_duplex.ts";
import { type OtherRouter, testRouter } from "./test_server.ts";
import { fetchInMemory, type HttpCall } from "./http_client.ts";

/** An encoder, and the stream that it feeds. */
export interface FlvFeed extends StreamFeed {
  readonly stream: LiveStream;
}

/** A server with its HTTP side in memory, in time that the test moves on. */
export class FlvNode {
  readonly clock: FakeClock = new FakeClock();
  readonly runtime: ServerRuntime;
  readonly server: RtmpServer;
  readonly http: HttpServer;
  /** The newest connection. */
  connection: MemoryDuplex | undefined;
  readonly #handler: ReturnType<typeof appHandler>;

  /** @param vhosts As in a configuration file, defaults filled in. */
  constructor(
    vhosts: Record<string, unknown> = { __defaultVhost__: {} },
    options: { router?: OtherRouter; config?: Record<string, unknown>; crossdomain?: boolean } = {},
  ) {
    const config = configSchema.parse({ vhost: vhosts, ...options.config });
    const settings = vhostSettings(config);
    const streams = new StreamRounds(this.clock);
    let ids = 0;
    this.runtime = new ServerRuntime({
      version: "0.0.0",
      processId: 1,
      findVhost: (name) => findVhost(settings, name),
      limits: () => serverLimits(config),
      access: testAccess(config, this.clock),
      router: testRouter(streams.hub, options.router),
      streams,
      randomBytes: (length) => new Uint8Array(length).fill(++ids),
      clock: this.clock,
    });
    this.server = new RtmpServer(this.runtime);
    this.http = new HttpServer({
      clock: this.clock,
      entrance: new Entrance({
        limits: new ConnectionLimits(() => serverLimits(config)),
        clock: this.clock,
      }),
      limits: () => ({ maxBodyBytes: 64 * 1024, sendTimeoutMs: config.limits.send_timeout_ms }),
      onFault: (error) => {
        throw error;
      },
      onRefused: () => {},
    });
    this.#handler = appHandler(createStreamApp({
      source: new FlvServer(this.server),
      maxNameBytes: () => 512,
      crossdomain: options.crossdomain ?? true,
      signature: "Headwater/0.0.0",
    }));
  }

  /** A request; a path stands for a URL of the host `localhost`. */
  request(url: string, call: HttpCall = {}): Promise<Response> {
    return fetchInMemory(
      (connection) => {
        this.connection = connection;
        this.http.accept(connection.duplex, this.#handler);
      },
      new URL(url, "http://localhost:8080").href,
      call,
    );
  }

  /** A request whose answer comes without time moving on. */
  async play(url: string): Promise<FlvResponse> {
    return await FlvResponse.from(await this.request(url));
  }

  /** Begins to feed a stream. */
  publish(key: string): FlvFeed {
    const vhost = this.runtime.options.findVhost("");
    if (vhost === undefined) throw new Error("Cannot publish: there is no default vhost");
    const stream = this.runtime.hub.open(key, () => vhost.stream);
    return { stream, ...stream.attach({ kind: "publish", id: "encoder", startedAtMs: 0 }) };
  }
}

/** The body of a response as it comes, as FLV. */
export class FlvResponse {
  readonly response: Response;
  readonly tags: FlvTag[] = [];
  /** The flags in the header; undefined until it has come. */
  flags: number | undefined;
  isEnded = false;
  error: unknown;
  #reading: Promise<void> | undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #flv = new FlvReader();

  private constructor(response: Response) {
    this.response = response;
    if (response.body === null) throw new Error(`Cannot read: status ${response.status} without a body`);
    this.#reader = response.body.getReader();
  }

  /** What has come of it already is read. */
  static async from(response: Response): Promise<FlvResponse> {
    const made = new FlvResponse(response);
    await made.read();
    return made;
  }

  /** Reads what is there, and leaves one read under way, as a connection does. */
  async read(): Promise<this> {
    this.#reading ??= this.#readOn();
    await settle();
    return this;
  }

  /** The type and time of each tag. */
  get shape(): string[] {
    return this.tags.map(({ typeId, timestamp }) => `${typeId}@${timestamp}`);
  }

  async leave(): Promise<void> {
    await this.#reader.cancel();
    await this.#reading;
  }

  async #readOn(): Promise<void> {
    try {
      for (;;) {
        const { done, value } = await this.#reader.read();
        if (done) break;
        this.flags ??= value[4];
        this.#flv.push(value);
        for (let tag = this.#flv.next(); tag !== undefined; tag = this.#flv.next()) this.tags.push(tag);
      }
    } catch (error) {
      this.error = error;
    }
    this.isEnded = true;
  }
}

export const AVC_HEADER: Uint8Array = Uint8Array.of(
  0x17,
  0,
  0,
  0,
  0,
  1,
  0x64,
  0,
  0x1e,
  0xff,
  0xe1,
  0,
  0,
  1,
  0,
  0,
);
export const AAC_HEADER: Uint8Array = Uint8Array.of(0xaf, 0, 0x12, 0x10);

/** A video frame. */
export function videoFrame(isKeyframe: boolean, size: number = 100): Uint8Array {
  const payload = new Uint8Array(size);
  payload.set([isKeyframe ? 0x17 : 0x27, 1]);
  return payload;
}

export function audioFrame(size: number = 20): Uint8Array {
  const payload = new Uint8Array(size);
  payload.set([0xaf, 1]);
  return payload;
}
