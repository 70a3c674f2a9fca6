import { TrafficByVhost } from "../../lib/base/upstream_traffic.ts";
import { RateMeter } from "../../lib/base/rate_meter.ts";
import { LiveServerView } from "../../lib/app/live_server_view.ts";
import type { RegisteredClient } from "../../lib/server/client_registry.ts";
import type { VhostSettings } from "../../lib/server/vhost_settings.ts";
import { startTestServer } from "../fakes/test_server.ts";
import { HARMLESS_OBJECT_NS, testGrowth } from "./growth.ts";

/** A server with so many streams, each with a player, in so many vhosts. */
async function crowdedView(count: number): Promise<LiveServerView> {
  const { runtime, server, stop } = startTestServer();
  const vhosts = Array.from({ length: count }, (_, index) => `v${index}.example`);
  const settings = runtime.options.findVhost("") as VhostSettings;
  vhosts.forEach((name, index) => {
    const stream = runtime.hub.open(`${name}/live/s`, () => settings.stream);
    server.clients.add(
      {
        id: `c${index}`,
        ip: "::1",
        protocol: "http-flv",
        logProperties: {},
        type: "flv-play",
        isActive: true,
        isNode: false,
        isClosing: false,
        vhost: { ...settings, name },
        address: undefined,
        stream,
        tcUrl: "rtmp://h/live",
        pageUrl: "",
        swfUrl: "",
        connectedAtMs: 0,
        sendBytes: 1,
        receiveBytes: 1,
        jumps: 0,
        sendRate: new RateMeter(),
        receiveRate: new RateMeter(),
        kick() {},
        tick() {},
        isPublishing: false,
        move: () => false,
        shutDown() {},
      } satisfies RegisteredClient as RegisteredClient,
    );
  });
  await stop(); // What it holds is all that is wanted of it.
  return new LiveServerView({
    serverId: "vid-1",
    serviceId: "service1",
    pid: 1,
    version: "0.0.0",
    startedAtMs: 0,
    server,
    upstreamTraffic: new TrafficByVhost(),
    vhosts: () => vhosts.map((name) => [name, true] as const),
    hasVhost: (name) => vhosts.length > 0 && name.endsWith(".example"),
    readiness: () => ({ isReady: true }),
    cluster: () => undefined,
    newId: () => runtime.newId(),
  });
}

const views = new Map<number, LiveServerView>();
for (const size of [200, 1600]) views.set(size, await crowdedView(size));

/** Reads what the view tells of a server of that size. */
function of(read: (view: LiveServerView) => unknown): (size: number) => () => unknown {
  return (size) => {
    const view = views.get(size) as LiveServerView;
    return () => read(view);
  };
}

testGrowth([{
  name: "what the API is told of a server",
  size: 200,
  harmlessNs: HARMLESS_OBJECT_NS,
  kinds: {
    "of streams": of((view) => [...view.streams()]),
    "of clients": of((view) => [...view.clients()]),
    "of vhosts": of((view) => [...view.vhosts()]),
    "of a stream that is not there": of((view) => view.stream("none")),
    "of a client that is not there": of((view) => view.client("none")),
    "of a vhost that is not there": of((view) => view.vhost("none")),
    "in numbers": of((view) => view.totals()),
    "with rates": of((view) => view.sample()),
  },
}]);
