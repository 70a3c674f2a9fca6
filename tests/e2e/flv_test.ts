import { deepEqual, equal, match, ok } from "node:assert/strict";
import { FlvReader, type FlvTag } from "../../lib/wire/flv.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { Changes } from "../fakes/changes.ts";
import { connectLocally } from "../fakes/local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";
import { assertSameFrames, describeStreams } from "./frames.ts";
import { mediaFile, type MediaFileName } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import type { RunningProgram } from "./running_program.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const FFMPEG = ["ffmpeg", "ffprobe"] as const;
const SEQUENCE_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0);
const AUDIO_HEADER = Uint8Array.of(0xaf, 0, 0x12, 0x10);
const WEB_SOCKET_UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const FRAME_BYTES = 50_000;
const KEYFRAME_INTERVAL = 10;
const MEMORY_LIMIT_BYTES = 100_000_000;

const flvUrl = (server: ServerProcess, path: string) =>
  `http://127.0.0.1:${server.port("httpServer")}/${path}`;
const isMessage = (message: string) => (line: { message: string }) => line.message === message;

async function publish(
  scope: TestScope,
  server: ServerProcess,
  file: MediaFileName,
): Promise<RunningProgram> {
  const source = await mediaFile(file);
  const from = server.lines.length;
  const options = "-v error -re -i".split(" ");
  const encoder = scope.start("ffmpeg", ...options, source, "-c", "copy", "-f", "flv", server.url("live/a"));
  await server.line(isMessage("Publish started"), from);
  return encoder;
}

for (const name of ["av.flv", "audio.flv", "video.flv"] satisfies MediaFileName[]) {
  programTest(FFMPEG, `${name} over HTTP-FLV is named by ffprobe and recorded by ffmpeg`, async (scope) => {
    const server = await scope.startServer();
    await publish(scope, server, name);
    const source = await mediaFile(name);
    const url = flvUrl(server, "live/a.flv");
    const recorded = scope.path("recorded.flv");
    const recorder = scope.start("ffmpeg", "-v", "error", "-i", url, "-t", "4", "-c", "copy", recorded);
    deepEqual(await describeStreams(scope, url), await describeStreams(scope, source));
    await recorder.succeed();
    await assertSameFrames(scope, recorded, source, 80);
  });
}

programTest(FFMPEG, "ffmpeg that waits for a stream over HTTP-FLV records all of it", async (scope) => {
  const server = await scope.startServer();
  const source = await mediaFile("av.flv");
  const recorded = scope.path("recorded.flv");
  const url = flvUrl(server, "live/a.flv");
  const recorder = scope.start("ffmpeg", "-v", "error", "-i", url, "-t", "19", "-c", "copy", recorded);
  await connected(server);
  await scope.start("ffmpeg", "-v", "error", "-i", source, "-c", "copy", "-f", "flv", server.url("live/a"))
    .succeed();
  await recorder.succeed();
  await assertSameFrames(scope, recorded, source, 470);
});

programTest([], "a player that stops reading over HTTP-FLV goes on at a key frame", async (scope) => {
  const server = await scope.startServer({ config: "[vhost.__defaultVhost__.play]\nqueue_length = 1" });
  const publisher = await startPublisher(scope, server);
  const send = (number: number) =>
    publisher.send(MESSAGE_TYPE.video, number * 40, frame(number, number % KEYFRAME_INTERVAL === 0));
  await send(0);
  const healthy = await FlvClient.play(scope, flvUrl(server, "live/a.flv"));
  const stopped = await FlvClient.play(scope, flvUrl(server, "live/a.flv"));
  await Promise.all([healthy, stopped].map((player) => player.reaches(0)));
  const memoryBefore = await server.residentBytes();
  stopped.isStopped = true;
  for (let number = 1; number < 3000; number++) {
    await send(number);
    if (number % 8 === 0) await healthy.reaches(number - 8);
  }
  await healthy.reaches(2990);
  const growth = await server.residentBytes() - memoryBefore;
  ok(growth < MEMORY_LIMIT_BYTES, `the server grew by ${growth} bytes`);
  stopped.goOn();
  for (let number = 3000; number < 3100; number++) {
    await send(number);
    await healthy.reaches(number - 8);
  }
  await stopped.reaches(3099);
  const resumed = stopped.frames.filter((number, index) => number !== (stopped.frames[index - 1] ?? -1) + 1);
  ok(resumed.length > 0, "the stopped player missed nothing: it was not slow");
  deepEqual(resumed.filter((number) => number % KEYFRAME_INTERVAL !== 0), []);
});

