import { deepEqual, equal, match } from "node:assert/strict";
import { SECRET, signToken } from "../fakes/signed_token.ts";
import { makeCertificate, tlsConfig } from "./certificates.ts";
import { ChromiumPage } from "./chromium.ts";
import { describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments, publishFile } from "./publish_file.ts";
import { inheritedEnvironment } from "./running_program.ts";
import { START_ARGUMENTS } from "./server_process.ts";

const CONFIG = `[vhost.__defaultVhost__.tokens]\nenabled = true\nplay = true\nsecret = "${SECRET}"`;

programTest(["ffmpeg", "ffprobe"], "tokens: ffmpeg and ffprobe are refused and let in", async (scope) => {
  const server = await scope.startServer({ config: CONFIG });
  const source = await mediaFile("av.flv");
  const publish = await signToken({ action: "publish", stream: "live/*" });
  const play = await signToken({ action: "play", stream: "live/*" });
  const rules = () =>
    server.lines.filter(({ message }) => message === "Access refused").map(({ rule }) => String(rule));

  const publishers = ["live/a", `live/a?token=${play}`, `live/a?token=${publish.slice(0, -9)}`];
  for (const path of publishers) {
    const { stderr } = await scope.start("ffmpeg", ...publishArguments(source, server.url(path))).finish();
    match(stderr, /Server error: Publishing is not permitted/);
  }
  deepEqual(rules(), [
    "no token: parameter 'token' is missing",
    "the token is to play, not to publish",
    "the token's signature is wrong",
  ]);

  await publishFile(scope, server, source, `live/a?token=${publish}`);
  const http = `http://127.0.0.1:${server.port("httpServer")}/live/a.flv`;
  match((await scope.start("ffprobe", server.url("live/a")).finish()).stderr, /Playback is not permitted/);
  const expected = JSON.stringify(await describeStreams(scope, source));
  // In the name, and in the app, where players that split the URL at its last slash leave it.
  for (const url of [`live/a?token=${play}`, `live?token=${play}/a`]) {
    equal(JSON.stringify(await describeStreams(scope, server.url(url))), expected);
  }
  equal(JSON.stringify(await describeStreams(scope, `${http}?token=${play}`)), expected);

  const missing = await fetch(http);
  equal(missing.status, 401);
  equal(missing.headers.get("WWW-Authenticate"), "Bearer");
  equal(await missing.text(), '{"code":1053,"message":"Playback is not permitted"}');
  const wrong = await fetch(http, { headers: { Authorization: `Bearer ${publish}` } });
  equal(wrong.status, 403);
  await wrong.body?.cancel();
  const bearer = await fetch(http, { headers: { Authorization: `Bearer ${play}` } });
  equal(bearer.status, 200);
  await bearer.body?.cancel();
});

programTest(
  ["ffmpeg", "chromium", "openssl"],
  "tokens: by RTMPS and on an HTTPS page over WSS too",
  async (scope) => {
    const certificate = await makeCertificate(scope, "first");
    const server = await scope.startServer({ config: `${CONFIG}\n${tlsConfig(certificate)}` });
    const source = await mediaFile("av.flv");
    const rtmps = (path: string) => `rtmps://127.0.0.1:${server.port("rtmps")}/${path}`;
    const refused = await scope.start("ffmpeg", ...publishArguments(source, rtmps("live/a"))).finish();
    match(refused.stderr, /Server error: Publishing is not permitted/);
    const publish = await signToken({ action: "publish", stream: "live/a" });
    scope.start("ffmpeg", ...publishArguments(source, rtmps(`live/a?token=${publish}`)));
    await server.line(({ message }) => message === "Publish started");

    const host = `127.0.0.1:${server.port("httpsServer")}`;
    const open = (path: string) => {
      const url = encodeURIComponent(`wss://${host}/${path}`);
      return ChromiumPage.open(scope, `https://${host}/players/?url=${url}`);
    };
    const stranger = await open("live/a.flv");
    await stranger.until(
      `document.getElementById("notice-text").textContent.includes("you may not play it")`,
    );
    const token = await signToken({ action: "play", stream: "live/*" });
    const page = await open(`live/a.flv?token=${token}`);
    await page.until(`document.querySelector("video").currentTime > 1`);
    const started = await server.line(({ message }) => message === "Play started");
    equal(started["transport"], "websocket");
  },
);

programTest(["ffmpeg"], "tokens: one that the command printed lets ffmpeg in", async (scope) => {
  const server = await scope.startServer({ config: CONFIG });
  const command = new Deno.Command(Deno.execPath(), {
    args: [...START_ARGUMENTS, "token", "--action", "publish", "--stream", "live/a", "-c", server.configPath],
    cwd: new URL("../..", import.meta.url),
    clearEnv: true,
    env: inheritedEnvironment(),
  });
  const { code, stdout, stderr } = await command.output();
  equal(new TextDecoder().decode(stderr), "");
  equal(code, 0);
  await publishFile(
    scope,
    server,
    await mediaFile("av.flv"),
    `live/a?token=${new TextDecoder().decode(stdout).trim()}`,
  );
});

programTest(["ffmpeg"], "tokens: one that FFmpeg has cut is called that in the log", async (scope) => {
  const server = await scope.startServer({ config: CONFIG });
  const token = await signToken({ sub: "x".repeat(900) });
  const path = `live/a?token=${token}`;
  await scope.start("ffmpeg", ...publishArguments(await mediaFile("av.flv"), server.url(path))).finish();
  const { rule } = await server.line(({ message }) => message === "Access refused");
  match(String(rule), /probably cut by the client: it sent \d+ characters/);
});
