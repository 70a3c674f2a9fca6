import assert from "node:assert/strict";
import { type Config, configSchema } from "../../lib/app/config.ts";
import { Ports } from "../../lib/app/ports.ts";
import { listenHttp } from "../../lib/http/http_listener.ts";

const FREE = { hostname: "127.0.0.1", port: 0 };

function configOf(apiPort: number): Config {
  return configSchema.parse({
    listen: "127.0.0.1:0",
    http_api: { listen: `127.0.0.1:${apiPort}` },
    http_server: { listen: "127.0.0.1:0" },
    vhost: { __defaultVhost__: {} },
  });
}

Deno.test("Ports: a request that comes before anybody can answer it waits", async () => {
  const ports = new Ports(configOf(0));
  try {
    const answers = [ports.addresses.httpApi, ports.addresses.httpServer].map(async ([address]) =>
      await (await fetch(`http://127.0.0.1:${address?.port}/`)).text()
    );
    const connection = await Deno.connect({
      hostname: "127.0.0.1",
      port: ports.addresses.rtmp[0]?.port ?? 0,
    });
    connection.close();
    ports.serveHttp({ api: () => new Response("api"), stream: () => new Response("stream") });
    assert.deepEqual(await Promise.all(answers), ["api", "stream"]);
  } finally {
    await ports.close();
  }
});

Deno.test("Ports: when one can't be had, none stays open", async () => {
  const taken = listenHttp(FREE, () => new Response(), () => {});
  try {
    // The runner fails a test that leaves the RTMP port open.
    assert.throws(() => new Ports(configOf(taken.port)), { name: "ListenError" });
  } finally {
    await taken.close();
  }
});
