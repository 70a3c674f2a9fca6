import assert from "node:assert/strict";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { requestKey } from "../../lib/server/requested_vhost.ts";
import type { VhostSettings } from "../../lib/server/vhost_settings.ts";

for (
  const [tcUrl, name, separate, shared] of [
    ["rtmp://a.example/live", "s", "a.example/live/s", "/live/s"],
    ["rtmp://a.example:1936/live", "s?token=x", "a.example/live/s", "/live/s"],
    ["rtmp://10.0.0.1/live", "s?vhost=a.example", "a.example/live/s", "/live/s"],
    ["rtmp://10.0.0.1/live?domain=a.example", "s", "a.example/live/s", "/live/s"],
    ["rtmp://a.example/live", "s?vhost=b.example", "b.example/live/s", "/live/s"],
    // An address of the machine names no vhost.
    ["rtmp://10.0.0.1/live", "s", "/live/s", "/live/s"],
    ["rtmp://[fd00::1]/live", "s", "/live/s", "/live/s"],
    ["rtmp://localhost/live", "s", "/live/s", "/live/s"],
    ["rtmp://__defaultVhost__/live", "s", "/live/s", "/live/s"],
    ["rtmp://a.example/live", "s?vhost=__defaultVhost__", "a.example/live/s", "/live/s"],
  ] as const
) {
  Deno.test(`the key of ${name} at ${tcUrl}, by vhosts that are kept apart and by one for all`, () => {
    const address = parseStreamAddress(tcUrl, name);
    const key = (separatesVhosts: boolean) =>
      requestKey({ name: "__defaultVhost__", separatesVhosts } as VhostSettings, address);
    assert.deepEqual([key(true), key(false)], [separate, shared]);
  });
}
