import assert from "node:assert/strict";
import { fullMetrics } from "../fakes/full_metrics.ts";

const page = Deno.readTextFileSync(new URL("../../docs/monitoring.md", import.meta.url));
/** What docs say of a metric stands in a table, its name in the first cell. */
const documented = new Set(
  page.split("\n").flatMap((line) =>
    [...(/^\| (`[^|]*)\|/.exec(line)?.[1] ?? "").matchAll(/`((?:srs|headwater|process)_\w+)/g)].map((
      [, name],
    ) => name as string)
  ),
);

Deno.test("docs/monitoring.md has every metric that there is, and no other", async () => {
  const names = [...(await fullMetrics()).matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name as string);
  assert.deepEqual([...documented].toSorted(), names.toSorted());
});

Deno.test("docs/monitoring.md names the labels of each metric that has any", async () => {
  const found = new Map<string, Set<string>>();
  for (const [, name = "", labels = ""] of (await fullMetrics()).matchAll(/^(headwater_\w+)\{([^}]*)\}/gm)) {
    if (name.startsWith("headwater_stream_")) continue;
    const base = name.replace(/_(bucket|sum|count)$/, "");
    const known = found.get(base) ?? new Set();
    for (const [, label = ""] of labels.matchAll(/(\w+)="/g)) if (label !== "le") known.add(label);
    found.set(base, known);
  }
  for (const [name, labels] of found) {
    if (labels.size > 0) assert.ok(page.includes(`\`${name}{${[...labels].join(",")}}\``), name);
  }
});