programTest([], "a player over HTTP-FLV stays when the publisher leaves and returns", async (scope) => {
  const server = await scope.startServer();
  const first = await startPublisher(scope, server);
  await first.send(MESSAGE_TYPE.video, 0, frame(0, true));
  const player = await FlvClient.play(scope, flvUrl(server, "live/a.flv"));
  await player.reaches(0);
  await first.close();
  await server.line(isMessage("Publish stopped"));
  const second = await startPublisher(scope, server);
  await second.send(MESSAGE_TYPE.video, 0, frame(1, true));
  await player.reaches(1);
  const times = player.tags.filter(({ typeId }) => typeId !== MESSAGE_TYPE.data).map(({ timestamp }) =>
    timestamp
  );
  deepEqual(times, times.toSorted((a, b) => a - b));
});

programTest([], "the server's end is a proper end of a response", async (scope) => {
  const server = await scope.startServer();
  const publisher = await startPublisher(scope, server);
  await publisher.send(MESSAGE_TYPE.video, 0, frame(0, true));
  const connection = await RawHttp.connect(scope, server);
  await connection.send("GET /live/a.flv HTTP/1.1\r\nHost: localhost\r\n\r\n");
  await connection.until(/\r\nFLV/);
  server.signal("SIGTERM");
  match(await connection.end(), /\r\nconnection: close\r\n/);
  equal((await server.finish(10_000)).code, 0);
});

for (const [transport, upgrade] of [["HTTP", ""], ["WebSocket", WEB_SOCKET_UPGRADE]] as const) {
  for (const isFrozen of [false, true]) {
    const which = `${isFrozen ? "frozen " : ""}player over ${transport}-FLV`;
    programTest([], `a ${which} that is kicked loses its connection`, async (scope) => {
      const server = await scope.startServer();
      const publisher = await startPublisher(scope, server);
      await publisher.send(MESSAGE_TYPE.video, 0, frame(0, true));
      const connection = await RawHttp.connect(scope, server);
      await connection.send(`GET /live/a.flv HTTP/1.1\r\nHost: localhost\r\n${upgrade}\r\n`);
      await connection.until(/FLV/);
      const { connectionId } = await server.line(isMessage("Play started"));
      connection.isStopped = isFrozen;
      if (isFrozen) {
        // More than the kernel holds: a write is under way when the kick comes.
        for (let number = 1; number < 2000; number++) {
          await publisher.send(MESSAGE_TYPE.video, number * 40, frame(number, number % 25 === 0));
        }
      }
      const open = await server.openDescriptors();
      const api = `http://127.0.0.1:${server.port("httpApi")}/api/v1/clients/${connectionId}`;
      equal((await (await fetch(api)).json()).client.type, "flv-play");
      await (await fetch(api, { method: "DELETE" })).body?.cancel();
      await server.line(isMessage("Play stopped"));
      if (isFrozen) connection.goOn();
      await connection.end();
      ok(await server.openDescriptors() <= open, "the descriptor is still open");
    });
  }
}

