import { deepEqual, equal, ok } from "node:assert/strict";
import { programTest } from "./program_test_case.ts";
import { startClusterProcesses } from "./cluster_nodes.ts";
import { describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";

programTest(
  ["ffmpeg", "ffprobe"],
  "ffmpeg publishes to one of three nodes, ffprobe plays from each, and none has what nobody publishes",
  async (scope) => {
    const servers = await startClusterProcesses(scope);
    const [a] = servers;
    const source = await mediaFile("av.flv");
    scope.start("ffmpeg", "-v", "error", "-re", "-i", source, "-c", "copy", "-f", "flv", a.url("live/a"));
    await a.line(({ message }) => message === "Publish started");
    const expected = await describeStreams(scope, source);
    for (const server of servers) deepEqual(await describeStreams(scope, server.url("live/a")), expected);
    for (const server of servers) {
      const { code, stderr } = await scope.start("ffprobe", "-v", "error", server.url("live/nobody"))
        .finish();
      equal(code, 1);
      ok(stderr.includes("no node in the cluster has it"), stderr);
    }
  },
);
