import assert from "node:assert/strict";
import { allHooks, HookServer } from "../fakes/hook_server.ts";
import { LogRecords } from "../fakes/log_records.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { startTestServer, type TestServer } from "../fakes/test_server.ts";

/** A server whose vhost has these hooks, for as long as a test runs. */
async function withHooks(
  hooks: Record<string, unknown>,
  run: (server: TestServer) => Promise<void>,
  vhost: Record<string, unknown> = {},
): Promise<void> {
  const server = startTestServer({ vhost: { __defaultVhost__: { http_hooks: hooks, ...vhost } } });
  try {
    await run(server);
  } finally {
    await server.stop();
  }
}

Deno.test("hooks are told of a publish and a play with SRS's fields, in SRS's order", async () => {
  await using hooks = new HookServer();
  await withHooks(allHooks(hooks.url("/api/v1/streams?key=1")), async ({ address }) => {
    const publisher = await RtmpTestClient.publish(address, "live", 'a?token=t1&x=%20"');
    await hooks.count(2);
    const player = await RtmpTestClient.play(address, "live", "a?token=t2");
    await hooks.count(4);
    player.close();
    await hooks.count(6);
    publisher.close();
    await hooks.count(8);
  });
  const [publisher, player] = [hooks.calls[0], hooks.calls[2]].map((call) => String(call?.body["client_id"]));
  assert.match(publisher ?? "", /^[a-z0-9]{8}$/);
  const tcUrl = String(hooks.calls[0]?.body["tcUrl"]);
  assert.match(tcUrl, /^rtmp:\/\/127\.0\.0\.1:\d+\/live$/);
  const who = (action: string, id?: string) =>
    `"server_id":"vid-server1","service_id":"service1","action":"${action}","client_id":"${id}",` +
    '"ip":"127.0.0.1","vhost":"__defaultVhost__","app":"live"';
  const param1 = '"param":"?token=t1&x=%20\\""';
  const param2 = '"param":"?token=t2"';
  const end = '"stream_url":"/live/a","stream_id":"vid-stream1"';
  const bytes = (index: number) => {
    const { send_bytes: sent, recv_bytes: received } = hooks.calls[index]?.body as Record<string, number>;
    assert.ok(Number(sent) > 3000 && Number(received) > 3000, `${sent} ${received}`);
    return `"send_bytes":${sent},"recv_bytes":${received}`;
  };
  assert.deepEqual(hooks.calls.map(({ text }) => text), [
    `{${who("on_connect", publisher)},"stream":"a",${param1},"tcUrl":"${tcUrl}","pageUrl":""}`,
    `{${who("on_publish", publisher)},"tcUrl":"${tcUrl}","stream":"a",${param1},${end}}`,
    `{${who("on_connect", player)},"stream":"a",${param2},"tcUrl":"${tcUrl}","pageUrl":""}`,
    `{${who("on_play", player)},"stream":"a","tcUrl":"${tcUrl}",${param2},"pageUrl":"",${end}}`,
    `{${who("on_stop", player)},"tcUrl":"${tcUrl}","stream":"a",${param2},${end}}`,
    `{${who("on_close", player)},${bytes(5)}}`,
    `{${who("on_unpublish", publisher)},"tcUrl":"${tcUrl}","stream":"a",${param1},${end}}`,
    `{${who("on_close", publisher)},${bytes(7)}}`,
  ]);
  for (const { path, headers } of hooks.calls) {
    assert.equal(path, "/api/v1/streams");
    assert.equal(headers.get("Content-Type"), "application/json");
    assert.match(headers.get("User-Agent") ?? "", /^Headwater\//);
    assert.match(headers.get("Connection") ?? "", /^keep-alive$/i);
    assert.deepEqual([...headers.keys()], [
      "connection",
      "content-length",
      "content-type",
      "host",
      "user-agent",
    ]);
  }
});

Deno.test("an encoder that drops and comes back at once: the end of the old publish is told first", async () => {
  await using hooks = new HookServer();
  // The end takes longer than the encoder.
  hooks.reply = async ({ body }) => {
    if (body["action"] === "on_unpublish") await new Promise((resolve) => setTimeout(resolve, 100));
    return undefined;
  };
  await withHooks(allHooks(hooks.url()), async ({ address }) => {
    const first = await RtmpTestClient.publish(address, "live", "a");
    first.close();
    const second = await RtmpTestClient.publish(address, "live", "a");
    second.close();
    await hooks.count(8);
  });
  const ofStream = hooks.actions.filter((action) => action.endsWith("publish"));
  assert.deepEqual(ofStream, ["on_publish", "on_unpublish", "on_publish", "on_unpublish"]);
  const ids = hooks.calls.filter(({ body }) => String(body["action"]).endsWith("publish")).map(({ body }) =>
    body["client_id"]
  );
  assert.equal(ids[0], ids[1]);
  assert.equal(ids[2], ids[3]);
});

Deno.test("a publish that is let in and then refused for another reason gets its end", async () => {
  await using hooks = new HookServer();
  await withHooks(allHooks(hooks.url()), async ({ address }) => {
    const first = await RtmpTestClient.publish(address, "live", "a");
    await assert.rejects(RtmpTestClient.publish(address, "live", "a"), /NetStream.Publish.BadName/);
    await hooks.count(6);
    assert.deepEqual(hooks.actions, [
      ...["on_connect", "on_publish"],
      ...["on_connect", "on_publish", "on_unpublish", "on_close"],
    ]);
    first.close();
    await hooks.count(8);
  });
});

Deno.test("several URLs are asked one after another until one refuses; who said yes is told the end", async () => {
  await using yes = new HookServer();
  await using no = new HookServer();
  await using never = new HookServer();
  no.reply = () => new Response('{"code":403}');
  const hooks = {
    enabled: true,
    "on_publish": [yes.url("/1"), yes.url("/2"), no.url(), never.url()],
    "on_unpublish": [yes.url("/end")],
  };
  await withHooks(hooks, async ({ address }) => {
    await assert.rejects(
      RtmpTestClient.publish(address, "live", "a"),
      /NetStream.Publish.Denied: Publishing is not permitted/,
    );
    await yes.count(3);
  });
  assert.deepEqual(yes.calls.map(({ path }) => path), ["/1", "/2", "/end"]);
  assert.equal(no.calls.length, 1);
  assert.equal(never.calls.length, 0);
});

Deno.test("what an earlier check refuses no hook hears of", async () => {
  await using hooks = new HookServer();
  await withHooks(allHooks(hooks.url()), async ({ address }) => {
    await assert.rejects(RtmpTestClient.publish(address, "live", "a"), /NetStream.Publish.Denied/);
    const page = { pageUrl: "http://evil.example/" };
    const player = await RtmpTestClient.connect(address, "live", page);
    await player.sendCommand("play", await player.createStream(), null, "a");
    assert.equal((await player.status()).code, "NetStream.Play.Failed");
    player.close();
  }, {
    security: { enabled: true, rules: ["deny publish all"] },
    refer: { enabled: true, play: ["example.com"] },
  });
  assert.deepEqual(hooks.actions, []);
});

Deno.test("a publish that a hook has not let in yet reaches nobody, and one that left meanwhile gets its end", async () => {
  await using hooks = new HookServer();
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<void>();
  hooks.reply = async ({ body }) => {
    if (body["action"] === "on_publish") {
      asked.resolve();
      await answer.promise;
    }
    return undefined;
  };
  await withHooks(allHooks(hooks.url()), async ({ address, runtime }) => {
    const client = await RtmpTestClient.connect(address, "live");
    await client.sendCommand("publish", await client.createStream(), null, "a", "live");
    await asked.promise;
    assert.equal(runtime.hub.get("/live/a"), undefined);
    client.close();
    answer.resolve();
    await hooks.count(4);
    assert.deepEqual(hooks.actions, ["on_connect", "on_publish", "on_unpublish", "on_close"]);
  });
});

Deno.test("a publisher that takes a stream over is asked for before the other's end is told", async () => {
  await using hooks = new HookServer();
  await withHooks(allHooks(hooks.url()), async ({ address }) => {
    const first = await RtmpTestClient.publish(address, "live", "a");
    const second = await RtmpTestClient.publish(address, "live", "a");
    await first.closed();
    first.close();
    second.close();
    await hooks.count(8);
  }, { cluster: { on_conflict: "takeover" } });
  const of = (action: string) =>
    hooks.calls.filter(({ body }) => body["action"] === action).map(({ body }) => body["client_id"]);
  const ofStream = hooks.actions.filter((action) => action.endsWith("publish"));
  assert.deepEqual(ofStream, ["on_publish", "on_publish", "on_unpublish", "on_unpublish"]);
  assert.deepEqual(of("on_publish"), of("on_unpublish"));
});

Deno.test("a publisher that a hook refuses takes no stream over", async () => {
  await using hooks = new HookServer();
  hooks.reply = ({ body }) => body["param"] === "?key=1" ? undefined : new Response("1");
  await withHooks(allHooks(hooks.url()), async ({ address, runtime }) => {
    const first = await RtmpTestClient.publish(address, "live", "a?key=1");
    const { id } = runtime.hub.get("/live/a")?.feed ?? {};
    await assert.rejects(RtmpTestClient.publish(address, "live", "a"), /Publish.Denied/);
    assert.equal(runtime.hub.get("/live/a")?.feed?.id, id);
    first.close();
  }, { cluster: { on_conflict: "takeover" } });
});

Deno.test("a client that publishes twice on one connection: the first end is told before the second is asked for", async () => {
  await using hooks = new HookServer();
  await withHooks(allHooks(hooks.url()), async ({ address }) => {
    const client = await RtmpTestClient.publish(address, "live", "a");
    await client.sendCommand("FCUnpublish", 0, null, "a");
    await client.sendCommand("publish", await client.createStream(), null, "a", "live");
    await hooks.count(5);
    client.close();
    await hooks.count(7);
  });
  assert.deepEqual(hooks.actions, [
    ...["on_connect", "on_publish", "on_unpublish"],
    ...["on_connect", "on_publish", "on_unpublish", "on_close"],
  ]);
});

Deno.test("what a backend repeats of a client's token is not logged", async () => {
  using log = new LogRecords();
  await using hooks = new HookServer();
  hooks.reply = ({ body }) => Response.json({ code: 1, msg: `${body["param"]} is no good` });
  await withHooks({ enabled: true, on_play: hooks.url() }, async ({ address }) => {
    const client = await RtmpTestClient.connect(address, "live");
    await client.sendCommand("play", await client.createStream(), null, "a?token=SECRET-TOKEN");
    assert.equal((await client.status()).description, "Playback is not permitted");
    client.close();
  });
  const lines = JSON.stringify(log.records.map(({ properties }) => properties));
  assert.match(lines, /\?token=\.\.\. is no good/);
  assert.doesNotMatch(lines, /SECRET/);
});
