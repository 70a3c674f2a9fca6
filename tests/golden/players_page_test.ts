import assert from "node:assert/strict";
import { createStreamApp } from "../../lib/http/stream_app.ts";
import { LIBRARY_VERSION } from "../../lib/http/players/players_library.ts";
import type { FlvSource } from "../../lib/http/flv/flv_source.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";
import { libraryModule, readLibrary } from "../players_library.ts";

const MOUNT = "[vhost]/[app]/[stream].flv";
const SOURCE: FlvSource = {
  findVhost: (name) => ({
    name: name === "" ? "__defaultVhost__" : name,
    flv: { isEnabled: name !== "off.example", mount: MOUNT },
  }),
  play: () => Promise.reject(new Error("not played here")),
};
const OPTIONS = { source: SOURCE, maxNameBytes: () => 512, crossdomain: true, signature: "Headwater/0.0.0" };
const app = createStreamApp({ ...OPTIONS, view: new FakeServerView() });
const LIBRARY = `/players/mpegts-${LIBRARY_VERSION}.js`;

Deno.test("the player library is that of the npm package", async () => {
  const library = await readLibrary();
  assert.equal(await (await app.request(LIBRARY)).text(), library.source);
  assert.equal(
    await (await app.request(LIBRARY.replace(/js$/, "licenses.txt"))).text(),
    library.licenses,
    "run: deno run --allow-read --allow-write tests/players_library.ts",
  );
  const written = await Deno.readTextFile(
    new URL("../../lib/http/players/players_library.ts", import.meta.url),
  );
  assert.equal(written.split("`")[0], (await libraryModule(library)).split("`")[0]);
});

Deno.test("the library is sent compressed to those who can read that, and may be kept", async () => {
  const response = await app.request(LIBRARY, { headers: { "Accept-Encoding": "gzip, br" } });
  assert.equal(response.headers.get("Content-Encoding"), "gzip");
  assert.equal(response.headers.get("Content-Type"), "text/javascript; charset=utf-8");
  assert.match(response.headers.get("Cache-Control") ?? "", /immutable/);
  const plain = await app.request(LIBRARY);
  assert.equal(plain.headers.get("Content-Encoding"), null);
  const unpacked = response.body?.pipeThrough(new DecompressionStream("gzip"));
  assert.equal(await new Response(unpacked).text(), await plain.text());
});

Deno.test("the page needs nothing from elsewhere, and only its own scripts may run", async () => {
  for (const path of ["/players/", "/players"]) {
    const response = await app.request(path);
    assert.equal(response.status, 200);
    const html = await response.text();
    const policy = response.headers.get("Content-Security-Policy") ?? "";
    const nonce = /'nonce-([^']+)'/.exec(policy)?.[1];
    assert.ok(nonce !== undefined && html.includes(`<script nonce="${nonce}">`));
    assert.ok(html.includes(`<script src="${LIBRARY}">`));
    const addresses = html.match(/(?:src|href)="(?!data:|\/)[^"]*"|url\((?!data:)/g);
    assert.equal(addresses, null);
    assert.match(policy, /default-src 'none'/);
  }
  const again = await app.request("/players/");
  assert.notEqual(
    again.headers.get("Content-Security-Policy"),
    (await app.request("/players/")).headers.get("Content-Security-Policy"),
  );
});

Deno.test("the front page leads to the players", async () => {
  const response = await app.request("/");
  assert.equal(response.status, 302);
  assert.equal(response.headers.get("Location"), "/players/");
});

Deno.test("the list of streams says where each is, and nothing of who publishes", async () => {
  const response = await app.request("/api/v1/streams?count=1000");
  assert.equal(response.status, 200);
  const { code, streams } = await response.json();
  assert.equal(code, 0);
  assert.deepEqual(streams[0], {
    id: "vid-stream1",
    name: "livestream",
    vhost: "vid-vhost01",
    app: "live",
    url: "/live/livestream",
    clients: 2,
    publish: { active: true },
    video: { codec: "H264", width: 1280, height: 720 },
    audio: { codec: "AAC" },
    flv: "/live/livestream.flv",
  });
});

Deno.test("there is no list where the API asks for a password", async () => {
  const closed = createStreamApp(OPTIONS);
  assert.equal((await closed.request("/api/v1/streams")).status, 404);
  assert.equal((await closed.request("/players/")).status, 200);
});

Deno.test("what is not there is 404 in JSON", async () => {
  const response = await app.request("/nothing");
  assert.equal(response.status, 404);
  assert.deepEqual(await response.json(), { code: 404, message: "Cannot find /nothing" });
});
