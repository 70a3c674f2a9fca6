import { equal, match } from "node:assert/strict";
import { describeStreams } from "./frames.ts";
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
