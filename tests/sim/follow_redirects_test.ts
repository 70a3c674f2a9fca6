import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { followRedirects, type UpstreamResult } from "../../lib/upstream/follow_redirects.ts";
import { type UpstreamTarget, upstreamTcUrl } from "../../lib/upstream/upstream_target.ts";

const FIRST: UpstreamTarget = {
  address: { hostname: "10.0.0.1", port: 1935 },
  tcUrl: upstreamTcUrl("cam.example.com", 1935, "live"),
  app: "live",
  streamName: "s?token=1",
};
const GONE = new RtmpError("connection-lost", "gone");
const HELD: UpstreamResult = { kind: "held", by: "10.0.0.2:1936", heldMs: 5000, error: GONE };
const FAILED: UpstreamResult = { kind: "failed", error: GONE };

/** Servers that answer with these results in turn, the last one for ever: who was asked, and what was said of whom. */
async function follow(...results: UpstreamResult[]) {
  const asked: UpstreamTarget[] = [];
  const tried: string[] = [];
  const result = await followRedirects(
    FIRST,
    (target) => {
      asked.push(target);
      return Promise.resolve(results[asked.length - 1] ?? results.at(-1) ?? FAILED);
    },
    ({ address }, error) => tried.push(`${address.hostname} ${error?.code ?? "fine"}`),
  );
  return { result, asked, tried };
}

function redirect(url: string, heldMs = 0): UpstreamResult {
  return { kind: "redirect", url, heldMs };
}

Deno.test("of a redirect host and port count; what is asked for stays", async () => {
  const { result, asked, tried } = await follow(redirect("rtmp://10.0.0.2:1936/other/x"), HELD);
  assert.equal(result, HELD);
  assert.deepEqual(asked[1], {
    address: { hostname: "10.0.0.2", port: 1936 },
    tcUrl: "rtmp://cam.example.com:1936/live",
    app: "live",
    streamName: "s?token=1",
  });
  const why = "what came of another server is that one's, and says nothing of the first";
  assert.deepEqual(tried, ["10.0.0.2 connection-lost", "10.0.0.1 fine"], why);
});

Deno.test("what came of a place that sends nobody on is its own", async () => {
  const { tried } = await follow(FAILED);
  assert.deepEqual(tried, ["10.0.0.1 connection-lost"]);
});

Deno.test("a redirect to what is no address is the failure of who named it", async () => {
  const { result, tried } = await follow(redirect("rtmp:?#10.0.0.2/live"));
  assert.equal(result.kind === "failed" && result.error.code, "bad-tc-url");
  assert.deepEqual(tried, ["10.0.0.1 bad-tc-url"]);
});

Deno.test("four redirects in a row are a loop; those of servers that held the stream are not in a row", async () => {
  const loop = await follow(redirect("rtmp://10.0.0.2/live", 999));
  assert.equal(loop.result.error?.code, "relay-loop");
  assert.equal(loop.asked.length, 4);
  const drained = await follow(...Array(9).fill(redirect("rtmp://10.0.0.2/live", 60_000)), HELD);
  assert.equal(drained.result, HELD);
  assert.equal(drained.asked.length, 10);
});
