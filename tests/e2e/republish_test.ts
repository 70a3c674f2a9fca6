import { deepEqual, equal, ok } from "node:assert/strict";
import { readVideoTag } from "../../lib/wire/media_tag.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally } from "../fakes/local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishFile } from "./publish_file.ts";
import type { TestScope } from "./test_scope.ts";

const PLAYERS = 50;
/** Messages that each player must get from each publisher: more than the second's first group of pictures. */
const MESSAGES = 100;
const DEADLINE_MS = 30_000;

/** What a player has seen of time. */
interface Watch {
  readonly client: RtmpClient;
  messages: number;
  keyframes: number;
  lastTimestamp: number;
  /** Pairs of a timestamp and an earlier one that came after it. */
  readonly wentBack: [number, number][];
}

programTest(
  ["ffmpeg"],
  "players stay and see time go on while their publisher is killed and comes back",
  async (scope) => {
    const server = await scope.startServer();
    const source = await mediaFile("av.flv");
    const players = await Promise.all(
      Array.from({ length: PLAYERS }, () => watch(scope, server.port("rtmp"))),
    );

    const first = await publishFile(scope, server, source);
    await Promise.all(players.map((player) => messagesReach(player, MESSAGES)));
    await first.kill();
    await server.line(({ message }) => message === "Publish stopped");
    const before = players.map(({ messages, keyframes, lastTimestamp }) => ({
      messages,
      keyframes,
      lastTimestamp,
    }));
    await publishFile(scope, server, source);
    await Promise.all(
      players.map((player, index) => messagesReach(player, (before[index]?.messages ?? 0) + MESSAGES)),
    );

    for (const [index, player] of players.entries()) {
      const earlier = before[index];
      equal(player.client.isEnded, false);
      deepEqual(player.wentBack, []);
      ok(earlier !== undefined && player.lastTimestamp > earlier.lastTimestamp);
      ok(player.keyframes > earlier.keyframes);
    }
    equal(server.lines.filter(({ message }) => message === "Play stopped").length, 0);
  },
);

for (const isPlayed of [false, true]) {
  const whose = isPlayed ? "with a player" : "that nobody plays";
  programTest([], `an encoder of a stream ${whose} may come back as soon as it has left`, async (scope) => {
    // Rounds far apart are what reads wait for when there are players.
    const server = await scope.startServer({ config: "[vhost.__defaultVhost__.play]\nmw_latency = 350" });
    if (isPlayed) await watch(scope, server.port("rtmp"));
    for (let time = 0; time < 3; time++) {
      const publisher = await connectLocally(server.port("rtmp"), "live");
      scope.onClose(() => publisher.close());
      await publisher.publish("a");
      // Long enough for the server to know what it sends, and so how seldom it can be read.
      for (let at = 0; at < 1500; at += 20) {
        await publisher.send(MESSAGE_TYPE.video, at, Uint8Array.of(at === 0 ? 0x17 : 0x27, 1, 0, 0, 0));
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      await publisher.close();
    }
  });
}

async function watch(scope: TestScope, port: number): Promise<Watch> {
  const seen = { messages: 0, keyframes: 0, lastTimestamp: 0, wentBack: [] as [number, number][] };
  const client = await connectLocally(port, "live", ({ typeId, timestamp, payload }) => {
    if (typeId === MESSAGE_TYPE.data) return;
    if (timestamp < seen.lastTimestamp) seen.wentBack.push([seen.lastTimestamp, timestamp]);
    seen.lastTimestamp = timestamp;
    seen.messages++;
    if (typeId === MESSAGE_TYPE.video && readVideoTag(payload).isKeyframe) seen.keyframes++;
  });
  scope.onClose(() => client.close());
  await client.play("a");
  return Object.assign(seen, { client });
}

async function messagesReach(player: Watch, count: number): Promise<void> {
  await player.client.until(
    () => player.messages >= count || player.client.isEnded,
    () => `${count} messages, ${player.messages} came`,
    DEADLINE_MS,
  );
}