programTest([], "one port serves the API, HTTP-FLV and the players' page", async (scope) => {
  // A port that is free now: the two are one only when a number is named.
  const probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  probe.close();
  const listen = `"127.0.0.1:${port}"`;
  const server = await scope.startServer({
    env: { HEADWATER_HTTP_API_LISTEN: JSON.parse(listen), HEADWATER_HTTP_SERVER_LISTEN: JSON.parse(listen) },
  });
  const publisher = await startPublisher(scope, server);
  await publisher.send(MESSAGE_TYPE.video, 0, frame(0, true));
  for (const path of ["api/v1/summaries", "players/", "console/"]) {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`);
    equal(response.status, 200, path);
    await response.body?.cancel();
  }
  const player = await FlvClient.play(scope, `http://127.0.0.1:${port}/live/a.flv`);
  await player.reaches(0);
});

programTest(
  [],
  "a player over WebSocket-FLV that stops reading is moved on to a key frame",
  async (scope) => {
    const server = await scope.startServer({ config: "[vhost.__defaultVhost__.play]\nqueue_length = 1" });
    const publisher = await startPublisher(scope, server);
    await publisher.send(MESSAGE_TYPE.video, 0, frame(0, true));
    const connection = await RawHttp.connect(scope, server);
    await connection.send(`GET /live/a.flv HTTP/1.1\r\nHost: localhost\r\n${WEB_SOCKET_UPGRADE}\r\n`);
    await connection.until(/101 Switching/);
    const memoryBefore = await server.residentBytes();
    connection.isStopped = true;
    const healthy = await FlvClient.play(scope, flvUrl(server, "live/a.flv"));
    for (let number = 1; number < 3000; number++) {
      await publisher.send(MESSAGE_TYPE.video, number * 40, frame(number, number % KEYFRAME_INTERVAL === 0));
      if (number % 8 === 0) await healthy.reaches(number - 8);
    }
    await healthy.reaches(2990);
    const growth = await server.residentBytes() - memoryBefore;
    ok(growth < MEMORY_LIMIT_BYTES, `the server grew by ${growth} bytes`);
    connection.goOn();
    // It is moved on when it takes the next piece.
    let metrics = "";
    while (!/jumps_total [1-9]/.test(metrics)) {
      metrics = await (await fetch(`http://127.0.0.1:${server.port("httpApi")}/metrics`)).text();
    }
  },
);

async function connected(server: ServerProcess): Promise<void> {
  const url = `http://127.0.0.1:${server.port("httpApi")}/api/v1/clients/`;
  for (;;) {
    const { clients } = await (await fetch(url)).json();
    if (clients.length > 0) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function startPublisher(scope: TestScope, server: ServerProcess): Promise<RtmpClient> {
  const publisher = await connectLocally(server.port("rtmp"), "live");
  scope.onClose(() => publisher.close());
  await publisher.publish("a");
  await publisher.send(MESSAGE_TYPE.audio, 0, AUDIO_HEADER);
  await publisher.send(MESSAGE_TYPE.video, 0, SEQUENCE_HEADER);
  return publisher;
}

/** A frame that carries its number. */
function frame(number: number, isKeyframe: boolean): Uint8Array {
  const payload = new Uint8Array(FRAME_BYTES);
  payload.set([isKeyframe ? 0x17 : 0x27, 1, 0, 0, 0]);
  new DataView(payload.buffer).setUint32(5, number);
  return payload;
}

/** An HTTP-FLV player that notes the number of each frame. */
class FlvClient {
  readonly frames: number[] = [];
  readonly tags: FlvTag[] = [];
  isStopped = false;
  readonly #changes = new Changes();
  #resume: () => void = () => {};

  static async play(scope: TestScope, url: string): Promise<FlvClient> {
    const client = new FlvClient();
    const response = await fetch(url);
    equal(response.status, 200);
    const body = (response.body as ReadableStream<Uint8Array>).getReader();
    const reading = client.#read(body);
    scope.onClose(async () => {
      client.goOn();
      await body.cancel();
      await reading;
    });
    return client;
  }

  reaches(number: number): Promise<unknown> {
    return this.#changes.until(
      () => (this.frames.at(-1) ?? -1) >= number,
      () => `frame ${number}: the last was ${this.frames.at(-1)}`,
    );
  }

  goOn(): void {
    this.isStopped = false;
    this.#resume();
  }

  async #read(body: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
    const flv = new FlvReader();
    for (;;) {
      const { done, value } = await body.read();
      if (done) return;
      flv.push(value);
      for (let tag = flv.next(); tag !== undefined; tag = flv.next()) this.#take(tag);
      this.#changes.notify();
      if (this.isStopped) await new Promise<void>((resolve) => this.#resume = resolve);
    }
  }

  #take(tag: FlvTag): void {
    const { typeId, timestamp, payload } = tag;
    this.tags.push({ typeId, timestamp, payload: payload.slice(0, 16) });
    if (typeId !== MESSAGE_TYPE.video || payload[1] !== 1) return;
    this.frames.push(new DataView(payload.buffer, payload.byteOffset).getUint32(5));
  }
}

/** A connection whose bytes can be seen, as Latin-1 text. */
class RawHttp {
  isStopped = false;
  #text = "";
  #isEnded = false;
  #resume: () => void = () => {};
  readonly #connection: Deno.Conn;
  readonly #changes = new Changes();

  private constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  static async connect(scope: TestScope, server: ServerProcess): Promise<RawHttp> {
    const raw = new RawHttp(
      await Deno.connect({ hostname: "127.0.0.1", port: server.port("httpServer") }),
    );
    const reading = raw.#read();
    scope.onClose(async () => {
      try {
        raw.#connection.close();
      } catch {
        // The server was first.
      }
      raw.goOn();
      await reading;
    });
    return raw;
  }

  goOn(): void {
    this.isStopped = false;
    this.#resume();
  }

  async send(text: string): Promise<void> {
    await this.#connection.write(new TextEncoder().encode(text));
  }

  until(pattern: RegExp): Promise<unknown> {
    return this.#changes.until(() => pattern.test(this.#text), () => String(pattern));
  }

  /** All that came until the server closed. */
  async end(): Promise<string> {
    await this.#changes.until(() => this.#isEnded, "the end of a connection");
    return this.#text;
  }

  async #read(): Promise<void> {
    const decoder = new TextDecoder("latin1");
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (;;) {
        if (this.isStopped) await new Promise<void>((resolve) => this.#resume = resolve);
        const count = await this.#connection.read(buffer);
        if (count === null) break;
        this.#text += decoder.decode(buffer.subarray(0, count));
        this.#changes.notify();
      }
    } catch {
      // Closed by the test.
    }
    this.#isEnded = true;
    this.#changes.notify();
  }
}
