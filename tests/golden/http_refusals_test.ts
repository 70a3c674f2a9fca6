import assert from "node:assert/strict";
import type { Hono } from "hono";
import { RtmpError } from "../../lib/base/errors.ts";
import { addClustersRoutes } from "../../lib/http/api/clusters_routes.ts";
import type { ClusterView } from "../../lib/http/cluster_view.ts";
import type { FlvSource } from "../../lib/http/flv/flv_source.ts";
import { addStreamRoutes, createStreamApp } from "../../lib/http/stream_app.ts";
import { apiApp } from "../fakes/fake_api.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND"];
const PEER = { peer: { transport: "tcp", hostname: "::1", port: 1 } };

const source: FlvSource = {
  findVhost: (name) => ({ name, flv: { isEnabled: name !== "off", mount: "[vhost]/[app]/[stream].flv" } }),
  play: () =>
    Promise.reject(new RtmpError("stream-not-found", "Cannot play 'live/none': nobody publishes it")),
};
const streams = { source, maxNameBytes: () => 20, crossdomain: true, signature: "Headwater/0.0.0" };
/** A node that tells nobody anything, but for what those are told who ask from its own machine. */
const closed = {
  admit: () => undefined,
  challenge: "Headwater",
  hasSecret: true,
  nodesETag: '"1"',
  nodes: () => [],
  clusterStreams: () => Promise.resolve({ total: 0, streams: [], nodes: [] }),
} as unknown as ClusterView;
const auth = { basic: { username: "admin", password: "password" } };

const APPS: Readonly<Record<string, Hono>> = {
  "the API": apiApp({ extraRoutes: (app) => addClustersRoutes(app, closed) }),
  "the API with a password": apiApp({ auth }),
  "the API closed to other origins": apiApp({ crossdomain: false }),
  "the API on one port with the streams": apiApp({ extraRoutes: (app) => addStreamRoutes(app, streams) }),
  "the streams' server": createStreamApp({ ...streams, view: new FakeServerView() }),
  "the streams' server beside an API with a password": createStreamApp(streams),
};

/** What no route names. */
const STRAY_PATHS = [
  "/nothing",
  "/api/v2",
  "/live/none.flv",
  "/live/a-name-that-is-longer-than-allowed.flv",
  "/.flv",
  "/live/%zz.flv",
  "/live/none.flv?vhost=off",
  "/api/v1/streams?callback=1",
  "/api/v1/clients/none?callback=f&method=DELETE",
  "/api/v1/raw?rpc=query",
];

for (const [name, app] of Object.entries(APPS)) {
  Deno.test(`${name} says in JSON, with a code and a message, why it refuses whatever it refuses`, async () => {
    const paths = new Set(app.routes.map(({ path }) => path.replace(/:\w+|\*/g, "none")));
    assert.ok(paths.size > 3);
    let refusals = 0;
    for (const path of [...paths, ...STRAY_PATHS]) {
      for (const method of METHODS) {
        const what = `${method} ${path}`;
        const response = await app.request(path, { method }, PEER);
        const text = await response.text();
        assert.ok(response.status < 500, `${what}: ${response.status}`);
        if (response.status === 405) assert.ok(response.headers.has("Allow") || method === "OPTIONS", what);
        if (method === "HEAD") continue;
        const type = response.headers.get("Content-Type") ?? "";
        if (response.status < 400 && !type.startsWith("application/json")) continue;
        const body = JSON.parse(text.replace(/^f\((.*)\)$/, "$1"));
        if (response.status < 400 && (body.code ?? 0) === 0) continue;
        refusals++;
        assert.ok(Number.isInteger(body.code) && body.code > 0, `${what}: ${text}`);
        assert.match(body.message, /^[A-Z].{9,}[^.]$/, what);
        assert.deepEqual(Object.keys(body), ["code", "message"], what);
      }
    }
    assert.ok(refusals > 20, `${refusals} refusals`);
  });
}
