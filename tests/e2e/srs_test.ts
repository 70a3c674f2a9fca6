/**
 * Whole nodes among servers of SRS that say what was recorded, see `fixtures/srs`.
 *
 * @module
 */
import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import { decodeCommand } from "../../lib/wire/commands.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { until } from "../fakes/deadline.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { bytesOf, srsExchange, type SrsExchangeName, srsRequests, srsSide } from "../fixtures/srs.ts";
import { LocalNode, startLocalEdge } from "./cluster_nodes.ts";
import { startEncoder, watchFlv } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { fromLatin1, latin1, ReplayedSrs, write } from "./replayed_srs.ts";
import type { TestScope } from "./test_scope.ts";

/** Sends bytes and reads until the answer holds a text, or the server closes. */
async function exchange(port: number, bytes: Uint8Array, text: string): Promise<string> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await write(connection, bytes);
  let answer = "";
  const buffer = new Uint8Array(65_536);
  while (!answer.includes(text)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    answer += latin1(buffer.subarray(0, count));
  }
  return answer;
}

/** Plays until so many messages of media have come: their types, times and payloads. */
async function play(scope: TestScope, port: number, stream: string, count: number): Promise<string[]> {
  const media: string[] = [];
  const client = await connectLocally(
    port,
    "live",
    ({ typeId, payload }) => media.push(`${typeId} ${latin1(payload)}`),
  );
  scope.onClose(() => client.close());
  await client.play(stream);
  await client.until(() => media.length >= count || undefined, `${count} messages of media`);
  return media;
}

/** What a recorded origin sent of audio and video. */
function recordedMedia(name: SrsExchangeName): string[] {
  return srsSide(name, "server").filter((message) => /^(?:audio|video)/.test(message.name))
    .map(({ bytes }) => `${bytes[7]} ${latin1(bytes.subarray(12))}`);
}

function isFrame(message: string): boolean {
  return !message.startsWith(`${MESSAGE_TYPE.data} `);
}

programTest(
  [],
  "a node relays what its coworker, an SRS, owns: over RTMP and HTTP-FLV, by one pull",
  async (scope) => {
    const srs = ReplayedSrs.start(scope, ["edge_play"]);
    const node = await LocalNode.start(scope, {
      origin_cluster: true,
      coworkers: [`127.0.0.1:${srs.apiPort}`],
    });
    await node.meets(1);
    const sent = recordedMedia("edge_play");
    deepEqual((await play(scope, node.rtmp.port, "onc", sent.length + 1)).filter(isFrame), sent);
    const flv = await watchFlv(scope, node.httpPort, "live/onc.flv");
    await flv.more(sent.length);
    equal(srs.servers.length, 1);
    await rejects(play(scope, node.rtmp.port, "none", 1), /StreamNotFound/);
    equal(srs.requests[0], "GET /api/v1/clusters/node HTTP/1.1");
    match(
      srs.requests[1] ?? "",
      new RegExp(
        `^POST /api/v1/clusters\\?vhost=__defaultVhost__&ip=127.0.0.1&app=live&stream=onc&coworker=127.0.0.1:${srs.apiPort} HTTP`,
      ),
    );
  },
);

for (const name of ["edge_redirect", "edge_redirect_vhost"] as const) {
  programTest(
    [],
    `an SRS edge on the wrong node is sent to the SRS that owns the stream: ${name}`,
    async (scope) => {
      const srs = ReplayedSrs.start(scope, []);
      const node = await LocalNode.start(scope, {
        origin_cluster: true,
        coworkers: [`127.0.0.1:${srs.apiPort}`],
      });
      await node.meets(1);
      const handshake = srsExchange("edge_play").filter(({ name }) => name === "C0 C1" || name === "C2");
      const said = bytesOf([...handshake, ...srsSide(name, "client")]);
      const redirect = latin1(srsSide(name, "server").at(-1)?.bytes ?? new Uint8Array())
        .replaceAll("127.0.0.1:19352", `127.0.0.1:${srs.rtmpPort}`);
      ok((await exchange(node.rtmp.port, said, redirect)).includes(redirect));
    },
  );
}

programTest([], "an SRS that asks a node for a stream is answered in SRS's words", async (scope) => {
  const node = await LocalNode.start(scope, { origin_cluster: true });
  await startEncoder(scope, node.rtmp.port, "onc");
  const [notOwned, owned] = srsRequests();
  const ask = (request = "") => exchange(node.apiPort, fromLatin1(request), "}}");
  // SRS's coworker had other ports; where this node is reached is by the name that SRS asked it by, or its listen.
  const answer = await ask(owned?.request);
  match(answer, /^HTTP\/1\.1 200 OK\r\n/);
  match(answer, /\r\ncontent-type: application\/json\r\n/i);
  const body = (text: string) => text.slice(text.indexOf("\r\n\r\n") + 4);
  const expected = body(owned?.answer ?? "").replace(`"port":19352`, `"port":${node.rtmp.port}`)
    .replaceAll("127.0.0.1:9092", node.api);
  equal(body(answer), expected);
  match(answer, new RegExp(`\r\ncontent-length: ${expected.length}\r\n`, "i"));
  const other = (text: string) => text.replace("onc", "other");
  equal(body(await ask(other(notOwned?.request ?? ""))), other(body(notOwned?.answer ?? "")));
});

programTest([], "an edge before SRS's origins follows their 302", async (scope) => {
  const owner = ReplayedSrs.start(scope, ["edge_play"]);
  const wrong = ReplayedSrs.start(scope, ["edge_redirect"], owner.rtmpPort);
  const edge = await startLocalEdge(scope, [{ origin: `127.0.0.1:${wrong.rtmpPort}` }]);
  const sent = recordedMedia("edge_play");
  deepEqual((await play(scope, edge.rtmp.port, "onc", sent.length + 1)).filter(isFrame), sent);
  equal(owner.servers.length, 1);
});

programTest([], "an edge pushes to SRS's origin, and tells the encoder when that refuses", async (scope) => {
  const srs = ReplayedSrs.start(scope, ["edge_push", "edge_push_busy"]);
  const edge = await startLocalEdge(scope, [{ origin: `127.0.0.1:${srs.rtmpPort}` }]);
  await startEncoder(scope, edge.rtmp.port, "pushed");
  const heard = () => srs.servers[0]?.heard ?? [];
  await until(() => heard().filter(({ typeId }) => typeId === MESSAGE_TYPE.video).length > 5, "media at SRS");
  const names = heard().filter(({ typeId }) => typeId === MESSAGE_TYPE.command)
    .map(({ typeId, payload }) => decodeCommand(typeId, payload, DEFAULT_WIRE_LIMITS)?.name);
  deepEqual(names, ["connect", "createStream", "publish"]);
  await rejects(startEncoder(scope, edge.rtmp.port, "onb"), /refused the stream: it closed the connection/);
  equal(srs.servers.length, 2);
});
