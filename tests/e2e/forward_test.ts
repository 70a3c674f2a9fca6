import { deepEqual, equal, ok } from "node:assert/strict";
import { until } from "../fakes/deadline.ts";
import { LocalNode } from "./cluster_nodes.ts";
import { watchRtmp } from "./players.ts";
import { mediaFile } from "./media_files.ts";
import { NginxRtmp } from "./nginx_rtmp.ts";
import { programTest } from "./program_test_case.ts";
import { publishArguments } from "./publish_file.ts";

programTest(
  ["ffmpeg", "nginx-rtmp"],
  "ffmpeg's stream is forwarded to nginx-rtmp and to another Headwater; nginx is killed and comes back",
  async (scope) => {
    const nginx = await NginxRtmp.start(scope);
    const second = await LocalNode.start(scope);
    const first = await LocalNode.start(scope, {}, {
      forward: {
        enabled: true,
        destination: [second.origin],
        targets: { nginx: { url: `rtmp://${nginx.origin}/live`, key: "the-secret-key?a=b/c&d=e" } },
      },
    });
    scope.start("ffmpeg", ...publishArguments(await mediaFile("av.flv"), `rtmp://${first.origin}/live/a`));
    await until(() => first.node.runtime.hub.get("/live/a")?.feed !== undefined, "ffmpeg to publish");
    const here = await watchRtmp(scope, first.rtmp.port, "a");
    const there = await watchRtmp(scope, second.rtmp.port, "a");
    const atNginx = await watchRtmp(scope, nginx.port, "the-secret-key");
    await Promise.all([here, there, atNginx].map((watch) => watch.more(60)));
    deepEqual(states(first), ["forwarding", "forwarding"]);

    await nginx.kill();
    await until(() => states(first).includes("waiting"), "the loss of nginx");
    await here.more(60);
    const again = await NginxRtmp.start(scope, "", nginx.port);
    await until(
      () => states(first).every((state) => state === "forwarding"),
      "the forward's return",
    );
    const resumed = await watchRtmp(scope, again.port, "the-secret-key");
    await resumed.more(60);
    ok(Math.abs(resumed.lastTimestamp - here.lastTimestamp) < 2000, "time goes on");
    for (const watch of [here, there]) {
      deepEqual([watch.isEnded, watch.wentBack], [false, []]);
      ok(watch.longestPauseMs < 1500, `paused for ${watch.longestPauseMs} ms`);
    }
    const text = await api(first, "/api/v1/forwards");
    ok(!text.includes("secret"), text);
    ok(text.includes(`rtmp://${nginx.origin}/live/***`), text);
    ok(!(await (await fetch(`http://${first.api}/metrics`)).text()).includes("secret"));
  },
);

function states({ node }: LocalNode): string[] {
  return Array.from(node.view.forwards(), ({ state }) => state);
}

async function api({ api }: LocalNode, path: string): Promise<string> {
  const response = await fetch(`http://${api}${path}`);
  equal(response.status, 200);
  return await response.text();
}
