import { testAccess } from "./test_access.ts";
import { configSchema } from "../../lib/config/config.ts";
import { findVhost, serverLimits, vhostSettings } from "../../lib/app/settings.ts";
import { SYSTEM_CLOCK } from "../../lib/base/clock.ts";
import type { RtmpErrorCode } from "../../lib/base/errors.ts";
import { type SocketAddress, TcpListener } from "../../lib/net/tcp.ts";
import { RtmpServer } from "../../lib/server/rtmp_server.ts";
import { StreamRounds } from "../../lib/server/stream_rounds.ts";
import { ServerRuntime } from "../../lib/server/server_runtime.ts";
import { loneOrigin } from "../../lib/routing/lone_router.ts";
import type { StreamRouter } from "../../lib/server/stream_router.ts";
import type { StreamHub } from "../../lib/hub/stream_hub.ts";

/** A lone origin on a free port of the loopback, without the HTTP side. */
export interface TestServer {
  readonly runtime: ServerRuntime;
  readonly server: RtmpServer;
  readonly address: SocketAddress;
  /** How often connections have ended with this error. */
  errors(code: RtmpErrorCode): number;
  stop(): Promise<void>;
}

/** What of a lone origin is another's, given the lone origin. */
export type OtherRouter = (lone: StreamRouter) => Partial<StreamRouter>;

/** A lone origin, but for that. */
export function testRouter(hub: StreamHub, other: OtherRouter = () => ({})): StreamRouter {
  const lone = loneOrigin(hub);
  return { ...lone, ...other(lone) };
}

/**
 * @param config As in a configuration file, defaults filled in.
 * @param router What of a lone origin is another's.
 */
export function startTestServer(
  config: Record<string, unknown> = {},
  router: OtherRouter = () => ({}),
): TestServer {
  const parsed = configSchema.parse({ vhost: { __defaultVhost__: {} }, ...config });
  const vhosts = vhostSettings(parsed);
  const streams = new StreamRounds(SYSTEM_CLOCK);
  const runtime = new ServerRuntime({
    version: "0.0.0",
    processId: 1,
    findVhost: (name) => findVhost(vhosts, name),
    limits: () => serverLimits(parsed),
    access: testAccess(parsed, SYSTEM_CLOCK),
    router: testRouter(streams.hub, router),
    streams,
    randomBytes: (length) => crypto.getRandomValues(new Uint8Array(length)),
    clock: SYSTEM_CLOCK,
  });
  const server = new RtmpServer(runtime);
  const listener = TcpListener.listen({ hostname: "127.0.0.1", port: 0 });
  server.serve(listener);
  return {
    runtime,
    server,
    address: listener.address,
    errors: (code) => runtime.counters.errors.get(code) ?? 0,
    stop: () => server.stop(3000),
  };
}
