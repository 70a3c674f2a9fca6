import assert from "node:assert/strict";
import { apiApp } from "../fakes/fake_api.ts";

/** Calls of the control, as text. */
function recorded(): {
  calls: string[];
  control: { beginDrain(ms?: number): Promise<void>; cancelDrain(): void };
} {
  const calls: string[] = [];
  return {
    calls,
    control: {
      beginDrain(graceMs) {
        calls.push(`begin ${graceMs}`);
        return Promise.resolve();
      },
      cancelDrain: () => void calls.push("cancel"),
    },
  };
}

const from = (hostname: string) => ({ peer: { hostname, port: 40_000 } });
const AUTH = { basic: { username: "admin", password: "secret" } };
const HEADERS = { Authorization: `Basic ${btoa("admin:secret")}` };

for (
  const [who, env, hasPassword, headers, status] of [
    ["this machine", from("127.0.0.1"), false, {}, 200],
    ["this machine by IPv6", from("::1"), false, {}, 200],
    ["this machine by IPv4 in IPv6", from("::ffff:127.0.0.1"), false, {}, 200],
    ["another machine", from("192.0.2.1"), false, {}, 403],
    ["a machine whose name only looks like this one", from("127.0.0.1.example.com"), false, {}, 403],
    ["another machine with the password", from("192.0.2.1"), true, HEADERS, 200],
    ["another machine without the password", from("192.0.2.1"), true, {}, 401],
    ["a page of another site", from("127.0.0.1"), false, { Origin: "https://example.com" }, 403],
  ] as const
) {
  Deno.test(`a drain by ${who} is ${status}`, async () => {
    for (const [method, call] of [["POST", "begin undefined"], ["DELETE", "cancel"]] as const) {
      const { calls, control } = recorded();
      const app = apiApp({ drain: control, ...(hasPassword ? { auth: AUTH } : {}) });
      const response = await app.request("/api/v1/drain", { method, headers: { ...headers } }, env);
      await response.body?.cancel();
      assert.equal(response.status, status);
      assert.deepEqual(calls, status === 200 ? [call] : []);
    }
  });
}

for (
  const [query, calls] of [["60", ["begin 60000"]], ["0", ["begin 0"]], ["-1", []], ["1e3", []], [
    "99999",
    [],
  ]] as const
) {
  Deno.test(`a drain with grace_s=${query} is ${calls[0] ?? "refused"}`, async () => {
    const { calls: made, control } = recorded();
    const response = await apiApp({ drain: control }).request(
      `/api/v1/drain?grace_s=${query}`,
      { method: "POST" },
      from("127.0.0.1"),
    );
    await response.body?.cancel();
    assert.deepEqual(made, calls);
    assert.equal(response.status, calls.length > 0 ? 200 : 400);
  });
}

Deno.test("anyone may ask how far a drain is", async () => {
  const { data } = await (await apiApp().request("/api/v1/drain", {}, from("192.0.2.1"))).json();
  assert.deepEqual(data, {
    state: "off",
    started_at_ms: null,
    grace_ends_at_ms: null,
    moved: { publishers: 0, players: 0 },
    closed: { publishers: 0, players: 0 },
    left: { publishers: 1, players: 2 },
  });
});
