import assert from "node:assert/strict";
import { prometheusText } from "../../lib/http/metrics/prometheus_text.ts";

Deno.test("prometheusText() writes a line for each value, under its help and kind", () => {
  const text = prometheusText([
    { name: "a", kind: "gauge", help: "One.", samples: 1.5 },
    { name: "none", kind: "gauge", help: "Nothing.", samples: [] },
    {
      name: "b_total",
      kind: "counter",
      help: "Two.",
      samples: [{ labels: { x: "1", y: "2" }, value: 3 }, { labels: { x: "2", y: "2" }, value: 1e21 }],
    },
  ]);
  assert.equal(
    text,
    "# HELP a One.\n# TYPE a gauge\na 1.5\n" +
      '# HELP b_total Two.\n# TYPE b_total counter\nb_total{x="1",y="2"} 3\nb_total{x="2",y="2"} 1e+21\n',
  );
});

Deno.test("prometheusText() escapes what would end a value or a line", () => {
  const samples = [{ labels: { x: 'a\\b"c\nd' }, value: NaN }, { labels: { x: "" }, value: -Infinity }];
  assert.equal(
    prometheusText([{ name: "a", kind: "gauge", help: "One\\\nline", samples }]),
    '# HELP a One\\\\\\nline\n# TYPE a gauge\na{x="a\\\\b\\"c\\nd"} NaN\na{x=""} -Inf\n',
  );
});
