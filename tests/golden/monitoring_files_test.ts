/**
 * Holds the alert rules and the dashboard in deploy/ against the metrics and the docs.
 *
 * @module
 */
import assert from "node:assert/strict";
import { fullMetrics } from "../fakes/full_metrics.ts";
import { alertRules, dashboard, dashboardQueries } from "../fakes/monitoring_files.ts";

/** Of each metric the names of its labels; a histogram's are those of its buckets. */
async function knownSeries(): Promise<Map<string, Set<string>>> {
  const series = new Map<string, Set<string>>();
  for (const [, name = "", labels = ""] of (await fullMetrics()).matchAll(/^(\w+)(?:\{(.*)\})? /gm)) {
    series.set(name, new Set(Array.from(labels.matchAll(/(\w+)="/g), ([, label]) => label as string)));
  }
  return series;
}

/** The metrics of a query with the labels that it asks for. */
function* asked(expr: string): Iterable<readonly [name: string, labels: readonly string[]]> {
  for (
    const [, name = "", selector = ""] of expr.matchAll(/\b((?:headwater|process|srs)_\w+)(?:\{([^}]*)\})?/g)
  ) {
    yield [name, Array.from(selector.matchAll(/(\w+)(?==)/g), ([, label]) => label as string)];
  }
}

const queries = [
  ...alertRules().map(({ alert, expr }) => ({ panel: alert, expr })),
  ...dashboardQueries(),
];

for (const { panel, expr } of queries) {
  Deno.test(`${panel} asks for metrics and labels that there are: ${expr.replaceAll(/\s+/g, " ")}`, async () => {
    const series = await knownSeries();
    for (const [name, labels] of asked(expr)) {
      const known = series.get(name);
      assert.ok(known !== undefined, `there is no ${name}`);
      for (const label of labels) {
        assert.ok(known.has(label) || label === "job" || label === "instance", `${name} has no ${label}`);
      }
    }
    assert.ok(!/\$/.test(expr), "a variable of Grafana is left");
  });
}

Deno.test("every legend of the dashboard names labels that its query keeps", async () => {
  const series = await knownSeries();
  for (const { title, targets = [] } of dashboard().panels) {
    for (const { expr, legendFormat } of targets) {
      const kept = new Set(
        /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(", ") ?? [
          "job",
          "instance",
          ...[...asked(expr)].flatMap(([name]) => [...series.get(name) ?? []]),
        ],
      );
      for (const [, label = ""] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) {
        assert.ok(kept.has(label), `${title}: ${label}`);
      }
    }
  }
});

Deno.test("the dashboard's panels lie beside each other, within 24 columns, each with an id of its own", () => {
  const taken = new Set<string>();
  const ids = new Set<number>();
  for (const { id, title, gridPos: { x, y, w, h } } of dashboard().panels) {
    assert.ok(!ids.has(id), title);
    ids.add(id);
    assert.ok(x >= 0 && x + w <= 24, title);
    for (let column = x; column < x + w; column++) {
      for (let line = y; line < y + h; line++) {
        assert.ok(!taken.has(`${column} ${line}`), `${title} covers another`);
        taken.add(`${column} ${line}`);
      }
    }
  }
});

Deno.test("docs/monitoring.md has every alert, and no other", () => {
  const page = Deno.readTextFileSync(new URL("../../docs/monitoring.md", import.meta.url));
  const documented = Array.from(page.matchAll(/^\| `(Headwater\w+)`/gm), ([, name]) => name);
  assert.deepEqual(documented, alertRules().map(({ alert }) => alert));
});
