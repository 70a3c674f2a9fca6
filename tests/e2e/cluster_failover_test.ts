import { startClusterProcesses, startLocalCluster } from "./cluster_nodes.ts";
import { Crowd, pass } from "./crowd.ts";
import { mediaFile } from "./media_files.ts";
import { startEncoder, watchFlv, watchMany, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { publishFile } from "./publish_file.ts";

const PLAYERS = 25;
/** How long an encoder takes to come back, in milliseconds. */
const AWAY_MS = 2000;

programTest(
  ["ffmpeg"],
  "players relayed by two nodes stay when the owner is killed, and play on from where it is published next",
  async (scope) => {
    const [a, b, c] = await startClusterProcesses(scope);
    const file = await mediaFile("av.flv");
    await publishFile(scope, a, file);
    const crowd = new Crowd((await Promise.all([b, c].flatMap((node) => [
      watchMany(PLAYERS, () => watchRtmp(scope, node.port("rtmp"), "a")),
      watchMany(2, () => watchFlv(scope, node.port("httpServer"), "live/a.flv")),
    ]))).flat());
    await crowd.more(50);
    await a.kill();
    await pass(AWAY_MS);
    await crowd.playsOn("owner killed", () => publishFile(scope, c, file));
  },
);

programTest([], "a publisher moves from node to node, and the players of all of them stay", async (scope) => {
  const [a, b, c] = await startLocalCluster(scope);
  let encoder = await startEncoder(scope, a.rtmp.port, "a");
  const crowd = new Crowd([
    await watchRtmp(scope, a.rtmp.port, "a"),
    await watchFlv(scope, a.httpPort, "live/a.flv"),
    await watchRtmp(scope, b.rtmp.port, "a"),
  ]);
  for (const node of [b, a, c]) {
    await crowd.more(20);
    await encoder.close();
    await crowd.playsOn("publisher moved", async () => {
      encoder = await startEncoder(scope, node.rtmp.port, "a");
    });
  }
});
