import { deepEqual, equal, match, ok } from "node:assert/strict";
import { programTest } from "./program_test_case.ts";

programTest(
  ["ffmpeg", "ffprobe"],
  "README's first line for ffmpeg publishes without a file at hand",
  async (scope) => {
    const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
    const [line = ""] = readme.match(/^ffmpeg .*$/m) ?? [];
    const words = line.split(" ");
    equal(words.at(-1), "rtmp://127.0.0.1/live/stream");
    for (const [index, word] of words.entries()) {
      if (word === "-i") {
        match(
          words[index + 1] ?? "",
          /^[a-z0-9]+(?:=\S+)?$/,
          "an input of ffmpeg's own making",
        );
      }
    }
    const server = await scope.startServer();
    scope.start("ffmpeg", "-v", "error", "-nostdin", ...words.slice(1, -1), server.url("live/stream"));
    await server.line(({ message }) => message === "Publish started");
    const args = ["-v", "error", "-show_entries", "stream=codec_name", "-of", "csv=p=0"];
    const codecs = await scope.start("ffprobe", ...args, server.url("live/stream")).succeed();
    deepEqual(codecs.trim().split("\n").toSorted(), ["aac", "h264"]);
    ok(line.includes("-pix_fmt yuv420p"), "what browsers and hardware players can show");
  },
);
