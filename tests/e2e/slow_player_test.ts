import { deepEqual, equal, ok } from "node:assert/strict";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally } from "../fakes/local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";
import { programTest } from "./program_test_case.ts";
import type { TestScope } from "./test_scope.ts";

/** An AVC sequence header: version 1, a profile, and no parameter sets, which a server has no need of. */
const SEQUENCE_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x42, 0xc0, 0x1e, 0xff, 0xe0, 0);
const FRAME_BYTES = 50_000;
const FRAME_MS = 40;
const KEYFRAME_INTERVAL = 10;
/** The publisher is never further ahead of the healthy players than so many frames, less than `queue_length`. */
const AHEAD = 8;
const STOPPED_FRAMES = 3000;
const FURTHER_FRAMES = 500;
const MEMORY_LIMIT_BYTES = 100_000_000;
const DEADLINE_MS = 60_000;

/** A player that notes the number of each frame. */
interface NumberedPlayer {
  readonly client: RtmpClient;
  readonly frames: number[];
}

programTest(
  [],
  "a player that stops reading costs the others nothing and goes on at a key frame",
  async (scope) => {
    const server = await scope.startServer({ config: "[vhost.__defaultVhost__.play]\nqueue_length = 1" });
    const port = server.port("rtmp");
    const publisher = await connectLocally(port, "live");
    scope.onClose(() => publisher.close());
    await publisher.publish("a");
    await publisher.send(MESSAGE_TYPE.video, 0, SEQUENCE_HEADER);
    const healthy = await Promise.all([0, 1, 2].map(() => startPlayer(scope, port)));
    const stopped = await startPlayer(scope, port);
    const sendUntil = async (end: number, begin: number, followed: readonly NumberedPlayer[]) => {
      for (let number = begin; number < end; number++) {
        await Promise.all(followed.map((player) => framesReach(player, number - AHEAD)));
        await publisher.send(MESSAGE_TYPE.video, number * FRAME_MS, frame(number));
      }
      await Promise.all(followed.map((player) => framesReach(player, end - 1)));
    };

    await sendUntil(100, 0, [...healthy, stopped]);
    const memoryBefore = await server.residentBytes();
    stopped.client.stopReading();
    await sendUntil(STOPPED_FRAMES, 100, healthy);
    const growth = await server.residentBytes() - memoryBefore;
    stopped.client.continueReading();
    await sendUntil(STOPPED_FRAMES + FURTHER_FRAMES, STOPPED_FRAMES, healthy);
    await framesReach(stopped, STOPPED_FRAMES + FURTHER_FRAMES - 1);

    const all = Array.from({ length: STOPPED_FRAMES + FURTHER_FRAMES }, (_, number) => number);
    for (const { frames } of healthy) deepEqual(frames, all);

    ok(growth < MEMORY_LIMIT_BYTES, `the server grew by ${growth} bytes`);
    const resumed = stopped.frames.filter((number, index) =>
      index > 0 && number !== (stopped.frames[index - 1] ?? 0) + 1
    );
    ok(resumed.length > 0, "the stopped player missed nothing: it was not slow");
    deepEqual(resumed.filter((number) => number % KEYFRAME_INTERVAL !== 0), []);
    equal(stopped.client.isEnded, false);
  },
);

async function startPlayer(scope: TestScope, port: number): Promise<NumberedPlayer> {
  const frames: number[] = [];
  const client = await connectLocally(port, "live", ({ typeId, payload }) => {
    if (typeId !== MESSAGE_TYPE.video || payload[1] !== 1) return;
    frames.push(new DataView(payload.buffer, payload.byteOffset).getUint32(5));
  });
  scope.onClose(() => client.close());
  await client.play("a");
  return { client, frames };
}

async function framesReach({ client, frames }: NumberedPlayer, number: number): Promise<void> {
  if (number < 0) return;
  await client.until(
    () => (frames.at(-1) ?? -1) >= number || client.isEnded,
    () => `frame ${number}, ${frames.at(-1)} came`,
    DEADLINE_MS,
  );
}

/** A legacy AVC frame whose first payload bytes are its number. */
function frame(number: number): Uint8Array {
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes.set([number % KEYFRAME_INTERVAL === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
  new DataView(bytes.buffer).setUint32(5, number);
  return bytes;
}
