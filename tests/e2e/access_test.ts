import { equal, match } from "node:assert/strict";
import { describeStreams } from "./frames.ts";
import { allHooks, HookServer } from "../fakes/hook_server.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments, publishFile } from "./publish_file.ts";

const FFMPEG = ["ffmpeg", "ffprobe"] as const;

programTest(FFMPEG, "address rules: ffmpeg and ffprobe are refused and let in", async (scope) => {
  const security = (...rules: string[]) =>
    `[vhost.__defaultVhost__.security]\nenabled = true\nrules = ${JSON.stringify(rules)}`;
  const server = await scope.startServer({ config: security("deny publish 127.0.0.0/8", "allow play all") });
  const source = await mediaFile("av.flv");
  const refused = await scope.start("ffmpeg", ...publishArguments(source, server.url("live/a"))).finish();
  equal(refused.code, 1);
  match(refused.stderr, /Server error: Publishing is not permitted/);
  const { stream, action, rule, check } = await server.line(({ message }) => message === "Access refused");
  equal(`${stream} ${action} ${check}: ${rule}`, "/live/a publish security: deny publish 127.0.0.0/8");
  const http = `http://127.0.0.1:${server.port("httpServer")}/live/a.flv`;

  await server.reload(security("allow publish 127.0.0.1"));
  await publishFile(scope, server, source);
  const player = await scope.start("ffprobe", server.url("live/a")).finish();
  match(player.stderr, /Server error: Playback is not permitted/);
  const response = await fetch(http);
  equal(response.status, 403);
  equal(await response.text(), '{"code":1053,"message":"Playback is not permitted"}');
  const flv = await scope.start("ffprobe", http).finish();
  match(flv.stderr, /403 Forbidden/);

  await server.reload(security("allow publish 127.0.0.1", "allow play 127.0.0.1"));
  const expected = await describeStreams(scope, source);
  equal(JSON.stringify(await describeStreams(scope, server.url("live/a"))), JSON.stringify(expected));
  equal(JSON.stringify(await describeStreams(scope, http)), JSON.stringify(expected));
});

programTest(
  FFMPEG,
  "refer: ffprobe is let in by the page that it names, ffmpeg names none",
  async (scope) => {
    const refer = (keys: string) => `[vhost.__defaultVhost__.refer]\nenabled = true\n${keys}`;
    const server = await scope.startServer({ config: refer('all = ["example.com"]') });
    const source = await mediaFile("av.flv");
    const refused = await scope.start("ffmpeg", ...publishArguments(source, server.url("live/a"))).finish();
    match(refused.stderr, /Server error: Publishing is not permitted/);
    const { check, rule } = await server.line(({ message }) => message === "Access refused");
    equal(`${check}: ${rule}`, "refer: refer all: the client names no page");

    await server.reload(refer('play = ["example.com"]'));
    await publishFile(scope, server, source);
    const probe = (...args: string[]) => scope.start("ffprobe", "-v", "error", ...args).finish();
    const page = (host: string) => ["-rtmp_pageurl", `https://${host}/page`, server.url("live/a")];
    match((await probe(...page("example.org"))).stderr, /Server error: Playback is not permitted/);
    equal((await probe(...page("www.example.com"))).code, 0);
    const http = `http://127.0.0.1:${server.port("httpServer")}/live/a.flv`;
    match((await probe(http)).stderr, /403 Forbidden/);
    equal((await probe("-headers", "Referer: https://example.com/\r\n", http)).code, 0);
  },
);

programTest(
  FFMPEG,
  "hooks: ffmpeg and ffprobe are let in and refused, and their ends are told",
  async (scope) => {
    const hooks = new HookServer();
    scope.onClose(() => hooks[Symbol.asyncDispose]());
    hooks.reply = ({ body }) =>
      String(body["param"]).includes("let=in") ? undefined : new Response('{"code":403,"msg":"no"}');
    const section = Object.entries(allHooks(hooks.url("/hooks?key=SECRET"))).map(([name, value]) =>
      `${name} = ${JSON.stringify(value)}`
    );
    const server = await scope.startServer({
      config: `[vhost.__defaultVhost__.http_hooks]\n${section.join("\n")}`,
    });
    const source = await mediaFile("av.flv");
    const refused = await scope.start(
      "ffmpeg",
      ...publishArguments(source, server.url("live/a?token=SECRET")),
    ).finish();
    match(refused.stderr, /Server error: Publishing is not permitted/);
    const { check, rule } = await server.line(({ message }) => message === "Access refused");
    equal(
      `${check}: ${rule}`,
      `http_hooks: on_connect http://127.0.0.1:${hooks.port}/hooks: it answered '{"code":403,"msg":"no"}'`,
    );
    const publisher = await publishFile(scope, server, source, "live/a?let=in");
    const http = `http://127.0.0.1:${server.port("httpServer")}/live/a.flv`;
    match((await scope.start("ffprobe", http).finish()).stderr, /403 Forbidden/);
    match(
      (await scope.start("ffprobe", server.url("live/a")).finish()).stderr,
      /Server error: Playback is not permitted/,
    );
    hooks.calls.length = 0;
    await scope.start("ffprobe", "-v", "error", `${http}?let=in`).succeed();
    await scope.start("ffprobe", "-v", "error", server.url("live/a?let=in")).succeed();
    await publisher.kill();
    await hooks.count(8);
    equal(
      hooks.actions.join(" "),
      "on_play on_stop on_connect on_play on_stop on_close on_unpublish on_close",
    );
    const metrics = await (await fetch(`http://127.0.0.1:${server.port("httpApi")}/metrics`)).text();
    match(metrics, /^headwater_access_refused_total\{check="http_hooks",action="publish"\} 1$/m);
    match(metrics, /^headwater_access_refused_total\{check="http_hooks",action="play"\} 2$/m);
    match(metrics, /^headwater_hook_calls_total\{hook="on_play",result="refused"\} 1$/m);
    match(metrics, /^headwater_hook_calls_total\{hook="on_unpublish",result="accepted"\} 1$/m);
    server.signal("SIGTERM");
    await server.finish(5000);
    equal(JSON.stringify(server.lines).includes("SECRET"), false);
  },
);
