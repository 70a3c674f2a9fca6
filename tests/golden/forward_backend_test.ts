import assert from "node:assert/strict";
import { HookClient } from "../../lib/access/hook_client.ts";
import { SYSTEM_CLOCK } from "../../lib/base/clock.ts";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { askForwardBackend, ForwardBackendError } from "../../lib/forward/forward_backend.ts";

const BACKEND = "http://user:secret@127.0.0.1:8085/api/v1/forward";
const QUESTION = {
  clientId: "08g9611r",
  ip: "192.0.2.7",
  vhost: "__defaultVhost__",
  tcUrl: "rtmp://127.0.0.1:1935/live",
  address: parseStreamAddress("rtmp://127.0.0.1:1935/live", "livestream?a=b"),
};

function ask(answer: (body: string) => { status?: number; body: string }): Promise<string[]> {
  const hooks = new HookClient({
    post: (_, body) => Promise.resolve({ status: 200, ...answer(body) }),
    clock: SYSTEM_CLOCK,
    userAgent: "Headwater/0",
  });
  const backend = { call: hooks.call.bind(hooks), serverId: "vid-k21d7y2", serviceId: "d4e5f6g7" };
  return askForwardBackend(backend, BACKEND, QUESTION, { timeoutMs: 1000, tls: { isUnverified: false } });
}

Deno.test("a forward backend is asked as SRS asks it, byte for byte", async () => {
  let sent = "";
  const urls = ["rtmp://127.0.0.1:19350/test/teststream"];
  const answer = await ask((body) => {
    sent = body;
    return { body: JSON.stringify({ code: 0, data: { urls: [...urls, ""] } }) };
  });
  assert.deepEqual(answer, urls);
  assert.equal(
    sent,
    '{"action":"on_forward","server_id":"vid-k21d7y2","service_id":"d4e5f6g7","client_id":"08g9611r",' +
      '"ip":"192.0.2.7","vhost":"__defaultVhost__","app":"live","tcUrl":"rtmp://127.0.0.1:1935/live",' +
      '"stream":"livestream","param":"?a=b"}',
  );
});

for (
  const [what, answer, isRefusal] of [
    ["no JSON", { body: "<html>" }, true],
    ["null", { body: "null" }, true],
    ["the text 0", { body: '"0"' }, true],
    ["a plain 0", { body: "0" }, true],
    ["a code that is text", { body: '{"code":"0","data":{"urls":[]}}' }, true],
    ["another code", { body: '{"code":1,"data":{"urls":[]}}' }, true],
    ["no URLs", { body: '{"code":0,"data":{}}' }, true],
    ["data that is a list", { body: '{"code":0,"data":["rtmp://a/b/c"]}' }, true],
    ["URLs that are numbers", { body: '{"code":0,"data":{"urls":[1.5]}}' }, true],
    ["a redirect", { status: 302, body: "" }, true],
    ["a failure", { status: 500, body: "no" }, false],
    ["a long code", { body: `{"code":"${"x".repeat(10_000)}"}` }, true],
  ] as const
) {
  Deno.test(`a forward backend that answers with ${what} has not answered, and the reason is short`, async () => {
    await assert.rejects(ask(() => answer), (error) => {
      assert.ok(error instanceof ForwardBackendError);
      assert.equal(error.isRefusal, isRefusal);
      assert.ok(error.message.length < 400);
      return !error.message.includes("secret");
    });
  });
}
