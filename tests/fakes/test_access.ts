import { Access } from "../../lib/access/access.ts";
import { HookEvents } from "../../lib/access/hooks.ts";
import { accessChecks, hookClient } from "../../lib/app/access_settings.ts";
import { TokenKeySource } from "../../lib/app/token_key_source.ts";
import type { Clock } from "../../lib/base/clock.ts";
import type { Config } from "../../lib/config/config.ts";
import { HttpPoster } from "../../lib/net/http_post.ts";

/** Access control as a configuration says it, with hooks that are really called. */
export function testAccess(config: Config, clock: Clock): Access {
  const node = { serverId: "vid-server1", serviceId: "service1", streamId: () => "vid-stream1" };
  const hooks = new HookEvents(hookClient(new HttpPoster(), clock), node, clock);
  const tokenKeys = new TokenKeySource({ fetch: (url, init) => fetch(url, init), clock });
  return new Access(accessChecks(config, { hooks, tokenKeys }), (...end) => hooks.closed(...end));
}
