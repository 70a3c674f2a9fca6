import { equal } from "node:assert/strict";
import { restartProcess, startClusterProcesses, startEdgeProcess } from "./cluster_nodes.ts";
import { Crowd, IS_SLOW, pass } from "./crowd.ts";
import { startEncoder, watchFlv, watchMany, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { ServerProcess } from "./server_process.ts";

const PLAYERS = IS_SLOW ? 200 : 20;
const ROUNDS = IS_SLOW ? 10 : 2;
/** How long an encoder takes to come back, in milliseconds. */
const AWAY_MS = 2000;

programTest(
  [],
  "an edge's players stay when the owning origin is killed, and play on when the encoder is at another",
  async (scope) => {
    const origins: ServerProcess[] = [...await startClusterProcesses(scope)];
    const edge = await startEdgeProcess(scope, origins);
    const at = (index: number) => origins[index % origins.length] as ServerProcess;
    await startEncoder(scope, at(0).port("rtmp"), "a");
    const crowd = new Crowd((await Promise.all([
      watchMany(PLAYERS, () => watchRtmp(scope, edge.port("rtmp"), "a")),
      watchMany(PLAYERS, () => watchFlv(scope, edge.port("httpServer"), "live/a.flv")),
    ])).flat());
    for (let round = 0; round < ROUNDS; round++) {
      await crowd.more(50);
      await at(round).kill();
      await pass(AWAY_MS);
      await crowd.playsOn(
        `owner killed, round ${round}`,
        () => startEncoder(scope, at(round + 1).port("rtmp"), "a"),
      );
      origins[round % origins.length] = await restartProcess(scope, at(round), origins);
    }
  },
);

programTest(
  [],
  "an encoder that publishes to an edge stays when its origin is killed, and so do all players",
  async (scope) => {
    const origins: ServerProcess[] = [...await startClusterProcesses(scope)];
    const edge = await startEdgeProcess(scope, origins);
    const encoder = await startEncoder(scope, edge.port("rtmp"), "a");
    for (let round = 0; round < ROUNDS; round++) {
      const owner = origins.findIndex((origin) => isPublishing(origin));
      const alive = origins.filter((_, index) => index !== owner);
      const crowd = new Crowd((await Promise.all([
        watchMany(5, () => watchRtmp(scope, edge.port("rtmp"), "a")),
        watchMany(5, () => watchFlv(scope, edge.port("httpServer"), "live/a.flv")),
        ...alive.map((origin) => watchMany(5, () => watchRtmp(scope, origin.port("rtmp"), "a"))),
      ])).flat());
      await crowd.more(50);
      const killed = origins[owner] as ServerProcess;
      await killed.kill();
      // The edge's own players see nothing of it; those at the other origins do.
      await crowd.more(60);
      crowd.assertUntroubled();
      crowd.assertNoPause(`pushed-to origin killed, round ${round}`);
      equal(encoder.client.isEnded, false, "the encoder was thrown off");
      origins[owner] = await restartProcess(scope, killed, origins);
    }
  },
);

function isPublishing(server: ServerProcess): boolean {
  const count = (text: string) => server.lines.filter(({ message }) => message === text).length;
  return count("Publish started") > count("Publish stopped");
}
