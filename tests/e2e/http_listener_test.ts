import assert from "node:assert/strict";
import { listenHttp } from "../../lib/http/http_listener.ts";

const unexpected = (error: unknown): void => assert.fail(String(error));

Deno.test("listenHttp() closes when nothing is under way, keep-alive connections included", async () => {
  const listener = listenHttp({ hostname: "127.0.0.1", port: 0 }, () => new Response("ok"), unexpected);
  const response = await fetch(`http://127.0.0.1:${listener.port}/`);
  assert.equal(await response.text(), "ok");
  await listener.close();
  await assert.rejects(fetch(`http://127.0.0.1:${listener.port}/`));
});

Deno.test("listenHttp() does not wait for ever for a response that does not end", async () => {
  let finish = (): void => {};
  const endless = () => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(new Uint8Array(1));
        finish = () => controller.close();
      },
    });
    return new Response(body);
  };
  const listener = listenHttp({ hostname: "127.0.0.1", port: 0 }, endless, unexpected);
  const response = await fetch(`http://127.0.0.1:${listener.port}/`);
  await listener.close();
  finish();
  assert.equal((await response.bytes()).length, 1);
});

Deno.test("listenHttp() names the port that is in use", async () => {
  const listener = listenHttp({ hostname: "127.0.0.1", port: 0 }, () => new Response("ok"), unexpected);
  assert.throws(
    () => listenHttp({ hostname: "127.0.0.1", port: listener.port }, () => new Response("ok"), unexpected),
    new RegExp(`Cannot listen on 127.0.0.1:${listener.port}: the port is in use`),
  );
  await listener.close();
});
