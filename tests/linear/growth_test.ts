import { ok } from "node:assert/strict";
import { measureGrowth } from "./growth.ts";

Deno.test("the measurement of growth tells quadratic work from linear", async () => {
  const linear = await measureGrowth(5000, (size) => () => work(size));
  ok(linear.isLinear, linear.figures);
  // A machine that stalls while the smaller input is measured makes anything look linear, once.
  const figures: string[] = [];
  for (let attempt = 0; attempt < 5; attempt++) {
    const quadratic = await measureGrowth(200, (size) => () => work(size * size));
    if (!quadratic.isLinear) return;
    figures.push(quadratic.figures);
  }
  ok(false, figures.join("; "));
});

let sum = 0;
function work(steps: number): void {
  for (let i = 0; i < steps; i++) sum = (sum * 31 + i) | 0;
}
