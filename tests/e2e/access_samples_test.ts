import assert from "node:assert/strict";
import { Node } from "../../lib/app/node.ts";
import { Ports } from "../../lib/app/ports.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import type { SocketAddress } from "../../lib/net/tcp.ts";
import {
  HTTP_HOOKS_CALLBACK_CONF,
  HTTPS_HOOKS_CALLBACK_CONF,
  REFER_CONF,
  SECURITY_DENY_PUBLISH_CONF,
} from "../fixtures/srs_access_confs.ts";
import { HookServer } from "../fakes/hook_server.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { makeCertificate } from "./certificates.ts";
import { programTest } from "./program_test_case.ts";
import type { TestScope } from "./test_scope.ts";

/** Runs a sample on a free port; what it says at its start that is no error. */
async function startSample(
  scope: TestScope,
  conf: string,
): Promise<{ address: SocketAddress; warnings: readonly string[] }> {
  const { config, warnings } = loadConfig({
    path: "sample.conf",
    environment: { HEADWATER_LISTEN: "127.0.0.1:0" },
    readTextFile: (path) => path === "sample.conf" ? conf : Deno.readTextFileSync(path),
  });
  const node = new Node(config);
  const ports = new Ports(config);
  await node.start(ports);
  scope.onClose(() => node.stop());
  const [address] = ports.addresses.rtmp;
  assert.ok(address !== undefined, "it does not listen");
  return { address, warnings };
}

function startHooks(scope: TestScope, tls?: { key: string; cert: string }): HookServer {
  const hooks = new HookServer(tls);
  scope.onClose(() => hooks[Symbol.asyncDispose]());
  return hooks;
}

programTest([], "SRS's security.deny.publish.conf lets players in, and no publisher", async (scope) => {
  const { address, warnings } = await startSample(scope, SECURITY_DENY_PUBLISH_CONF);
  assert.deepEqual(warnings, []);
  await assert.rejects(
    RtmpTestClient.publish(address, "live", "livestream"),
    /NetStream.Publish.Denied: Publishing is not permitted/,
  );
  (await RtmpTestClient.play(address, "live", "livestream")).close();
});

programTest([], "SRS's http.hooks.callback.conf asks and tells its backends", async (scope) => {
  const hooks = startHooks(scope);
  // Its own port may be taken.
  const { address, warnings } = await startSample(
    scope,
    HTTP_HOOKS_CALLBACK_CONF.replaceAll(":8085", `:${hooks.port}`),
  );
  assert.deepEqual(warnings, []);
  const publisher = await RtmpTestClient.publish(address, "live", "livestream");
  const player = await RtmpTestClient.play(address, "live", "livestream");
  player.close();
  await hooks.count(6);
  publisher.close();
  await hooks.count(8);
  assert.deepEqual(
    hooks.calls.map(({ path, body }) => `${body["action"]} ${path}`),
    [
      ...["on_publish /api/v1/streams", "on_publish /api/v1/streams"],
      ...["on_play /api/v1/sessions", "on_play /api/v1/sessions"],
      ...["on_stop /api/v1/sessions", "on_stop /api/v1/sessions"],
      ...["on_unpublish /api/v1/streams", "on_unpublish /api/v1/streams"],
    ],
  );
  hooks.reply = ({ body }) => body["action"] === "on_play" ? new Response('{"code":1}') : undefined;
  const refused = await RtmpTestClient.connect(address, "live");
  await refused.sendCommand("play", await refused.createStream(), null, "livestream");
  const { code, description } = await refused.status();
  assert.equal(`${code}: ${description}`, "NetStream.Play.Failed: Playback is not permitted");
  refused.close();
});

programTest(
  ["openssl"],
  "SRS's https.hooks.callback.conf takes its backend's own certificate, and says so",
  async (scope) => {
    const { cert, key } = await makeCertificate(scope, "hooks");
    const hooks = startHooks(scope, {
      cert: await Deno.readTextFile(cert),
      key: await Deno.readTextFile(key),
    });
    const { address, warnings } = await startSample(
      scope,
      HTTPS_HOOKS_CALLBACK_CONF.replaceAll(":443", `:${hooks.port}`),
    );
    assert.match(warnings.join(), /^vhost __defaultVhost__ takes any certificate of its https hooks/);
    (await RtmpTestClient.publish(address, "live", "livestream")).close();
    await hooks.count(2);
    assert.deepEqual(hooks.actions, ["on_publish", "on_unpublish"]);
  },
);

programTest([], "refer of SRS's full.conf lets in clients of its pages, and no others", async (scope) => {
  const { address, warnings } = await startSample(scope, REFER_CONF);
  assert.deepEqual(warnings, []);
  const play = async (pageUrl?: string): Promise<string> => {
    const properties = pageUrl === undefined ? {} : { pageUrl };
    const client = await RtmpTestClient.connect(address, "live?vhost=refer.anti_suck.com", properties);
    await client.sendCommand("play", await client.createStream(), null, "livestream");
    const { code } = await client.status();
    client.close();
    return code;
  };
  assert.equal(await play("https://ossrs.github.io/players/"), "NetStream.Play.Reset");
  assert.equal(await play("https://github.com/ossrs/srs"), "NetStream.Play.Reset");
  assert.equal(await play("https://example.com/?github.com"), "NetStream.Play.Failed");
  assert.equal(await play(), "NetStream.Play.Failed");
});
