import assert from "node:assert/strict";
import { readVerdict } from "../../lib/access/hook_verdict.ts";

const NOT_ZERO = "not 0 or an object with code 0";
const NO_CODE = "an object without an integer code";

/** By status and body: `accepted`, or what is logged. */
const CASES: readonly (readonly [status: number, body: string, expected: string])[] = [
  [200, "0", "accepted"],
  [201, "0", "accepted"],
  [200, '{"code":0}', "accepted"],
  [200, ' {"code": 0, "data": {"x": 0.5}}\n', "accepted"],
  [200, "", `refused: it answered nothing, ${NOT_ZERO}`],
  [200, "1", `refused: it answered '1', ${NOT_ZERO}`],
  [200, "00", `refused: it answered '00', ${NOT_ZERO}`],
  [200, "0\n", `refused: it answered '0\\n', ${NOT_ZERO}`],
  [200, " 0", `refused: it answered ' 0', ${NOT_ZERO}`],
  [200, "0.0", `refused: it answered '0.0', ${NOT_ZERO}`],
  [200, '"0"', `refused: it answered '"0"', ${NOT_ZERO}`],
  [200, "null", `refused: it answered 'null', ${NOT_ZERO}`],
  [200, "true", `refused: it answered 'true', ${NOT_ZERO}`],
  [200, "[0]", `refused: it answered '[0]', ${NOT_ZERO}`],
  [200, "<html>ok</html>", `refused: it answered '<html>ok</html>', ${NOT_ZERO}`],
  [200, "{}", `refused: it answered '{}', ${NO_CODE}`],
  [200, '{"code":"0"}', `refused: it answered '{"code":"0"}'`],
  [200, '{"code":0.0}', `refused: it answered '{"code":0.0}', ${NO_CODE}`],
  [200, '{"code":0e0}', `refused: it answered '{"code":0e0}', ${NO_CODE}`],
  [200, '{"code":null}', `refused: it answered '{"code":null}'`],
  [200, '{"code":1,"msg":"no"}', `refused: it answered '{"code":1,"msg":"no"}'`],
  [200, '{"data":{"code":0}}', `refused: it answered '{"data":{"code":0}}', ${NO_CODE}`],
  [200, '{"code":0', `refused: it answered '{"code":0', ${NOT_ZERO}`],
  [200, "[".repeat(60_000), `refused: it answered '${"[".repeat(200)}...', ${NOT_ZERO}`],
  [
    200,
    `{"code":0,"a":${"[".repeat(60_000)}`,
    `refused: it answered '{"code":0,"a":${"[".repeat(186)}...', ${NOT_ZERO}`,
  ],
  [204, "", "refused: it answered with status 204, not 200 or 201"],
  [302, "0", "refused: it answered with status 302, not 200 or 201"],
  [403, "0", "refused: it answered with status 403, not 200 or 201"],
  [500, "0", "failed: it answered with status 500"],
  [503, "0", "failed: it answered with status 503"],
];

for (const [status, body, expected] of CASES) {
  Deno.test(`hook verdict: ${status} ${JSON.stringify(body.slice(0, 40))}`, () => {
    const verdict = readVerdict(status, body);
    assert.equal(verdict.kind === "accepted" ? "accepted" : `${verdict.kind}: ${verdict.reason}`, expected);
  });
}

Deno.test("hook verdict: what else an object says is handed on", () => {
  const verdict = readVerdict(200, '{"code":0,"data":{"urls":["rtmp://a/b/c"]}}');
  assert.deepEqual(verdict, { kind: "accepted", answer: { code: 0, data: { urls: ["rtmp://a/b/c"] } } });
});
