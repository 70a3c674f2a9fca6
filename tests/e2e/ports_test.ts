import assert from "node:assert/strict";
import { type Config, configSchema } from "../../lib/config/config.ts";
import { Ports } from "../../lib/app/ports.ts";
import { SYSTEM_CLOCK } from "../../lib/base/clock.ts";
import { HttpServer } from "../../lib/http/server/http_server.ts";
import { ConnectionLimits } from "../../lib/net/connection_limits.ts";
import { Entrance } from "../../lib/net/entrance.ts";

function configOf(apiPort: number): Config {
  return configSchema.parse({
    listen: "127.0.0.1:0",
    http_api: { listen: `127.0.0.1:${apiPort}` },
    http_server: { listen: "127.0.0.1:0" },
    vhost: { __defaultVhost__: {} },
  });
}

Deno.test("Ports: who comes before anybody can answer waits", async () => {
  const ports = new Ports(configOf(0));
  const server = new HttpServer({
    clock: SYSTEM_CLOCK,
    entrance: new Entrance({
      limits: new ConnectionLimits(() => ({ maxConnections: 10, maxConnectionsPerIp: 0 })),
      clock: SYSTEM_CLOCK,
    }),
    limits: () => ({ maxBodyBytes: 0, sendTimeoutMs: 1000 }),
    onFault: (error) => assert.fail(String(error)),
    onRefused: (_, reason) => assert.fail(reason),
  });
  try {
    const { addresses } = ports;
    const answers = [addresses.httpApi, addresses.httpServer].map(async ([address]) =>
      await (await fetch(`http://127.0.0.1:${address?.port}/`)).text()
    );
    const connection = await Deno.connect({ hostname: "127.0.0.1", port: addresses.rtmp[0]?.port ?? 0 });
    connection.close();
    const answer = (text: string) => () => Promise.resolve({ response: new Response(text) });
    for (const listener of ports.httpApi) server.serve(listener, answer("api"));
    for (const listener of ports.httpServer) server.serve(listener, answer("stream"));
    assert.deepEqual(await Promise.all(answers), ["api", "stream"]);
  } finally {
    await server.close();
    ports.close();
  }
});

Deno.test("Ports: when one can't be had, none stays open", () => {
  const taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  try {
    // The runner fails a test that leaves the RTMP port open.
    assert.throws(() => new Ports(configOf(taken.addr.port)), { name: "ListenError" });
  } finally {
    taken.close();
  }
});
