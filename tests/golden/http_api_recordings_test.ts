import assert from "node:assert/strict";
import { apiApp, NOW_MS } from "../fakes/fake_api.ts";

const HERE = { peer: { hostname: "127.0.0.1", port: 40_000 } };
const ELSEWHERE = { peer: { hostname: "192.0.2.7", port: 40_000 } };
const BASE = "/api/v1/recordings";

Deno.test("recordings are listed with their state, length and size", async () => {
  const { recordings } = await (await apiApp().request(BASE)).json();
  assert.deepEqual(recordings, [{
    id: "rec0001",
    vhost: "__defaultVhost__",
    app: "live",
    stream: "livestream",
    state: "recording",
    requested: false,
    started_at_ms: NOW_MS - 5000,
    duration_ms: 4960,
    bytes: 1_234_567,
    files: 0,
    file: "/data/live/livestream.1.flv",
    last_error: null,
  }]);
});

for (
  const [method, path, status, said] of [
    ["POST", `${BASE}?app=live&stream=cam1`, 200, undefined],
    [
      "POST",
      `${BASE}?app=live&stream=none`,
      404,
      "Cannot record live/none: it is not published at this node",
    ],
    [
      "POST",
      `${BASE}?app=live&stream=livestream`,
      409,
      "Cannot record live/livestream: it is recorded already",
    ],
    ["POST", BASE, 400, "Cannot record: name the stream, as in ?app=live&stream=cam1"],
    ["DELETE", `${BASE}/rec0001`, 200, undefined],
    ["DELETE", `${BASE}/rec0002`, 404, "Cannot find recording"],
    ["GET", `${BASE}/rec0001`, 200, undefined],
    ["GET", `${BASE}/rec0002`, 404, "Cannot find recording"],
  ] as const
) {
  Deno.test(`${method} ${path} is answered with ${status}`, async () => {
    const response = await apiApp().request(path, { method }, HERE);
    assert.equal(response.status, status);
    const body = await response.json();
    assert.equal(body.code, status === 200 ? 0 : status);
    assert.equal(body.message, said);
    if (status === 200) assert.equal(typeof body.recording.id, "string");
  });
}

for (const [method, path] of [["POST", `${BASE}?app=live&stream=cam1`], ["DELETE", `${BASE}/rec0001`]]) {
  Deno.test(`${method} ${path} from elsewhere is refused while there is no password, and so is another site's page`, async () => {
    const init = { method: method ?? "" };
    assert.equal((await apiApp().request(path ?? "", init, ELSEWHERE)).status, 403);
    const foreign = { ...init, headers: { Origin: "https://evil.example" } };
    assert.equal((await apiApp().request(path ?? "", foreign, HERE)).status, 403);
  });
}
