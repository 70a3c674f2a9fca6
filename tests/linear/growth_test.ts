import { ok } from "node:assert/strict";
import { measureGrowth } from "./growth.ts";

Deno.test("the measurement of growth tells quadratic work from linear", async () => {
  const linear = await measureGrowth(5000, (size) => () => work(size));
  const quadratic = await measureGrowth(200, (size) => () => work(size * size));
  ok(linear.isLinear, linear.figures);
  ok(!quadratic.isLinear, quadratic.figures);
});

let sum = 0;
function work(steps: number): void {
  for (let i = 0; i < steps; i++) sum = (sum * 31 + i) | 0;
}
