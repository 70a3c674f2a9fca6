/**
 * Rules, referrers and hooks decide over TLS as over plain connections; tokens have a test of their own.
 *
 * @module
 */
import { equal, match } from "node:assert/strict";
import { allHooks, HookServer } from "../fakes/hook_server.ts";
import { makeCertificate, tlsConfig } from "./certificates.ts";
import { ChromiumPage } from "./chromium.ts";
import { describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";
import type { TestScope } from "./test_scope.ts";

/** One way of deciding: a configuration that refuses this machine, and one that lets it in. */
interface Way {
  readonly refuse: string;
  readonly allow: string;
}

const security = (...rules: string[]) =>
  `[vhost.__defaultVhost__.security]\nenabled = true\nrules = ${JSON.stringify(rules)}`;
const refer = (key: string, ...hosts: string[]) =>
  `[vhost.__defaultVhost__.refer]\nenabled = true\n${key} = ${JSON.stringify(hosts)}`;

const WAYS: Readonly<Record<string, (scope: TestScope) => Way>> = {
  security: () => ({
    refuse: security("deny publish all", "deny play 127.0.0.0/8"),
    allow: security("allow publish 127.0.0.1", "allow play all"),
  }),
  // FFmpeg names no page where it publishes, whatever it is told.
  refer: () => ({ refuse: refer("all", "example.org"), allow: refer("play", "example.com", "127.0.0.1") }),
  "http_hooks": (scope) => {
    const hooksOf = (reply: string) => {
      const hooks = new HookServer();
      scope.onClose(() => hooks[Symbol.asyncDispose]());
      hooks.reply = () => new Response(reply);
      const lines = Object.entries(allHooks(hooks.url("/hooks"))).map(([name, value]) =>
        `${name} = ${JSON.stringify(value)}`
      );
      return `[vhost.__defaultVhost__.http_hooks]\n${lines.join("\n")}`;
    };
    return { refuse: hooksOf('{"code":403}'), allow: hooksOf('{"code":0}') };
  },
};

for (const [check, wayOf] of Object.entries(WAYS)) {
  programTest(
    ["ffmpeg", "ffprobe", "chromium", "openssl"],
    `${check}: clients of RTMPS, HTTPS and WSS are refused and let in`,
    async (scope) => {
      const { refuse, allow } = wayOf(scope);
      const tls = tlsConfig(await makeCertificate(scope, "first"));
      const server = await scope.startServer({ config: `${refuse}\n${tls}` });
      const source = await mediaFile("av.flv");
      const rtmps = `rtmps://127.0.0.1:${server.port("rtmps")}/live/a`;
      const host = `127.0.0.1:${server.port("httpsServer")}`;
      const https = `https://${host}/live/a.flv`;
      const page = ["-rtmp_pageurl", "https://example.com/page"];
      const publish = publishArguments(source, rtmps);
      const openPage = () =>
        ChromiumPage.open(
          scope,
          `https://${host}/players/?url=${encodeURIComponent(`wss://${host}/live/a.flv`)}`,
        );

      match((await scope.start("ffmpeg", ...publish).finish()).stderr, /Publishing is not permitted/);
      match((await scope.start("ffprobe", ...page, rtmps).finish()).stderr, /Playback is not permitted/);
      match((await scope.start("ffprobe", https).finish()).stderr, /403 Forbidden/);
      const refused = await openPage();
      await refused.until(
        `document.getElementById("notice-text").textContent.includes("you may not play it")`,
      );
      const checks = server.lines.filter(({ message }) => message === "Access refused");
      equal(checks.length >= 4 && checks.every((line) => line["check"] === check), true);

      await server.reload(`${allow}\n${tls}`);
      scope.start("ffmpeg", ...publish);
      await server.line(({ message }) => message === "Publish started");
      const expected = JSON.stringify(await describeStreams(scope, source));
      equal(JSON.stringify(await describeStreams(scope, rtmps, { options: page })), expected);
      const player = await openPage();
      await player.until(`document.querySelector("video").currentTime > 1`);
    },
  );
}
