import { equal, match, rejects } from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { signToken } from "../fakes/signed_token.ts";
import { TestEncoder } from "../fakes/test_encoder.ts";
import { apiOf } from "./cluster_nodes.ts";
import { programTest } from "./program_test_case.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

/** An identity provider: a server that publishes the keys it signs with. */
class KeyServer {
  readonly keys: object[] = [];
  status = 200;
  readonly url: string;

  constructor(scope: TestScope) {
    const server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      () => Response.json({ keys: this.keys }, { status: this.status }),
    );
    scope.onClose(() => server.shutdown());
    this.url = `http://127.0.0.1:${server.addr.port}/jwks`;
  }

  /** A new key, and what signs tokens with it. */
  add(kid: string): (stream: string) => Promise<string> {
    const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const key = { ...publicKey.export({ format: "jwk" }), kid, alg: "ES256", use: "sig" };
    this.keys.push(key);
    return (stream) => signToken({ stream }, privateKey, { alg: "ES256", kid });
  }
}

const configOf = ({ url }: KeyServer) => `[vhost.__defaultVhost__.tokens]\nenabled = true\njwks = "${url}"`;

async function publish(scope: TestScope, server: ServerProcess, name: string, token: string): Promise<void> {
  const encoder = await TestEncoder.start(server.port("rtmp"), `${name}?token=${token}`);
  scope.onClose(() => encoder.close());
}

programTest([], "JWKS: keys are fetched over HTTP, and outlive their server and a reload", async (scope) => {
  const keys = new KeyServer(scope);
  const [one, two] = [keys.add("one"), keys.add("two")];
  const server = await scope.startServer({ config: configOf(keys) });
  await publish(scope, server, "a", await one("live/a"));
  await publish(scope, server, "b", await two("live/b"));
  await rejects(publish(scope, server, "c", await two("live/b")));
  keys.status = 500;
  await server.reload(`${configOf(keys)}\nplay = true`);
  await publish(scope, server, "d", await two("live/d"));
  const text = await (await fetch(`http://${apiOf(server)}/metrics`)).text();
  match(text, /access-denied/);
});

programTest(
  [],
  "JWKS: keys that can't be had are named when the server starts, and let nobody in",
  async (scope) => {
    const keys = new KeyServer(scope);
    const sign = keys.add("one");
    keys.status = 503;
    const server = await scope.startServer({ config: configOf(keys) });
    const { reason } = await server.line(({ message }) => message.startsWith("Cannot fetch a JWKS"));
    equal(reason, "it answered HTTP 503, must be 200");
    await rejects(publish(scope, server, "a", await sign("live/a")));
    const { rule } = await server.line(({ message }) => message === "Access refused");
    equal(rule, "no keys to verify the token with: it answered HTTP 503, must be 200");
  },
);
