import { equal } from "node:assert/strict";
import { clusterToml, originOf, startClusterProcesses } from "./cluster_nodes.ts";
import { Crowd, pass } from "./crowd.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { ServerProcess } from "./server_process.ts";

/** How long the server does not run, in milliseconds: much longer than anybody may be silent. */
const PAUSE_MS = 3000;
const IMPATIENT = `
limits.send_timeout_ms = 800
limits.handshake_timeout_ms = 800
[vhost.__defaultVhost__.publish]
firstpkt_timeout = 800
normal_timeout = 800
`;

async function pause(server: ServerProcess, pauseMs: number = PAUSE_MS): Promise<void> {
  server.signal("SIGSTOP");
  try {
    await pass(pauseMs);
  } finally {
    server.signal("SIGCONT");
  }
}

programTest(
  [],
  "a server that did not run for a while blames nobody's silence on its clients",
  async (scope) => {
    const server = await scope.startServer({ config: IMPATIENT });
    const encoder = await startEncoder(scope, server.port("rtmp"), "a");
    const crowd = new Crowd([
      await watchRtmp(scope, server.port("rtmp"), "a"),
      await watchFlv(scope, server.port("httpServer"), "live/a.flv"),
    ]);
    await crowd.more(20);
    const from = server.lines.length;
    for (let i = 0; i < 2; i++) {
      await pause(server);
      await server.line(({ message }) => message.startsWith("Process was paused"), from);
      // More than what the encoder could have sent before: it was there all the while.
      await crowd.more(200);
    }
    crowd.assertUntroubled();
    equal(encoder.client.isEnded, false, "the encoder was thrown off");
    equal(server.lines.filter(({ message }) => message === "Connection closed").length, 0);
  },
);

programTest([], "an edge that did not run for a while keeps what it pulls", async (scope) => {
  const origin = await scope.startServer();
  const edge = await scope.startServer({
    config: clusterToml({ mode: "remote", origin: [originOf(origin)] }),
  });
  await startEncoder(scope, origin.port("rtmp"), "a");
  const crowd = new Crowd([
    await watchRtmp(scope, edge.port("rtmp"), "a"),
    await watchFlv(scope, edge.port("httpServer"), "live/a.flv"),
  ]);
  await crowd.more(20);
  // Longer than an origin may be silent.
  await pause(edge, 6000);
  await crowd.more(400);
  crowd.assertUntroubled();
  equal(
    origin.lines.filter(({ message }) => message === "Play started").length,
    1,
    "one pull, from first to last",
  );
});

programTest(
  [],
  "a node that did not run for a while still knows its coworkers, and keeps its relays",
  async (scope) => {
    const [a, b, c] = await startClusterProcesses(scope);
    await startEncoder(scope, a.port("rtmp"), "a");
    await startEncoder(scope, c.port("rtmp"), "c");
    const crowd = new Crowd([
      await watchRtmp(scope, b.port("rtmp"), "a"),
      await watchFlv(scope, b.port("httpServer"), "live/a.flv"),
    ]);
    await crowd.more(20);
    const from = b.lines.length;
    // Longer than a question to a coworker may take, and an owner may be silent.
    await pause(b, 6000);
    await b.line(({ message }) => message.startsWith("Process was paused"), from);
    await crowd.more(400);
    // What was known before the pause is used at once.
    await (await watchRtmp(scope, b.port("rtmp"), "c")).more(10);
    crowd.assertUntroubled();
    const since = b.lines.slice(from).map(({ message }) => message);
    equal(since.filter((message) => message === "Coworker is down" || message === "Pull ended").length, 0);
  },
);
