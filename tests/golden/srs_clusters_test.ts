/**
 * What SRS asks its coworkers over HTTP, as recorded: our routes answer what SRS answers, and our client asks what SRS asks.
 *
 * @module
 */
import assert from "node:assert/strict";
import { CoworkerClient } from "../../lib/cluster/coworker_client.ts";
import { ClusterNetwork, FakeNode } from "../fakes/cluster_network.ts";
import { splitHttp, type SrsRequest, srsRequests } from "../fixtures/srs.ts";

const ADDRESS = { host: "127.0.0.1", port: 9092 };
const QUERY = { vhost: "__defaultVhost__", app: "live", stream: "onc", host: "127.0.0.1" };

function recorded(name: string): SrsRequest {
  const found = srsRequests().find((request) => request.name === name);
  assert.ok(found !== undefined, name);
  return found;
}

/** The request that stands in a recording. */
function requestOf({ request }: SrsRequest): Request {
  const [firstLine = "", ...lines] = request.trimEnd().split("\r\n");
  const [method = "", target = ""] = firstLine.split(" ");
  const headers = lines.map((line): [string, string] => {
    const colon = line.indexOf(": ");
    return [line.slice(0, colon), line.slice(colon + 2)];
  });
  const host = headers.find(([name]) => name === "Host")?.[1];
  return new Request(`http://${host}${target}`, { method, headers });
}

for (
  const { name, isOwner } of [
    { name: "a stream that the coworker does not own", isOwner: false },
    { name: "a stream that the coworker owns", isOwner: true },
    { name: "a player that dialled a name", isOwner: true },
  ]
) {
  Deno.test(`asked by SRS we answer as SRS does: ${name}`, async () => {
    const question = recorded(name);
    const node = new FakeNode(new ClusterNetwork(), 2, [], {
      settings: { rtmp: { port: 19_352 }, apiListen: "9092" },
      vhost: { isOriginCluster: true },
    });
    if (isOwner) node.own("onc");
    const response = await node.app.fetch(requestOf(question));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("Content-Type"), "application/json");
    assert.equal(await response.text(), splitHttp(question.answer).body);
  });
}

/** A client before an SRS that gives a recorded answer; and what it was asked. */
function clientBefore({ answer }: SrsRequest): { client: CoworkerClient; asked: string[] } {
  const asked: string[] = [];
  const network = new ClusterNetwork();
  const client = new CoworkerClient({
    fetch: (url, init) => {
      const { pathname, search, host } = new URL(url);
      asked.push(`${init.method} ${pathname}${search} HTTP/1.1`, host, String(init.body ?? ""));
      const headers = { "Content-Type": "application/json", Server: "SRS/6.0.157(Hang)" };
      return Promise.resolve(new Response(splitHttp(answer).body, { headers }));
    },
    clock: network.clock,
    wallNow: network.wallNow,
    nonce: network.nonce,
    signature: "Headwater/0",
  });
  return { client, asked };
}

for (
  const { name, host, origin } of [
    {
      name: "a stream that the coworker owns",
      host: "127.0.0.1",
      origin: { ip: "127.0.0.1", port: 19_352, vhost: "__defaultVhost__" },
    },
    {
      name: "a player that dialled a name",
      host: "cdn.example",
      origin: { ip: "127.0.0.1", port: 19_352, vhost: "__defaultVhost__" },
    },
    { name: "a stream that the coworker does not own", host: "127.0.0.1", origin: null },
  ]
) {
  Deno.test(`we ask SRS as SRS does, and understand its answer: ${name}`, async () => {
    const question = recorded(name);
    const { client, asked } = clientBefore(question);
    const port = origin === null ? 9090 : 9092;
    const found = await client.findStream(
      { ...ADDRESS, port },
      `127.0.0.1:${port}`,
      "",
      { ...QUERY, host },
      1000,
      new AbortController().signal,
    );
    assert.deepEqual(found, origin);
    assert.deepEqual(asked, [splitHttp(question.request).firstLine, `127.0.0.1:${port}`, ""]);
  });
}

Deno.test("SRS has no route for a node's state, and gives its index instead: that is how SRS is known", async () => {
  const { client } = clientBefore(recorded("a path that SRS does not have"));
  const { signal } = new AbortController();
  assert.deepEqual(await client.nodeState(ADDRESS, "", 1000, signal), { kind: "srs" });
});
