import { deepEqual, equal, match, notEqual } from "node:assert/strict";
import type { Hono } from "hono";
import { SESSION_MS, Sessions } from "../../lib/http/middleware/sessions.ts";
import { apiApp, NOW_MS } from "../fakes/fake_api.ts";

const PATH = "/api/v1/session";
const AUTH = { basic: { username: "admin", password: "pass:word" }, token: "t".repeat(32) };
const REMOTE = { peer: { hostname: "198.51.100.7", port: 40_000 } };
const LOOPBACK = { peer: { hostname: "127.0.0.1", port: 40_000 } };

function logIn(app: Hono, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
  return Promise.resolve(app.request(PATH, { method: "POST", body: JSON.stringify(body), headers }, REMOTE));
}

/** The cookie that a browser sends back. */
function cookieOf(response: Response): string {
  return (response.headers.get("Set-Cookie") ?? "").split(";", 1)[0] ?? "";
}

Deno.test("a browser logs in with a password or a token, changes things, and logs out", async () => {
  const app = apiApp({ auth: AUTH });
  for (const body of [{ username: "admin", password: "pass:word" }, { token: AUTH.token }]) {
    const response = await logIn(app, body);
    equal(response.status, 200);
    match(
      response.headers.get("Set-Cookie") ?? "",
      /^headwater_session_vid-0a1b2c3=[0-9a-f]{64}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/,
    );
    const headers = { Cookie: cookieOf(response) };
    const get = async (path: string) => await app.request(path, { headers }, REMOTE);
    deepEqual((await (await get(PATH)).json()).data, {
      required: true,
      signed_in: true,
      methods: ["password", "token"],
      may_change: true,
    });
    equal((await get("/api/v1/streams")).status, 200);
    equal((await get("/api/v1/logs")).status, 200);
    const kick = await app.request("/api/v1/clients/player02", { method: "DELETE", headers }, REMOTE);
    equal(kick.status, 200);
    equal((await app.request(PATH, { method: "DELETE", headers }, REMOTE)).status, 200);
    equal((await get("/api/v1/streams")).status, 401);
  }
});

for (
  const [what, body, status] of [
    ["a wrong password", { username: "admin", password: "guess" }, 401],
    ["a wrong token", { token: "guess" }, 401],
    ["both", { username: "admin", password: "pass:word", token: AUTH.token }, 400],
    ["nothing", {}, 400],
    ["no object", null, 400],
    ["numbers", { username: 1, password: 2 }, 400],
    ["far too much", { token: "x".repeat(2000) }, 400],
  ] as const
) {
  Deno.test(`nobody logs in with ${what}`, async () => {
    const response = await logIn(apiApp({ auth: AUTH }), body);
    equal(response.status, status);
    equal(response.headers.get("Set-Cookie"), null);
    // A challenge that browsers know has them open a dialogue of their own.
    if (status === 401) equal(response.headers.get("WWW-Authenticate"), 'Session realm="Headwater"');
  });
}

Deno.test("what is not JSON logs nobody in", async () => {
  const app = apiApp({ auth: AUTH });
  const response = await app.request(PATH, { method: "POST", body: "username=admin" }, REMOTE);
  equal(response.status, 400);
});

Deno.test("who guesses has to wait, as with Basic", async () => {
  const app = apiApp({ auth: AUTH });
  let status = 0;
  for (let tries = 0; tries < 50 && status !== 429; tries++) {
    status = (await logIn(app, { token: `guess ${tries}` })).status;
  }
  equal(status, 429);
});

Deno.test("another site's page neither logs in nor uses a session, by whatever request", async () => {
  const app = apiApp({ auth: AUTH });
  equal((await logIn(app, { token: AUTH.token }, { Origin: "http://evil.example" })).status, 403);
  const Cookie = cookieOf(await logIn(app, { token: AUTH.token }));
  const status = async (path: string, headers: Record<string, string>) =>
    (await app.request(path, { headers: { Cookie, ...headers } }, REMOTE)).status;
  equal(await status("/api/v1/clients", {}), 200);
  equal(await status("/api/v1/clients", { "Sec-Fetch-Site": "same-origin" }), 200);
  equal(await status("/api/v1/clients", { "Sec-Fetch-Site": "cross-site" }), 401);
  // A page at another port of this host: the browser sends the cookie along.
  equal(await status("/api/v1/clients", { "Sec-Fetch-Site": "same-site" }), 401);
  equal(await status("/api/v1/clients", { Referer: "http://localhost:8080/page" }), 401);
  equal(await status("/api/v1/clients?callback=f", {}), 401);
});

Deno.test("pages of this server are refused without a challenge that browsers know, others with it", async () => {
  const app = apiApp({ auth: AUTH });
  const challenge = async (path: string, headers: Record<string, string> = {}) =>
    (await app.request(path, { headers }, REMOTE)).headers.get("WWW-Authenticate");
  equal(await challenge("/api/v1/streams"), 'Basic realm="Headwater", Bearer realm="Headwater"');
  equal(await challenge("/api/v1/streams", { "X-Requested-With": "headwater" }), 'Session realm="Headwater"');
});

Deno.test("where nobody has to log in, the session says who may change things", async () => {
  const app = apiApp();
  for (const [env, mayChange] of [[LOOPBACK, true], [REMOTE, false]] as const) {
    const { data } = await (await app.request(PATH, {}, env)).json();
    deepEqual(data, { required: false, signed_in: false, methods: [], may_change: mayChange });
  }
  equal((await logIn(app, { token: "x" })).status, 400);
});

Deno.test("a session ends by time and by other credentials, and outlives a reload that keeps them", async () => {
  const sessions = new Sessions();
  let nowMs = NOW_MS;
  const options = { auth: AUTH, sessions, now: () => nowMs };
  const Cookie = cookieOf(await logIn(apiApp(options), { token: AUTH.token }));
  const status = async (app: Hono) =>
    (await app.request("/api/v1/streams", { headers: { Cookie } }, REMOTE)).status;
  nowMs += SESSION_MS - 1;
  equal(await status(apiApp(options)), 200);
  nowMs += SESSION_MS + 1;
  equal(await status(apiApp(options)), 401);
  const again = cookieOf(await logIn(apiApp(options), { token: AUTH.token }));
  notEqual(again, Cookie);
  const other = apiApp({ ...options, auth: { ...AUTH, token: "u".repeat(32) } });
  equal((await other.request("/api/v1/streams", { headers: { Cookie: again } }, REMOTE)).status, 401);
});

Deno.test("so many sessions are kept, the last used ones", () => {
  const sessions = new Sessions();
  const first = sessions.open("mark", 0);
  const second = sessions.open("mark", 0);
  sessions.use(first, "mark", 1);
  for (let index = 0; index < 255; index++) sessions.open("mark", 2);
  equal(sessions.size, 256);
  deepEqual([sessions.use(first, "mark", 3), sessions.use(second, "mark", 3)], [true, false]);
});
