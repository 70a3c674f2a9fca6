import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";
import type { ApiCredentials } from "../../lib/http/middleware/credentials.ts";
import { apiApp, getJson, NOW_MS } from "../fakes/fake_api.ts";

/** Who asks from the machine that the server runs on. */
const THIS_MACHINE = { peer: { hostname: "127.0.0.1", port: 40_000 } };
const AUTH = { basic: { username: "admin", password: "pass:word" } };

function login(username: string, password: string): Record<string, string> {
  return { Authorization: `Basic ${btoa(`${username}:${password}`)}` };
}

for (
  const [method, path, allowed] of [
    ["POST", "/api/v1/versions", "GET"],
    ["POST", "/api/v1/streams/", "GET"],
    ["PUT", "/api/v1/streams/vid-stream1", "GET, DELETE"],
    ["PUT", "/api/v1/clients/player02", "GET, DELETE"],
    ["DELETE", "/healthz", "GET"],
    ["POST", "/metrics", "GET"],
  ] as const
) {
  Deno.test(`${method} ${path} is 405 and names what is allowed`, async () => {
    const response = await apiApp().request(path, { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("Allow"), allowed);
    assert.deepEqual(await response.json(), {
      code: 405,
      message: `Cannot ${method} ${path.replace(/\/$/, "")}: use ${allowed}`,
    });
  });
}

Deno.test("HEAD is answered as GET, without a body", async () => {
  const response = await apiApp().request("/api/v1/streams", { method: "HEAD" });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
});

Deno.test("pages of other origins may read when crossdomain is on", async () => {
  const headers = { Origin: "https://example.com" };
  const open = await apiApp().request("/api/v1/versions", { headers });
  assert.equal(open.headers.get("Access-Control-Allow-Origin"), "*");
  assert.equal(open.headers.get("Access-Control-Allow-Credentials"), "false");
  const own = await apiApp().request("/api/v1/versions");
  assert.equal(own.headers.get("Access-Control-Allow-Origin"), null);
  const closed = await apiApp({ crossdomain: false }).request("/api/v1/versions", { headers });
  assert.equal(closed.status, 200);
  assert.equal(closed.headers.get("Access-Control-Allow-Origin"), null);
});

Deno.test("OPTIONS is 200 without credentials, and 405 when crossdomain is off", async () => {
  const request = { method: "OPTIONS", headers: { Origin: "https://example.com" } };
  const open = await apiApp({ auth: AUTH }).request("/api/v1/clients/player02", request);
  assert.equal(open.status, 200);
  assert.equal(open.headers.get("Access-Control-Allow-Methods"), "GET, HEAD, POST");
  assert.equal((await apiApp({ crossdomain: false }).request("/api/v1/versions", request)).status, 405);
});

Deno.test("credentials are asked for under /api, not for the cluster, metrics, health and the console", async () => {
  const app = apiApp({
    auth: AUTH,
    extraRoutes: (app) => app.all("/api/v1/clusters/node", (c) => c.text("node")),
  });
  for (
    const path of [
      "/api",
      "/api/",
      "/api/v1/versions",
      "/api/v1/clients/player02",
      "/%61pi/v1/versions",
      "/api/v1/nothing",
    ]
  ) {
    const response = await app.request(path);
    assert.equal(response.status, 401, path);
    assert.match(response.headers.get("WWW-Authenticate") ?? "", /^Basic /);
    assert.deepEqual(await response.json(), {
      code: 401,
      message: "Unauthorized: user name or password is wrong or missing",
    });
  }
  for (const path of ["/", "/metrics", "/healthz", "/readyz", "/console/", "/api/v1/clusters/node"]) {
    assert.equal((await app.request(path)).status, 200, path);
  }
  assert.equal((await app.request("/api/v1/clustersX")).status, 401);
  assert.equal((await app.request("/api/v1/clusters/../versions")).status, 401);
  assert.equal((await app.request("/api/v1/clusters/%2e%2e/versions")).status, 401);
});

Deno.test("only the right name with the right password is let in", async () => {
  const view = new FakeServerView();
  const app = apiApp({ view, auth: AUTH });
  const status = async (headers: Record<string, string>): Promise<number> =>
    (await app.request("/api/v1/versions", { headers })).status;
  assert.equal(await status(login("admin", "pass:word")), 200);
  assert.equal(await status(login("admin", "pass")), 401);
  assert.equal(await status(login("root", "pass:word")), 401);
  assert.equal(await status(login("", "")), 401);
  assert.equal(await status({ Authorization: "Basic !!" }), 401);
  assert.equal(await status({ Authorization: "Bearer pass:word" }), 401);
  await app.request("/api/v1/clients/player02", { method: "DELETE" });
  await app.request("/api/v1/clients/player02?callback=f&method=DELETE");
  assert.deepEqual(view.kicked, []);
});

Deno.test("a token opens the API beside the password, or alone", async () => {
  const status = async (auth: ApiCredentials, headers: Record<string, string>): Promise<number> => {
    const response = await apiApp({ auth }).request("/api/v1/versions", { headers });
    await response.body?.cancel();
    return response.status;
  };
  const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
  const both = { ...AUTH, token: "a-token" };
  const alone = { token: "a-token" };
  assert.equal(await status(both, bearer("a-token")), 200);
  assert.equal(await status(both, { Authorization: "bearer a-token" }), 200);
  assert.equal(await status(both, login("admin", "pass:word")), 200);
  assert.equal(await status(both, bearer("a-tokeN")), 401);
  assert.equal(await status(both, bearer("a-token2")), 401);
  assert.equal(await status(both, bearer("pass:word")), 401);
  assert.equal(await status(both, { Authorization: "Bearer" }), 401);
  assert.equal(await status(alone, bearer("a-token")), 200);
  assert.equal(await status(alone, login("", "a-token")), 401);
  const challenge = async (auth: ApiCredentials) =>
    (await apiApp({ auth }).request("/api/v1/versions")).headers.get("WWW-Authenticate");
  assert.equal(await challenge(both), 'Basic realm="Headwater", Bearer realm="Headwater"');
  assert.equal(await challenge(alone), 'Bearer realm="Headwater"');
});

Deno.test("who fails to log in again and again has to wait, and nobody else", async () => {
  let nowMs = NOW_MS;
  const app = apiApp({ auth: AUTH, now: () => nowMs });
  const ask = async (hostname: string, password: string): Promise<number> => {
    const env = { peer: { hostname, port: 40_000 } };
    const response = await app.request("/api/v1/versions", { headers: login("admin", password) }, env);
    await response.body?.cancel();
    if (response.status === 429) assert.equal(response.headers.get("Retry-After"), "1");
    return response.status;
  };
  for (let i = 0; i < 5; i++) assert.equal(await ask("192.0.2.1", "guess"), 401);
  assert.equal(await ask("192.0.2.1", "guess"), 429);
  // Else the answer would tell which guess is right.
  assert.equal(await ask("192.0.2.1", "pass:word"), 429);
  assert.equal(await ask("192.0.2.2", "pass:word"), 200);
  nowMs += 1000;
  assert.equal(await ask("192.0.2.1", "pass:word"), 200);
  assert.equal(await ask("192.0.2.1", "guess"), 401);
});

Deno.test("createApiApp refuses credentials that keep nobody out", () => {
  for (
    const auth of [
      {},
      { token: "" },
      { basic: { username: "admin", password: "" } },
      { basic: { username: "", password: "x" } },
      { basic: { username: "", password: "" }, token: "a-token" },
    ]
  ) assert.throws(() => apiApp({ auth }), RangeError);
});

// What SRS's own console reads, as Angular asks for it.
for (
  const path of [
    "versions",
    "summaries",
    "vhosts",
    "streams?start=0&count=10",
    "clients?start=0&count=10",
    "features",
  ]
) {
  Deno.test(`SRS's console reads ${path} by JSONP`, async () => {
    const [app, plain] = [apiApp(), apiApp()];
    const query = path.includes("?") ? "&" : "?";
    const response = await app.request(`/api/v1/${path}${query}callback=angular.callbacks._0`);
    assert.equal(response.headers.get("Content-Type"), "text/javascript");
    const json = await (await plain.request(`/api/v1/${path}`)).text();
    assert.equal(await response.text(), `angular.callbacks._0(${json})`);
  });
}

Deno.test("?callback= wraps answers and failures alike", async () => {
  const app = apiApp();
  const text = async (query: string): Promise<[number, string | null, string]> => {
    const response = await app.request(`/api/v1/${query}`);
    return [response.status, response.headers.get("Content-Type"), await response.text()];
  };
  assert.deepEqual(await text("streams/none?callback=my.fn"), [
    200,
    "text/javascript",
    'my.fn({"code":2048,"message":"Cannot find the stream: no stream has this id"})',
  ]);
  assert.deepEqual(await text("streams/none/?callback=my.fn"), [
    200,
    "text/javascript",
    'my.fn({"code":2048,"message":"Cannot find the stream: no stream has this id"})',
  ]);
  const refused = [
    400,
    "application/json",
    '{"code":400,"message":"Bad callback: must be the name of a JavaScript function"}',
  ];
  assert.deepEqual(await text("versions?callback=alert(1)//"), refused);
  assert.deepEqual(await text("versions?callback="), refused);
});

/** What changes something, and how it is asked for. */
const CHANGES = [
  ["DELETE", "/api/v1/clients/player02"],
  ["DELETE", "/api/v1/clients?ip=2001:db8::9"],
  ["DELETE", "/api/v1/streams/vid-stream1"],
  ["GET", "/api/v1/raw?rpc=reload"],
  ["POST", "/api/v1/raw?rpc=reload"],
  ["POST", "/api/v1/drain"],
  ["DELETE", "/api/v1/drain"],
] as const;

/** An API that can be changed; what was changed. */
function changeableApi(auth?: ApiCredentials): { app: ReturnType<typeof apiApp>; changes: () => string[] } {
  const view = new FakeServerView();
  let reloads = 0;
  let drains = 0;
  const app = apiApp({
    view,
    ...(auth === undefined ? {} : { auth }),
    reload: () => {
      reloads++;
      return Promise.resolve();
    },
    drain: {
      beginDrain: () => {
        drains++;
        return Promise.resolve();
      },
      cancelDrain: () => void drains++,
    },
  });
  return {
    app,
    changes: () => [...view.kicked, ...Array(reloads).fill("reload"), ...Array(drains).fill("drain")],
  };
}

for (const [method, path] of CHANGES) {
  Deno.test(`${method} ${path} is for programs and the console, not for a page of another site`, async () => {
    const { app, changes } = changeableApi(AUTH);
    const ask = async (headers: Record<string, string>): Promise<number> => {
      const url = `http://api.example:1985${path}`;
      const response = await app.request(url, {
        method,
        headers: { ...login("admin", "pass:word"), ...headers },
      });
      const { code, message } = await response.json();
      if (response.status !== 200) assert.deepEqual([code, typeof message], [response.status, "string"]);
      return response.status;
    };
    for (
      const headers of [
        { "Sec-Fetch-Site": "cross-site" },
        { "Sec-Fetch-Site": "same-site" },
        { "Sec-Fetch-Site": "cross-site", Origin: "http://api.example:1985" },
        { Origin: "http://evil.example" },
        { Origin: "http://api.example:8080" },
        { Origin: "null" },
        { Referer: "http://evil.example/page" },
      ]
    ) assert.equal(await ask(headers), 403, JSON.stringify(headers));
    assert.deepEqual(changes(), []);
    const allowed = [
      {},
      { "Sec-Fetch-Site": "same-origin", Origin: "http://api.example:1985" },
      { "Sec-Fetch-Site": "none" },
      { Origin: "http://api.example:1985" },
      { Referer: "http://api.example:1985/console/" },
      // A proxy that ends TLS and passes on another Host: the browser knows best.
      { "Sec-Fetch-Site": "same-origin", Origin: "https://console.example" },
    ];
    for (const headers of allowed) assert.equal(await ask(headers), 200, JSON.stringify(headers));
    assert.ok(changes().length > 0);
  });
}

for (const [method, path] of CHANGES) {
  for (
    const [who, hostname, headers, status] of [
      ["this machine", "127.0.0.1", {}, 200],
      ["this machine by IPv6", "::1", {}, 200],
      ["another machine", "192.0.2.1", {}, 403],
      ["another machine through a proxy on this one", "127.0.0.1", { "X-Forwarded-For": "192.0.2.1" }, 403],
      ["a proxy that says it is one", "127.0.0.1", { Via: "1.1 proxy" }, 403],
    ] as const
  ) {
    Deno.test(`without a password ${method} ${path} by ${who} is ${status}`, async () => {
      const { app, changes } = changeableApi();
      const env = { peer: { hostname, port: 40_000 } };
      const response = await app.request(path, { method, headers: { ...headers } }, env);
      const { message } = await response.json();
      assert.equal(response.status, status);
      assert.equal(changes().length > 0, status === 200);
      if (status === 403) assert.match(message, /set http_api\.auth/);
    });
  }
}

const KICKS = [
  ["clients?ip=2001:db8::9", ["player02", "waiter03"]],
  ["clients?ip=2001:db8::9&stream=live/livestream", ["player02"]],
  ["clients?stream=/live/livestream", ["encoder1", "player02"]],
  ["clients?stream=live/livestream&type=play", ["player02"]],
  ["clients?stream=live/livestream&type=publish", ["encoder1"]],
  ["clients?ip=198.51.100.9", []],
  ["streams/vid-stream1", ["encoder1", "player02"]],
] as const;

for (const [query, ids] of KICKS) {
  Deno.test(`DELETE /api/v1/${query} disconnects ${ids.join(", ") || "nobody"}`, async () => {
    const view = new FakeServerView();
    const response = await apiApp({ view }).request(`/api/v1/${query}`, { method: "DELETE" }, THIS_MACHINE);
    const { code, kicked } = await response.json();
    assert.deepEqual([response.status, code, view.kicked], [200, 0, ids]);
    // One that is leaving is not counted.
    assert.equal(kicked, ids.filter((id) => id !== "waiter03").length);
  });
}

Deno.test("who is to be disconnected must be named", async () => {
  const view = new FakeServerView();
  const ask = async (query: string): Promise<[number, number]> => {
    const path = `/api/v1/${query}`;
    const response = await apiApp({ view }).request(path, { method: "DELETE" }, THIS_MACHINE);
    return [response.status, (await response.json()).code];
  };
  assert.deepEqual(await ask("clients"), [200, 2049]);
  assert.deepEqual(await ask("clients?type=play"), [400, 400]);
  assert.deepEqual(await ask("clients?ip=2001:db8::9&type=players"), [400, 400]);
  assert.deepEqual(await ask("streams/none"), [200, 2048]);
  assert.deepEqual(view.kicked, []);
});

Deno.test("nothing is changed by ?callback=, with ?method= or without", async () => {
  const { app, changes } = changeableApi(AUTH);
  const headers = login("admin", "pass:word");
  const ask = async (path: string): Promise<[number, string]> => {
    const response = await app.request(path, { headers });
    return [response.status, await response.text()];
  };
  for (const method of ["DELETE", "delete", "POST", "PUT"]) {
    const [status, text] = await ask(`/api/v1/clients/player02?callback=f&method=${method}`);
    assert.equal(status, 403);
    assert.match(text, /^f\(\{"code":403,"message":"[^"]+"\}\)$/);
  }
  const [status, text] = await ask("/api/v1/raw?rpc=reload&callback=f");
  assert.equal(status, 403);
  assert.match(text, /^f\(\{"code":403,/);
  assert.deepEqual(changes(), []);
  assert.match(
    (await ask("/api/v1/clients/player02?callback=f&method=GET"))[1],
    /^f\(\{"code":0,.*"client":\{/,
  );
  // Without a callback it is an ordinary GET.
  assert.match((await ask("/api/v1/clients/player02?method=DELETE"))[1], /"client":\{/);
  assert.deepEqual(changes(), []);
});

Deno.test("raw?rpc=raw tells the settings", async () => {
  assert.deepEqual(await getJson(apiApp({ listen: "127.0.0.1:1985" }), "/api/v1/raw?rpc=raw"), {
    code: 0,
    http_api: {
      enabled: true,
      listen: "127.0.0.1:1985",
      crossdomain: true,
      raw_api: { enabled: true, allow_reload: true, allow_query: false, allow_update: false },
    },
  });
});

Deno.test("raw tells an unknown call", async () => {
  for (const call of ["?rpc=query", ""]) {
    const { code } = await getJson(apiApp(), `/api/v1/raw${call}`) as { code: unknown };
    assert.equal(code, 1060);
  }
});

Deno.test("raw?rpc=reload-fetch tells how the last reload went", async () => {
  const runs: PromiseWithResolvers<void>[] = [];
  const reload = (): Promise<void> => {
    const run = Promise.withResolvers<void>();
    runs.push(run);
    return run.promise;
  };
  const app = apiApp({ reload });
  const report = async (): Promise<Record<string, unknown>> =>
    (await getJson(app, "/api/v1/raw?rpc=reload-fetch") as { data: Record<string, unknown> }).data;
  const start = async (): Promise<void> => {
    const response = await app.request("/api/v1/raw?rpc=reload", {}, THIS_MACHINE);
    assert.deepEqual(await response.json(), { code: 0 });
  };

  assert.deepEqual(await report(), { err: 0, msg: "Success", state: 0, rid: "" });
  await start();
  const first = await report();
  assert.deepEqual({ ...first, rid: "" }, { err: 0, msg: "Success", state: 10, rid: "" });
  assert.match(String(first.rid), /^[0-9a-f]{7}$/);
  // However many ask while one runs, one more follows it.
  await start();
  await start();
  assert.equal(runs.length, 1);
  runs[0]?.reject(new Error("Cannot read conf/a.toml: line 3"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(runs.length, 2);
  runs[1]?.resolve();
  await new Promise((resolve) => setTimeout(resolve, 0));
  const second = await report();
  assert.deepEqual({ ...second, rid: "" }, { err: 0, msg: "Success", state: 90, rid: "" });
  assert.notEqual(second.rid, first.rid);
  await start();
  runs[2]?.reject(new Error("Cannot read conf/a.toml: line 3"));
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual({ ...await report(), rid: "" }, {
    err: 1023,
    msg: "Cannot read conf/a.toml: line 3",
    state: 10,
    rid: "",
  });
});

Deno.test("what a route throws is a failure of that request alone", async () => {
  const app = apiApp({
    extraRoutes: (app) => {
      app.get("/boom", () => {
        throw new TypeError("Cannot happen");
      });
      app.get("/busy", () => {
        throw new RtmpError("stream-busy", "Cannot publish: a is live");
      });
    },
  });
  const boom = await app.request("/boom");
  assert.deepEqual([boom.status, await boom.json()], [500, {
    code: 500,
    message: "Internal error: see the server's log",
  }]);
  const busy = await app.request("/busy");
  assert.deepEqual([busy.status, await busy.json()], [409, {
    code: 1028,
    message: "Cannot publish: a is live",
  }]);
});

Deno.test("/console is one page that may only run its own script and talk to its own server", async () => {
  const app = apiApp({ playersPorts: { http: 8080 } });
  const response = await app.request("/console");
  const page = await response.text();
  const policy = response.headers.get("Content-Security-Policy") ?? "";
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? "";
  assert.match(policy, /default-src 'none'.*connect-src 'self'/);
  assert.equal(page.split(`nonce="${nonce}"`).length, 3, "the style and the script carry the nonce");
  assert.match(page, /data-players-port="8080"/);
  assert.deepEqual(
    page.match(/https?:\/\/[^'"\s]+/g),
    ["http://www.w3.org/2000/svg"],
    "no outside addresses",
  );
  assert.notEqual(
    nonce,
    /nonce-([^']+)'/.exec((await app.request("/console/")).headers.get("Content-Security-Policy") ?? "")?.[1],
  );
});
