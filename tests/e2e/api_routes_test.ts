import assert from "node:assert/strict";
import { apiOf } from "./cluster_nodes.ts";
import { TestScope } from "./test_scope.ts";

/** Routes that `/api/v1` does not list, or that answer only with a question. */
const OTHERS = [
  "/",
  "/api",
  "/api/v1/raw?rpc=raw",
  "/api/v1/clusters/node",
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
    const listed = Object.keys(urls).filter((name) => name !== "raw");
    assert.ok(listed.includes("clusters"));
    for (const name of listed) {
      const { code, data } = JSON.parse(await get(`/api/v1/${name}`));
      assert.equal(code, 0, name);
      assert.notEqual(data?.ok, false, `${name} may not be read`);
    }
    for (const path of OTHERS) await get(path);
    assert.match(await get("/metrics"), /^srs_node_uname_info\{.*nodename="[^"]+"/m);
  } finally {
    await scope.close();
  }
});
