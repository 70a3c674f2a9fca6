import { deepEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { TestEncoder } from "../fakes/test_encoder.ts";
import { until } from "../fakes/deadline.ts";
import { type LocalNode, startClusterProcesses, startLocalCluster, startLocalEdge } from "./cluster_nodes.ts";
import { report } from "./crowd.ts";
import { FollowingEncoder, FollowingPlayer, WebSocketPlayer } from "./drained_clients.ts";
import { mediaFile } from "./media_files.ts";
import { startEncoder, watchFlv, watchMany, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";
import { RunningProgram } from "./running_program.ts";
import { START_ARGUMENTS } from "./server_process.ts";

const GRACE_MS = 3500;

programTest(
  ["ffmpeg"],
  "a node of three drains: 50 players and 5 encoders each see what suits them",
  async (scope) => {
    const nodes = await startLocalCluster(scope);
    const [a, b, c] = nodes;
    const others = [b, c].map(({ rtmp }) => rtmp.port);
    const encoders = {
      plain: await Promise.all(["plain1", "plain2"].map((name) => startEncoder(scope, a.rtmp.port, name))),
      moving: await Promise.all(["moving1", "moving2"].map((name) => FollowingEncoder.start(scope, a, name))),
      ffmpeg: scope.start(
        "ffmpeg",
        ...publishArguments(await mediaFile("av.flv"), `rtmp://${a.origin}/live/ffmpeg`),
      ),
    };
    await until(() => a.node.cluster.owned.size === 5, "five streams");
    const edge = await startLocalEdge(scope, [a]);
    const players = {
      rtmp: await watchMany(20, () => watchRtmp(scope, a.rtmp.port, "plain1")),
      ofMoving: await watchMany(5, () => watchRtmp(scope, a.rtmp.port, "moving1")),
      ofFfmpeg: await watchMany(5, () => watchRtmp(scope, a.rtmp.port, "ffmpeg")),
      flv: await watchMany(5, () => watchFlv(scope, a.httpPort, "live/plain1.flv")),
      webSocket: await Promise.all(
        Array.from({ length: 2 }, () => WebSocketPlayer.start(scope, a, "plain2")),
      ),
      srsEdge: await Promise.all(Array.from({ length: 3 }, () => FollowingPlayer.start(scope, a, "plain1"))),
      ofEdge: await watchMany(5, () => watchRtmp(scope, edge.rtmp.port, "moving2")),
      ofCoworker: await watchMany(5, () => watchRtmp(scope, b.rtmp.port, "plain2")),
    };
    const crowd = [
      ...players.rtmp,
      ...players.ofMoving,
      ...players.ofFfmpeg,
      ...players.flv,
      ...players.ofEdge,
      ...players.ofCoworker,
    ];
    await Promise.all(crowd.map((player) => player.more(20)));

    const begunMs = performance.now();
    const drained = a.node.drain.begin({ startWaitMs: 200, graceMs: GRACE_MS });
    deepEqual(await readiness(a), [503, { status: "not ready", reason: "draining" }]);
    await startsStill(a);
    await until(() => a.node.drain.state === "draining", "the start of the drain");

    // Who comes now is told why not; at the other nodes everything goes on.
    await rejects(startEncoder(scope, a.rtmp.port, "late"), /^Error: Cannot connect: .*draining/);
    const refusal = await fetch(`http://127.0.0.1:${a.httpPort}/live/plain1.flv`);
    equal(refusal.status, 503);
    match((await refusal.json()).message, /draining/);
    const late = await watchRtmp(scope, c.rtmp.port, "plain2");
    await late.more(5);

    // Encoders that can follow are at another node, and their players went with them.
    for (const encoder of encoders.moving) {
      const port = await encoder.movedTo;
      ok(others.includes(port), `moved to ${port}`);
      equal(encoder.refusals, 0);
    }
    await until(() => a.node.cluster.owned.size === 3, "the streams that moved to be the other nodes'");
    // The node that served them pulls them for its players.
    await Promise.all([...players.ofMoving, ...players.ofEdge].map((player) => player.more(30)));
    for (const player of players.srsEdge) ok(others.includes(await player.redirectedTo));

    // Others stay until the grace is over, and then see a clean end.
    ok(crowd.every(({ isEnded }) => !isEnded));
    for (const encoder of encoders.plain) ok(!encoder.client.isEnded);
    await drained;
    const tookMs = performance.now() - begunMs;
    ok(tookMs >= 200 + GRACE_MS && tookMs < 200 + GRACE_MS + 5000, `took ${tookMs} ms`);
    const { code, stderr } = await encoders.ffmpeg.finish();
    ok(!/Server error/.test(stderr), stderr);
    for (const encoder of encoders.plain) {
      await encoder.client.until(() => encoder.client.isEnded, "the end of an encoder");
      deepEqual(encoder.client.statuses.map(({ code }) => code), ["NetStream.Publish.Start"]);
    }
    for (const player of players.webSocket) equal(await player.closeCode, 1001);
    await until(
      () =>
        [...players.rtmp, ...players.ofMoving, ...players.ofFfmpeg, ...players.flv].every(({ isEnded }) =>
          isEnded
        ),
      "the end of the players",
    );
    ok(players.ofEdge.every(({ isEnded }) => !isEnded), "the edge's players stay");
    deepEqual(crowd.flatMap(({ wentBack }) => wentBack), []);

    const { drain } = a.node;
    const end = drain.report;
    deepEqual([end.state, end.publishers, end.players], ["drained", 0, 0]);
    deepEqual([end.movedPublishers, end.closedPublishers], [2, 3]);
    ok(end.movedPlayers >= 4, `${end.movedPlayers} players moved`);
    equal(a.node.runtime.counters.errors.get("stream-busy") ?? 0, 0);
    report(`drained in ${Math.round(tookMs)} ms; ffmpeg ended with ${code}: ${stderr.trim().slice(0, 200)}`);

    // Encoders that come back are let in elsewhere at once, and the node can be taken back into service.
    const again = await startEncoder(scope, b.rtmp.port, "plain1");
    ok(again.frames > 0);
    a.node.cancelDrain();
    deepEqual(await readiness(a), [200, { status: "ready" }]);
    await startsStill(a);
  },
);

programTest([], "an encoder at an edge does not notice that the origin behind it drains", async (scope) => {
  const nodes = await startLocalCluster(scope);
  const edge = await startLocalEdge(scope, nodes);
  const encoder = await startEncoder(scope, edge.rtmp.port, "pushed");
  const owner = () => nodes.find(({ node }) => node.cluster.owned.get("/live/pushed") !== undefined);
  await until(() => owner() !== undefined, "an owner");
  const first = owner();
  ok(first !== undefined);
  const watch = await watchRtmp(scope, edge.rtmp.port, "pushed");
  await watch.more(20);
  const drained = first.node.drain.begin({ startWaitMs: 0, graceMs: 5000 });
  await until(() => owner() !== undefined && owner() !== first, "another owner");
  const elsewhere = await watchRtmp(scope, owner()?.rtmp.port ?? 0, "pushed");
  await elsewhere.more(20);
  await drained;
  deepEqual(first.node.drain.report.movedPublishers, 1);
  deepEqual([encoder.client.isEnded, watch.isEnded, watch.wentBack], [false, false, []]);
  deepEqual(encoder.client.statuses.map(({ code }) => code), ["NetStream.Publish.Start"]);
});

programTest(
  [],
  "SIGTERM sends those who can follow to another node, and ends all others at once",
  async (scope) => {
    const [a, b] = await startClusterProcesses(scope);
    const encoder = await startEncoder(scope, a.port("rtmp"), "a");
    const player = await watchRtmp(scope, a.port("rtmp"), "a");
    const edges = await Promise.all(
      Array.from({ length: 3 }, () => FollowingPlayer.start(scope, { rtmp: { port: a.port("rtmp") } }, "a")),
    );
    a.signal("SIGTERM");
    for (const edge of edges) notEqual(await edge.redirectedTo, a.port("rtmp"));
    equal((await a.finish(3000)).code, 0);
    await until(() => player.isEnded && encoder.client.isEnded, "the end of the others");
    deepEqual(encoder.client.statuses.map(({ code }) => code), ["NetStream.Publish.Start"]);
    await startEncoder(scope, b.port("rtmp"), "a");
  },
);

programTest(
  [],
  "SIGQUIT lets clients stay for grace_s, and a second signal ends the server at once",
  async (scope) => {
    const server = await scope.startServer({ config: "grace_s = 60\ngrace_start_wait_ms = 0" });
    const encoder = await startEncoder(scope, server.port("rtmp"), "a");
    const player = await watchRtmp(scope, server.port("rtmp"), "a");
    server.signal("SIGQUIT");
    await server.line(({ message }) => message.startsWith("Draining: no new clients"));
    await player.more(20);
    await rejects(startEncoder(scope, server.port("rtmp"), "b"), /draining/);
    server.signal("SIGTERM");
    equal((await server.finish(3000)).code, 0);
    deepEqual(encoder.client.statuses.map(({ code }) => code), ["NetStream.Publish.Start"]);
  },
);

programTest(
  [],
  "SIGQUIT ends a server whose last client leaves, without waiting for grace_s",
  async (scope) => {
    const server = await scope.startServer({ config: "grace_s = 60\ngrace_start_wait_ms = 0" });
    const encoder = await startEncoder(scope, server.port("rtmp"), "a");
    server.signal("SIGQUIT");
    await server.line(({ message }) => message.startsWith("Draining: no new clients"));
    await encoder.close();
    equal((await server.finish(5000)).code, 0);
  },
);

programTest([], "SIGTERM drains for grace_s with force_grace_quit", async (scope) => {
  const config = "grace_s = 1\ngrace_start_wait_ms = 0\nforce_grace_quit = true";
  const server = await scope.startServer({ config });
  await startEncoder(scope, server.port("rtmp"), "a");
  server.signal("SIGTERM");
  equal((await server.finish(6000)).code, 0);
  ok(server.lines.some(({ message }) => message === "Drained"));
});

programTest(
  [],
  "a server is drained through its API and taken back, but not by a page of another site",
  async (scope) => {
    const server = await scope.startServer({ config: "grace_s = 60\ngrace_start_wait_ms = 0" });
    const url = `http://127.0.0.1:${server.port("httpApi")}/api/v1/drain`;
    const state = async (method: string, query = "", headers: Record<string, string> = {}) => {
      const response = await fetch(url + query, { method, headers });
      const { data, message } = await response.json();
      return [response.status, data?.state ?? message];
    };
    deepEqual(await state("GET"), [200, "off"]);
    deepEqual((await state("POST", "", { Origin: "https://elsewhere.example" }))[0], 403);
    deepEqual((await state("POST", "?grace_s=soon"))[0], 400);
    const encoder = await startEncoder(scope, server.port("rtmp"), "a");
    equal((await state("POST"))[0], 200);
    await server.line(({ message }) => message.startsWith("Draining: no new clients"));
    deepEqual(await state("GET"), [200, "draining"]);
    deepEqual(await state("DELETE"), [200, "off"]);
    await startEncoder(scope, server.port("rtmp"), "b");
    ok(!encoder.client.isEnded);
  },
);

programTest([], "headwater drain waits until no client is left, and the server runs on", async (scope) => {
  const server = await scope.startServer({ config: "grace_s = 1\ngrace_start_wait_ms = 0" });
  await startEncoder(scope, server.port("rtmp"), "a");
  const api = `127.0.0.1:${server.port("httpApi")}`;
  const args = [...START_ARGUMENTS, "drain", server.configPath];
  const command = RunningProgram.start(Deno.execPath(), args, { HEADWATER_HTTP_API_LISTEN: api });
  scope.onClose(async () => void await command.kill());
  const output = await command.succeed();
  match(output, /^(announced|draining): 1 publishers, 0 players\n[^]*drained: 0 publishers, 0 players\n$/);
  const { status } = await (await fetch(`http://${api}/healthz`)).json();
  equal(status, "ok");
});

/** Lets somebody in, and out again. */
async function startsStill({ rtmp }: LocalNode): Promise<void> {
  const encoder = await TestEncoder.start(rtmp.port, "visitor");
  await encoder.close();
}

async function readiness({ api }: LocalNode): Promise<[number, unknown]> {
  const response = await fetch(`http://${api}/readyz`);
  return [response.status, await response.json()];
}
