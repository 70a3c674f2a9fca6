import { deepEqual, equal, match, ok } from "node:assert/strict";
import { Node } from "../../lib/app/node.ts";
import { Ports } from "../../lib/app/ports.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { Changes } from "../fakes/changes.ts";
import { until } from "../fakes/deadline.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { FORWARD_BACKEND_CONF, FORWARD_MASTER_CONF } from "../fixtures/srs_forward_confs.ts";
import { LocalNode, startLocalCluster } from "./cluster_nodes.ts";
import { FollowingEncoder } from "./drained_clients.ts";
import { startEncoder, watchRtmp } from "./players.ts";
import { makeCertificate, tlsConfig } from "./certificates.ts";
import { report } from "./crowd.ts";
import { mediaFile } from "./media_files.ts";
import { NginxRtmp } from "./nginx_rtmp.ts";
import { programTest } from "./program_test_case.ts";
import { publishFile } from "./publish_file.ts";
import { TestScope } from "./test_scope.ts";

programTest(
  ["ffmpeg", "nginx-rtmp", "openssl"],
  "ffmpeg's stream is forwarded to nginx-rtmp and to another Headwater by rtmps; nginx is killed and comes back",
  async (scope) => {
    const nginx = await NginxRtmp.start(scope);
    const certificate = await makeCertificate(scope, "second");
    const second = await scope.startServer({ config: tlsConfig(certificate) });
    const first = await scope.startServer({
      config: `upstream_tls = { ca = "${certificate.cert}" }
[vhost.__defaultVhost__.forward]
enabled = true
destination = ["rtmps://localhost:${second.port("rtmps")}/backup/[stream]"]
[vhost.__defaultVhost__.forward.targets.nginx]
url = "rtmp://${nginx.origin}/live"
key = "the-secret-key?a=b/c&d=e"
streams = ["live/*"]`,
    });
    await publishFile(scope, first, await mediaFile("av.flv"));
    const here = await watchRtmp(scope, first.port("rtmp"), "a");
    const started = (from: number) =>
      first.line(({ message, to }) => message === "Forward started" && to === "nginx", from);
    await started(0);
    const there = await watchRtmp(scope, second.port("rtmp"), "a", "backup");
    const atNginx = await watchRtmp(scope, nginx.port, "the-secret-key");
    await Promise.all([here, there, atNginx].map((watch) => watch.more(60)));
    const lost = first.lines.length;
    await nginx.kill();
    await first.line(({ message, to }) => message === "Forward lost; retrying" && to === "nginx", lost);
    const killedAt = here.messages;
    await here.more(60);
    const back = await NginxRtmp.start(scope, "", nginx.port);
    await started(lost);
    const resumed = await watchRtmp(scope, back.port, "the-secret-key");
    await resumed.more(60);
    ok(Math.abs(resumed.lastTimestamp - here.lastTimestamp) < 2000, "time goes on");
    for (const watch of [here, there]) {
      deepEqual([watch.isEnded, watch.wentBack], [false, []]);
      ok(watch.longestPauseMs < 1500, `paused for ${watch.longestPauseMs} ms`);
    }
    report(
      `the publisher's player: ${here.messages} messages, ${
        here.messages - killedAt
      } since nginx was killed, ` +
        `longest pause ${Math.round(here.longestPauseMs)} ms; nginx got ${resumed.messages} again`,
    );
    const api = `http://127.0.0.1:${first.port("httpApi")}`;
    const forwards = await (await fetch(`${api}/api/v1/forwards`)).text();
    const shown = JSON.parse(forwards).forwards.map(({ url, state }: Record<string, string>) =>
      `${state} ${url}`
    );
    deepEqual(shown, [
      `forwarding rtmps://localhost:${second.port("rtmps")}/backup/a`,
      `forwarding rtmp://${nginx.origin}/live/***`,
    ]);
    const everything = forwards + JSON.stringify(first.lines) + await (await fetch(`${api}/metrics`)).text() +
      await (await fetch(`${api}/api/v1/streams`)).text();
    ok(!everything.includes("the-secret-key"));
  },
);

