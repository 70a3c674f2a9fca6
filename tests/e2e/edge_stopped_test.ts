import { equal } from "node:assert/strict";
import { startClusterProcesses, startEdgeProcess } from "./cluster_nodes.ts";
import { Crowd, pass } from "./crowd.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { ServerProcess } from "./server_process.ts";

/** How long an encoder takes to come back, in milliseconds. */
const AWAY_MS = 2000;
/**
 * A process that hangs keeps its connections, so it is found out by its silence: 4 s and what the next owner's coworkers take to give
 * up the old one, in milliseconds.
 */
const PUSH_LIMIT_MS = 5500;

programTest(
  [],
  "an origin that hangs is left for another by an edge's players and by relayed ones",
  async (scope) => {
    const origins = await startClusterProcesses(scope);
    const edge = await startEdgeProcess(scope, origins);
    const [a, b, c] = origins;
    const encoder = await startEncoder(scope, a.port("rtmp"), "a");
    const crowd = new Crowd([
      await watchRtmp(scope, edge.port("rtmp"), "a"),
      await watchFlv(scope, edge.port("httpServer"), "live/a.flv"),
    ]);
    const relayed = new Crowd([
      await watchRtmp(scope, c.port("rtmp"), "a"),
    ]);
    await crowd.more(50);
    await relayed.more(50);
    a.signal("SIGSTOP");
    scope.onClose(() => a.signal("SIGCONT"));
    encoder.stop();
    await pass(AWAY_MS);
    const { promise, resolve } = Promise.withResolvers<void>();
    await Promise.all([
      crowd.playsOn("edge, owner stopped", () => promise),
      relayed.playsOn("relay, owner stopped", () => promise),
      startEncoder(scope, b.port("rtmp"), "a").then(() => resolve()),
    ]);
  },
);

programTest([], "an origin that hangs is left for another by an encoder at the edge", async (scope) => {
  const origins = await startClusterProcesses(scope);
  const edge = await startEdgeProcess(scope, origins);
  const encoder = await startEncoder(scope, edge.port("rtmp"), "a");
  const owner = origins.findIndex((origin) => isPublishing(origin));
  const alive = origins.filter((_, index) => index !== owner);
  const crowd = new Crowd(
    await Promise.all(alive.map((origin) => watchRtmp(scope, origin.port("rtmp"), "a"))),
  );
  await crowd.more(50);
  scope.onClose(() => origins[owner]?.signal("SIGCONT"));
  origins[owner]?.signal("SIGSTOP");
  await crowd.more(60);
  crowd.assertUntroubled();
  crowd.assertNoPause("pushed-to origin stopped", PUSH_LIMIT_MS);
  equal(encoder.client.isEnded, false, "the encoder was thrown off");
});

function isPublishing(server: ServerProcess): boolean {
  const count = (text: string) => server.lines.filter(({ message }) => message === text).length;
  return count("Publish started") > count("Publish stopped");
}
