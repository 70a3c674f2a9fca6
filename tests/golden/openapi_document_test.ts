import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Hono } from "hono";
import { ClusterClients } from "../../lib/http/api/cluster_clients_list.ts";
import { addClusterClientsRoutes } from "../../lib/http/api/cluster_clients_routes.ts";
import { addClustersRoutes } from "../../lib/http/api/clusters_routes.ts";
import { EventStreams } from "../../lib/http/api/event_streams.ts";
import { addEventsRoutes } from "../../lib/http/api/events_routes.ts";
import { addClusterHistoryRoutes, ClusterHistories } from "../../lib/http/api/history_routes.ts";
import { resourcesOf } from "../../lib/http/middleware/answer.ts";
import { OPERATIONS } from "../../lib/http/openapi/operations.ts";
import { apiApp } from "../fakes/fake_api.ts";
import { ClusterNetwork, FakeNode } from "../fakes/cluster_network.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";

const HERE = { peer: { hostname: "127.0.0.1", port: 40_000 } };

/** The whole API of a node that knows another one, which is down. */
async function wholeApp(): Promise<Hono> {
  const network = new ClusterNetwork();
  const view = new FakeServerView();
  const { cluster: directory, report: cluster } = new FakeNode(network, 1, ["10.0.0.2:1985"]);
  const lists = new ClusterClients(view, cluster, network.wallNow);
  const histories = new ClusterHistories(view, cluster, network.wallNow);
  const events = new EventStreams({ clock: network.clock, bootId: "boot" });
  directory.start();
  await network.advance(100);
  directory.stop();
  return apiApp({
    view,
    extraRoutes: (app, guard) => {
      addClustersRoutes(app, cluster, false);
      addClusterClientsRoutes(app, { view, cluster, hasAuth: false, guard, lists });
      addClusterHistoryRoutes(app, { view, cluster, hasAuth: false, histories });
      addEventsRoutes(app, { cluster, hasAuth: false, events, clients: lists, histories });
    },
  });
}

// deno-lint-ignore no-explicit-any -- what is asserted is the JSON itself
async function document(app: Hono): Promise<any> {
  const response = await app.request("/api/v1/openapi.json", {}, HERE);
  equal(response.headers.get("Content-Type"), "application/json");
  return await response.json();
}

Deno.test("every route is described, and what is described is a route", async () => {
  const resources = [...resourcesOf(await wholeApp())];
  const routes = resources.flatMap(([path, methods]) => methods.map((method) => `${method} ${path}`));
  deepEqual(routes.toSorted(), Object.keys(OPERATIONS).toSorted());
});

/** What stands for the parts of paths that name something. */
const IDS: Readonly<Record<string, string>> = {
  vhosts: "vid-vhost01",
  streams: "vid-stream1",
  clients: "player02",
  recordings: "none",
};

for (const [name, { answer, contentType, query = {} }] of Object.entries(OPERATIONS)) {
  if (contentType !== undefined || answer === undefined) continue;
  const [method = "", path = ""] = name.split(" ");
  // These need what a test of their own has: a recording, a login, a drain that begins.
  if (
    path.startsWith("/api/v1/recordings/") || name === "POST /api/v1/session" ||
    name === "POST /api/v1/recordings"
  ) {
    continue;
  }
  Deno.test(`${name} is answered as its schema says`, async () => {
    const app = await wholeApp();
    const real = path.replace(/(\w+)\/:id/, (_, kind: string) => `${kind}/${IDS[kind]}`);
    const url = "url" in query
      ? "?url=%2Flive%2Flivestream"
      : "stream" in query
      ? "?stream=live/livestream"
      : "";
    const asked = "rpc" in query ? "?rpc=raw" : url;
    const response = await app.request(real + asked, { method }, HERE);
    equal(response.status, 200);
    const body = await response.json();
    if ("code" in body) equal(body.code, 0);
    const { code: _code, server: _server, service: _service, pid: _pid, ...told } = body;
    // What the schema does not name is left out of what it gives.
    deepEqual(answer.parse(told), told);
  });
}

Deno.test("the document is OpenAPI 3.1 that holds together", async () => {
  const { openapi, info, paths, components, tags, security } = await document(await wholeApp());
  deepEqual([openapi, info.title, info.version, security], ["3.1.0", "Headwater", "0.1.2", undefined]);
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item as Record<string, Record<string, unknown>>).map(([method, operation]) => ({
      path,
      method,
      operation,
    }))
  );
  equal(operations.length, Object.keys(OPERATIONS).length);
  const ids = operations.map(({ operation }) => operation.operationId);
  equal(new Set(ids).size, ids.length);
  const groups = new Set(tags.map(({ name }: { name: string }) => name));
  for (const { path, method, operation } of operations) {
    const where = `${method} ${path}`;
    ok(["get", "post", "delete"].includes(method), where);
    const parameters = operation.parameters as {
      name: string;
      in: string;
      required?: boolean;
      schema: object;
    }[];
    deepEqual(
      [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name),
      parameters.filter((parameter) => parameter.in === "path" && parameter.required).map(({ name }) => name),
      where,
    );
    for (const { schema } of parameters) ok(typeof (schema as { type?: unknown }).type === "string", where);
    ok((operation.tags as string[]).every((tag) => groups.has(tag)), where);
    ok(Object.keys(operation.responses as object).includes("200"), where);
  }
  for (const [, name = ""] of JSON.stringify(paths).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
    ok(name in components.schemas, name);
  }
  deepEqual(Object.keys(components.schemas.Error.properties), ["code", "message"]);
});

Deno.test("with a password the document says so, and is not shown without it", async () => {
  const app = apiApp({ auth: { token: "t".repeat(32) } });
  equal((await app.request("/api/v1/openapi.json")).status, 401);
  const headers = { Authorization: `Bearer ${"t".repeat(32)}` };
  const { security } = await (await app.request("/api/v1/openapi.json", { headers })).json();
  deepEqual(security, [{ basic: [] }, { bearer: [] }]);
});

Deno.test("the page for people has every operation and no script", async () => {
  const app = await wholeApp();
  const response = await app.request("/api/v1/docs", {}, HERE);
  match(response.headers.get("Content-Security-Policy") ?? "", /^default-src 'none'; style-src/);
  const page = await response.text();
  ok(!page.includes("<script"));
  equal(page.match(/<details /g)?.length, Object.keys(OPERATIONS).length);
  match(page, /&quot;key_frame_interval_s&quot;: number \| null/);
});

Deno.test("the documentation names every operation's path", async () => {
  const pages = await Promise.all(
    ["http-api", "cluster-api", "recording"].map((name) =>
      Deno.readTextFile(new URL(`../../docs/${name}.md`, import.meta.url)).catch(() => "")
    ),
  );
  const text = pages.join("\n");
  for (const name of Object.keys(OPERATIONS)) {
    // A part that names something has another value in each example, or is written as ID.
    const path = (name.split(" ")[1] ?? "").replace(/[.]/g, "\\.").replace(/:id/, "[\\w-]+");
    ok(new RegExp(`${path}(?!\\w)`).test(text), name);
  }
});
