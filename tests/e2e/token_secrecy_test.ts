import { equal, ok, rejects } from "node:assert/strict";
import { until } from "../fakes/deadline.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { SECRET, signToken } from "../fakes/signed_token.ts";
import { TestEncoder } from "../fakes/test_encoder.ts";
import { apiOf, originOf } from "./cluster_nodes.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const EDGE_SECRET = "fedcba9876543210fedcba9876543210";

function config(cluster: string, secret: string): string {
  return `[vhost.__defaultVhost__.tokens]\nenabled = true\nplay = true\nsecret = "${secret}"\n` +
    `[vhost.__defaultVhost__.cluster]\nsecret = "a secret of the cluster"\n${cluster}`;
}

const origin = (coworkers: readonly string[]) =>
  config(`origin_cluster = true\nredirect = "relay"\ncoworkers = ${JSON.stringify(coworkers)}`, SECRET);

/** Two origins and an edge, all of which want tokens; those of the edge have another secret, so that no origin would take one. */
async function startCluster(scope: TestScope): Promise<[ServerProcess, ServerProcess, ServerProcess]> {
  const env = { HEADWATER_LOG_LEVEL: "trace" };
  const start = (config: string) => scope.startServer({ config, env });
  const [a, b] = await Promise.all([start(origin([])), start(origin([]))]);
  const edge = await start(config(`mode = "remote"\norigin = ["${originOf(a)}"]`, EDGE_SECRET));
  for (const [server, other] of [[a, b], [b, a]] as const) {
    await server.reload(origin([apiOf(other)]));
    await server.line((line) => line.message === "Coworker is up" && line["coworker"] === apiOf(other));
  }
  return [a, b, edge];
}

/** All that a node's API says, followed to every stream and client. */
async function readApi(server: ServerProcess): Promise<string> {
  const base = `http://${apiOf(server)}`;
  const texts: string[] = [];
  const get = async (path: string) => {
    const response = await fetch(base + path);
    const text = await response.text();
    texts.push(path, text);
    return text;
  };
  for (
    const path of [
      "summaries",
      "vhosts",
      "forwards",
      "drain",
      "raw?rpc=raw",
      "clusters/node",
      "clusters/nodes",
    ]
  ) await get(`/api/v1/${path}`);
  for (const kind of ["streams", "clients"]) {
    const list: { id: string }[] = JSON.parse(await get(`/api/v1/${kind}?count=100`))[kind];
    ok(list.length > 0, kind);
    for (const { id } of list) await get(`/api/v1/${kind}/${id}`);
  }
  await get("/metrics");
  return texts.join("\n");
}

programTest(
  [],
  "tokens: a relay and an edge play on, and no output of any node holds a token",
  async (scope) => {
    const [a, b, edge] = await startCluster(scope);
    const tokens = {
      publish: await signToken({ action: "publish", stream: "live/*", sub: "one" }),
      push: await signToken({ action: "publish", stream: "live/*", sub: "two" }, EDGE_SECRET),
      play: await signToken({ action: "play", stream: "live/*", sub: "three" }),
      edgePlay: await signToken({ action: "play", stream: "live/*", sub: "four" }, EDGE_SECRET),
      wrong: await signToken({ sub: "five" }, "a secret that nobody here has got"),
    };
    const { publish, push, play, edgePlay, wrong } = tokens;
    await startEncoder(scope, a.port("rtmp"), `s?token=${publish}`);
    await startEncoder(scope, edge.port("rtmp"), "pushed", `live?token=${push}`);
    await a.line(({ message, stream }) => message === "Publish started" && stream === "/live/pushed");

    const players = [
      await watchRtmp(scope, a.port("rtmp"), `s?token=${play}`),
      await watchRtmp(scope, b.port("rtmp"), `s?token=${play}`),
      await watchRtmp(scope, b.port("rtmp"), "s", `live?token=${play}`),
      await watchFlv(scope, b.port("httpServer"), `live/s.flv?token=${play}`),
      await watchRtmp(scope, edge.port("rtmp"), `s?token=${edgePlay}`),
      await watchFlv(scope, edge.port("httpServer"), `live/s.flv?token=${edgePlay}`),
    ];
    const heard: unknown[] = [];
    const listener = await connectLocally(
      b.port("rtmp"),
      `live?token=${play}`,
      ({ payload }) => heard.push(new TextDecoder().decode(payload)),
    );
    scope.onClose(() => listener.close());
    await listener.play("pushed");
    await Promise.all(players.map((player) => player.more(20)));
    await until(() => heard.length > 10, "what another client gets");

    // Each is refused, by each way that there is: also with the token in the name itself, where it was forgotten to ask.
    for (const server of [a, b, edge]) {
      for (const name of [`s?token=${wrong}`, `s&token=${wrong}`, `s?token=${wrong}&token=${play}`]) {
        await rejects(watchRtmp(scope, server.port("rtmp"), name));
        await rejects(TestEncoder.start(server.port("rtmp"), name));
        await rejects(TestEncoder.start(server.port("rtmp"), name, `live?token=${wrong}`));
      }
      const response = await fetch(`http://127.0.0.1:${server.port("httpServer")}/live/s.flv?token=${wrong}`);
      equal(response.status, 403);
      equal((await response.text()).includes(wrong), false);
    }
    // No origin would have taken the edge's.
    await rejects(watchRtmp(scope, a.port("rtmp"), `s?token=${edgePlay}`));

    const outputs = {
      "the API": (await Promise.all([a, b, edge].map(readApi))).join("\n"),
      "a log": [a, b, edge].flatMap(({ lines }) => lines.map((line) => JSON.stringify(line))).join("\n"),
      "stderr": [a, b, edge].map(({ stderr }) => stderr).join("\n"),
      "another client": JSON.stringify([heard, listener.events]),
    };
    for (const [output, text] of Object.entries(outputs)) {
      for (const [name, token] of Object.entries(tokens)) {
        // Claims are read by whoever has them, so no part may be there.
        for (const part of token.split(".").slice(1)) {
          const at = text.indexOf(part.slice(0, 16));
          equal(at, -1, `${name} in ${output}: ${text.slice(Math.max(0, at - 300), at + 100)}`);
        }
      }
    }
  },
);
