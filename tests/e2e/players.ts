import { FlvReader } from "../../lib/wire/flv.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { StreamWatch } from "../fakes/stream_watch.ts";
import { TestEncoder } from "../fakes/test_encoder.ts";
import type { TestScope } from "./test_scope.ts";

/** Plays a stream over RTMP until the test ends; resolves at Play.Start. */
export async function watchRtmp(
  scope: TestScope,
  port: number,
  stream: string,
  app: string = "live",
): Promise<StreamWatch> {
  const watch = new StreamWatch();
  const client = await connectLocally(
    port,
    app,
    ({ typeId, timestamp, payload }) => watch.note(typeId, timestamp, payload),
  );
  scope.onClose(() => client.close());
  client.ended.then(() => watch.end());
  await client.play(stream);
  return watch;
}

/** Plays `http://127.0.0.1:PORT/PATH` until the test ends; resolves at the answer's headers. */
export async function watchFlv(scope: TestScope, port: number, path: string): Promise<StreamWatch> {
  const watch = new StreamWatch();
  const response = await fetch(`http://127.0.0.1:${port}/${path}`);
  if (response.status !== 200 || response.body === null) {
    throw new Error(`Cannot play: HTTP ${response.status}: ${await response.text()}`);
  }
  const reader = response.body.getReader();
  const reading = readFlv(reader, watch);
  scope.onClose(async () => {
    await reader.cancel().catch(() => {});
    await reading;
  });
  return watch;
}

/** Publishes made-up frames until the test ends. */
export async function startEncoder(
  scope: TestScope,
  port: number,
  stream: string,
  app: string = "live",
): Promise<TestEncoder> {
  const encoder = await TestEncoder.start(port, stream, app);
  scope.onClose(() => encoder.close());
  return encoder;
}

/** So many of each, begun together. */
export async function watchMany(count: number, watch: () => Promise<StreamWatch>): Promise<StreamWatch[]> {
  return await Promise.all(Array.from({ length: count }, watch));
}

async function readFlv(reader: ReadableStreamDefaultReader<Uint8Array>, watch: StreamWatch): Promise<void> {
  const flv = new FlvReader();
  try {
    for (let { value } = await reader.read(); value !== undefined; { value } = await reader.read()) {
      flv.push(value);
      for (let tag = flv.next(); tag !== undefined; tag = flv.next()) {
        watch.note(tag.typeId, tag.timestamp, tag.payload);
      }
    }
  } catch {
    // Cut off by the server.
  }
  watch.end();
}