Deno.test("SRS's forward.master.conf forwards every stream to its slave", async () => {
  const scope = new TestScope();
  try {
    const slave = await LocalNode.start(scope);
    const master = await startConf(scope, FORWARD_MASTER_CONF.replace("19350", String(slave.rtmp.port)));
    const encoder = await startEncoder(scope, master.port, "a");
    const watch = await watchRtmp(scope, slave.rtmp.port, "a");
    await watch.more(50);
    ok(!encoder.client.isEnded);
  } finally {
    await scope.close();
  }
});

Deno.test("SRS's forward.backend.conf asks where each stream goes, in SRS's words, and again when it gets no answer", async () => {
  const scope = new TestScope();
  try {
    const other = await LocalNode.start(scope);
    const backend = startBackend(scope, [
      () => new Response("busy", { status: 503 }),
      () =>
        Response.json({
          code: 0,
          data: { urls: [`rtmp://${other.origin}/test/copy?token=of-the-copy`, "no URL"] },
        }),
    ]);
    const conf = FORWARD_BACKEND_CONF.replace("8085", String(backend.port));
    const server = await startConf(scope, conf);
    const encoder = await startEncoder(scope, server.port, "a?token=publishers");
    const watch = await watchRtmp(scope, other.rtmp.port, "copy", "test");
    await watch.more(50);
    equal(backend.asked.length, 2);
    const [question] = backend.asked;
    deepEqual(Object.keys(question ?? {}), [
      "action",
      "server_id",
      "service_id",
      "client_id",
      "ip",
      "vhost",
      "app",
      "tcUrl",
      "stream",
      "param",
    ]);
    const { action, ip, vhost, app, tcUrl, stream, param, client_id: clientId } = question ?? {};
    deepEqual([action, ip, vhost, app, stream, param], [
      "on_forward",
      "127.0.0.1",
      "__defaultVhost__",
      "live",
      "a",
      "?token=publishers",
    ]);
    equal(tcUrl, `rtmp://127.0.0.1:${server.port}/live`);
    match(String(clientId), /^[a-z0-9]{8}$/);
    const [copy, ...others] = server.node.view.forwards();
    deepEqual([copy?.url, copy?.state, others.length], [`rtmp://${other.origin}/test/***`, "forwarding", 0]);
    ok(!encoder.client.isEnded);
  } finally {
    await scope.close();
  }
});

Deno.test("forwards follow the configuration and the publisher: added, removed, over, and back", async () => {
  const scope = new TestScope();
  try {
    const [second, third] = [await LocalNode.start(scope), await LocalNode.start(scope)];
    const forward = (...to: LocalNode[]) => ({ enabled: true, destination: to.map(({ origin }) => origin) });
    const first = await LocalNode.start(scope, {}, { forward: forward(second) });
    const isFed = ({ node }: LocalNode) => node.runtime.hub.get("/live/a")?.feed !== undefined;
    let encoder = await startEncoder(scope, first.rtmp.port, "a");
    await until(() => isFed(second), "the first destination");
    first.reload({}, { forward: forward(third) });
    await until(() => !isFed(second) && isFed(third), "the other destination");
    const watch = await watchRtmp(scope, third.rtmp.port, "a");
    await watch.more(20);
    await encoder.close();
    await until(() => !isFed(third), "the end of the stream");
    deepEqual([...first.node.view.forwards()], []);
    encoder = await startEncoder(scope, first.rtmp.port, "a");
    await watch.more(20);
    deepEqual([watch.isEnded, watch.wentBack, encoder.client.isEnded], [false, [], false]);
    // To itself, by its own port: refused there, and nobody notices.
    first.reload({}, {
      forward: { enabled: true, destination: [first.origin, `rtmp://${first.origin}/other/b`] },
    });
    await until(() => states(first).join() === "waiting,waiting", "two refusals");
    const errors = Array.from(first.node.view.forwards(), ({ lastError }) => lastError ?? "");
    ok(errors.every((error) => /this server itself/.test(error)), errors.join());
    equal(first.node.runtime.hub.get("/other/b"), undefined);
    ok(!encoder.client.isEnded);
  } finally {
    await scope.close();
  }
});

