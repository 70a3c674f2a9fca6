import { join } from "node:path";
import type { Checklist } from "./checklist.ts";
import { LiveMedia } from "./live_media.ts";
import { portOf } from "./server_checks.ts";
import { StartedProgram } from "./started_program.ts";
import type { Subject } from "./subject.ts";

/** Several servers: an origin that owns a stream, another that knows it, and an edge of both. */
export async function checkNodes(list: Checklist, { command }: Subject, folder: string): Promise<void> {
  const started: StartedProgram[] = [];
  const start = async (name: string, cluster: string): Promise<StartedProgram> => {
    const listens =
      'listen = "127.0.0.1:0"\nhttp_api.listen = "127.0.0.1:0"\nhttp_server.listen = "127.0.0.1:0"';
    await Deno.writeTextFile(
      join(folder, `${name}.toml`),
      `${listens}\n[vhost.__defaultVhost__.cluster]\n${cluster}\n`,
    );
    const server = new StartedProgram(command, ["-c", `${name}.toml`], { cwd: folder });
    started.push(server);
    await server.line(/^ {2}pages /);
    return server;
  };
  let media: LiveMedia | undefined;
  try {
    const owner = await start("owner", "origin_cluster = true");
    const api = await portOf(owner, "httpApi");
    const other = await start("other", `origin_cluster = true\ncoworkers = ["127.0.0.1:${api}"]`);
    const rtmp = [await portOf(other, "rtmp"), await portOf(owner, "rtmp")];
    const origins = JSON.stringify(rtmp.map((port) => `127.0.0.1:${port}`));
    const edge = await start("edge", `mode = "remote"\norigin = ${origins}`);
    media = LiveMedia.publish(`rtmp://127.0.0.1:${rtmp[1]}/live/stream`);
    await owner.line(/Publish started/);
    const play = (server: StartedProgram, protocol: "rtmp" | "httpServer") => async () => {
      const port = await portOf(server, protocol);
      const url = protocol === "rtmp"
        ? `rtmp://127.0.0.1:${port}/live/stream`
        : `http://127.0.0.1:${port}/live/stream.flv`;
      return await media?.play(url);
    };
    await list.check("an origin plays by RTMP what was published to its coworker", play(other, "rtmp"));
    await list.check(
      "an origin plays by HTTP-FLV what was published to its coworker",
      play(other, "httpServer"),
    );
    await list.check("an edge plays it by RTMP", play(edge, "rtmp"));
    await list.check("an edge plays it by HTTP-FLV", play(edge, "httpServer"));
  } finally {
    await media?.end();
    for (const server of started) await server.kill();
  }
}
