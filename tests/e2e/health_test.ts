import assert from "node:assert/strict";
import { loadConfig } from "../../lib/config/config_load.ts";
import { checkHealth } from "../../lib/app/health.ts";

for (
  const [what, listen, advice] of [
    [
      "nothing listens",
      "127.0.0.1:1",
      /^Cannot reach http:\/\/127\.0\.0\.1:1\/healthz: cannot connect$/,
    ],
    ["nobody knows the name", "a..b:1985", /healthz: the host name cannot be resolved$/],
  ] as const
) {
  Deno.test(`checkHealth() says why it can't ask: ${what}`, async () => {
    const environment = { HEADWATER_HTTP_API_LISTEN: listen };
    const { config } = loadConfig({ environment, readTextFile: () => undefined });
    assert.match(await checkHealth(config) ?? "", advice);
  });
}