Deno.test("a stream whose encoder moves to another node is forwarded from there, and was never said to be over", async () => {
  const scope = new TestScope();
  try {
    const platform = await LocalNode.start(scope);
    const target = { url: `rtmp://${platform.origin}/live`, key: "copy" };
    const nodes = await startLocalCluster(scope, {}, {
      forward: { enabled: true, targets: { platform: target } },
    });
    const [a] = nodes;
    const encoder = await FollowingEncoder.start(scope, a, "a");
    const watch = await watchRtmp(scope, platform.rtmp.port, "copy");
    await watch.more(20);
    const drained = a.node.drain.begin({ startWaitMs: 0, graceMs: 5000 });
    const port = await encoder.movedTo;
    const b = nodes.find(({ rtmp }) => rtmp.port === port);
    ok(b !== undefined && b !== a);
    await until(() => states(b).join() === "forwarding", "the forward of the other node");
    await watch.more(20);
    await drained;
    deepEqual([watch.isEnded, watch.wentBack, states(a)], [false, [], []]);
  } finally {
    await scope.close();
  }
});

Deno.test("what is forwarded is what was sent: Enhanced RTMP, several tracks, large frames", async () => {
  const scope = new TestScope();
  try {
    const second = await LocalNode.start(scope);
    const first = await LocalNode.start(scope, {}, {
      forward: { enabled: true, destination: [second.origin] },
    });
    const client = await connectLocally(first.rtmp.port, "live");
    scope.onClose(() => client.close());
    await client.publish("a");
    await until(() => states(first).join() === "forwarding", "the forward");
    const seen: string[] = [];
    const changes = new Changes();
    const player = await connectLocally(second.rtmp.port, "live", ({ typeId, payload }) => {
      if (typeId !== 18) seen.push(encodeHex(payload));
      changes.notify();
    });
    scope.onClose(() => player.close());
    await player.play("a");
    const large = new Uint8Array(100_000).map((_, index) => index);
    // A key frame of HEVC in Enhanced RTMP, one message of two tracks, a frame longer than a chunk, and audio of another codec.
    const sent = [
      [9, Uint8Array.of(0x90, 0x68, 0x76, 0x63, 0x31, 1, 2, 3)],
      [9, Uint8Array.of(0x91, 0x68, 0x76, 0x63, 0x31, 0, 0, 0, 9, 9)],
      [9, Uint8Array.of(0x96, 0x11, 0x68, 0x76, 0x63, 0x31, 0, 0, 0, 2, 7, 7, 1, 0, 0, 1, 8)],
      [9, Uint8Array.of(0xa1, 0x68, 0x76, 0x63, 0x31, 0, 0, 0, ...large)],
      [8, Uint8Array.of(0x91, 0x4f, 0x70, 0x75, 0x73, 5, 5)],
    ] as const;
    for (const [index, [typeId, payload]] of sent.entries()) await client.send(typeId, index * 40, payload);
    await changes.until(() => seen.length >= sent.length, "all messages");
    deepEqual(seen, sent.map(([, payload]) => encodeHex(payload)));
  } finally {
    await scope.close();
  }
});

/** A server of an SRS configuration, on a free port. */
async function startConf(scope: TestScope, conf: string): Promise<{ node: Node; port: number }> {
  const { config, warnings } = loadConfig({
    path: "srs.conf",
    environment: { HEADWATER_LISTEN: "127.0.0.1:0" },
    readTextFile: () => conf,
  });
  deepEqual(warnings, []);
  const node = new Node(config);
  const ports = new Ports(config);
  await node.start(ports);
  scope.onClose(() => node.stop());
  return { node, port: ports.addresses.rtmp[0]?.port ?? 0 };
}

/** A backend that gives these answers, the last again and again. */
function startBackend(
  scope: TestScope,
  answers: (() => Response)[],
): { port: number; asked: Record<string, unknown>[] } {
  const asked: Record<string, unknown>[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    asked.push(await request.json());
    return ((answers.length > 1 ? answers.shift() : answers[0]) as () => Response)();
  });
  scope.onClose(() => server.shutdown());
  return { port: server.addr.port, asked };
}

function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function states({ node }: LocalNode): string[] {
  return Array.from(node.view.forwards(), ({ state }) => state);
}
