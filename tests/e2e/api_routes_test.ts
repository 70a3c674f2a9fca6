import assert from "node:assert/strict";
import { apiOf } from "./cluster_nodes.ts";
import { TestScope } from "./test_scope.ts";

/** Routes that `/api/v1` lists and that answer with something else than the envelope, or only with a question. */
const UNLIKE_OTHERS: ReadonlySet<string> = new Set(["raw", "events", "openapi.json", "docs"]);

/** Those, and routes that `/api/v1` does not list. */
const OTHERS = [
  "/",
  "/api",
  "/api/v1/raw?rpc=raw",
  "/api/v1/openapi.json",
  "/api/v1/docs",
  "/api/v1/clusters/clients",
  "/api/v1/clusters/node",
  "/api/v1/clusters/node/clients",
  "/api/v1/clusters/node/streams",
  "/api/v1/clusters/nodes",
  "/api/v1/clusters/streams",
  "/api/v1/tests/requests",
  "/console",
  "/healthz",
  "/metrics",
  "/readyz",
];

Deno.test("every route of the API answers a server with its own permissions, and knows the machine", async () => {
  const scope = new TestScope();
  try {
    const api = `http://${apiOf(await scope.startServer())}`;
    const get = async (path: string): Promise<string> => {
      const response = await fetch(api + path);
      const text = await response.text();
      assert.equal(response.status, 200, `${path}: ${text}`);
      return text;
    };
    const { urls } = JSON.parse(await get("/api/v1"));
    const listed = Object.keys(urls).filter((name) => !UNLIKE_OTHERS.has(name));
    assert.ok(listed.includes("clusters"));
    for (const name of listed) {
      const { code, data } = JSON.parse(await get(`/api/v1/${name}`));
      assert.equal(code, 0, name);
      assert.notEqual(data?.ok, false, `${name} may not be read`);
    }
    for (const path of OTHERS) await get(path);
    const events = await fetch(`${api}/api/v1/events`);
    assert.equal(events.headers.get("Content-Type"), "text/event-stream");
    let told = "";
    for await (const text of (events.body as ReadableStream).pipeThrough(new TextDecoderStream())) {
      told += text;
      if (/event: nodes\n[^]*event: streams\n[^]*\n\n$/.test(told)) break;
    }
    assert.match(await get("/metrics"), /^srs_node_uname_info\{.*nodename="[^"]+"/m);
  } finally {
    await scope.close();
  }
});
