import assert from "node:assert/strict";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { askForwardBackend } from "../../lib/forward/forward_backend.ts";

const QUESTION = {
  clientId: "08g9611r",
  ip: "192.0.2.7",
  vhost: "__defaultVhost__",
  tcUrl: "rtmp://127.0.0.1:1935/live",
  address: parseStreamAddress("rtmp://127.0.0.1:1935/live", "livestream?a=b"),
};

function ask(answer: (init: RequestInit) => Promise<Response>): Promise<string[]> {
  const options = {
    fetch: (_: string, init: RequestInit) => answer(init),
    serverId: "vid-k21d7y2",
    serviceId: "d4e5f6g7",
    signature: "Headwater/0",
  };
  const backend = "http://user:secret@127.0.0.1:8085/api/v1/forward";
  return askForwardBackend(options, backend, QUESTION, new AbortController().signal);
}

Deno.test("a forward backend is asked as SRS asks it, byte for byte", async () => {
  let sent: RequestInit = {};
  const urls = ["rtmp://127.0.0.1:19350/test/teststream"];
  const answer = await ask((init) => {
    sent = init;
    return Promise.resolve(Response.json({ code: 0, data: { urls: [...urls, ""] } }));
  });
  assert.deepEqual(answer, urls);
  assert.equal(sent.method, "POST");
  assert.equal(sent.redirect, "manual");
  assert.equal(
    sent.body,
    '{"action":"on_forward","server_id":"vid-k21d7y2","service_id":"d4e5f6g7","client_id":"08g9611r",' +
      '"ip":"192.0.2.7","vhost":"__defaultVhost__","app":"live","tcUrl":"rtmp://127.0.0.1:1935/live",' +
      '"stream":"livestream","param":"?a=b"}',
  );
});

const endless = () =>
  new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(16 * 1024).fill(0x20)) });

for (
  const [what, response, reason] of [
    ["no JSON", () => new Response("<html>"), /not JSON/],
    ["null", () => new Response("null"), /code undefined/],
    ["the text 0", () => new Response('"0"'), /code undefined/],
    ["a code that is text", () => Response.json({ code: "0", data: { urls: [] } }), /code "0"/],
    ["another code", () => Response.json({ code: 1, data: { urls: [] } }), /code 1, must be 0/],
    ["no URLs", () => Response.json({ code: 0, data: {} }), /data\.urls/],
    ["URLs that are numbers", () => Response.json({ code: 0, data: { urls: [1] } }), /data\.urls/],
    ["a redirect", () => new Response(null, { status: 302, headers: { Location: "http://b/" } }), /HTTP 302/],
    ["a failure", () => new Response("no", { status: 500 }), /HTTP 500/],
    ["an answer without an end", () => new Response(endless()), /longer than 65536 bytes/],
    ["a long code", () => Response.json({ code: "x".repeat(10_000), data: {} }), /^.{1,100}$/],
  ] as const
) {
  Deno.test(`a forward backend that answers with ${what} has not answered, and the reason is short`, async () => {
    await assert.rejects(ask(() => Promise.resolve(response())), (error: Error) => {
      assert.match(error.message, reason);
      return !error.message.includes("secret");
    });
  });
}

Deno.test("a forward backend that can't be reached is named by the reason, not by its URL", async () => {
  const cause = new Error(
    "error sending request for url (http://user:secret@127.0.0.1:8085/): connection refused",
  );
  await assert.rejects(ask(() => Promise.reject(new TypeError("fetch failed", { cause }))), {
    message: "connection refused",
  });
});
