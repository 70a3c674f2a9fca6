import assert from "node:assert/strict";
import { replaceBetween } from "../../bench/markdown.ts";
import { TABLE } from "../../bench/table_rows.ts";

Deno.test("a table is put between its markers, and what stands around them stays", () => {
  const text = "# Page\n\n<!-- a -->\n\nold\n\n<!-- b -->\n\nMore <!-- b --> text.\n";
  const expected = "# Page\n\n<!-- a -->\n\nnew\n\n<!-- b -->\n\nMore <!-- b --> text.\n";
  assert.equal(replaceBetween(text, ["<!-- a -->", "<!-- b -->"], ["new"]), expected);
  assert.equal(replaceBetween(expected, ["<!-- a -->", "<!-- b -->"], ["new"]), expected);
});

Deno.test("a document without both markers in order gets no table", () => {
  for (const text of ["", "<!-- a -->", "<!-- b -->", "<!-- b --> <!-- a -->"]) {
    assert.throws(
      () => replaceBetween(text, ["<!-- a -->", "<!-- b -->"], ["new"]),
      /Cannot write the table/,
    );
  }
});

Deno.test("every row of the table is set beside one that is measured before it", () => {
  const before = new Set<string>();
  for (const { name, nginx, besides } of TABLE) {
    assert.ok(!before.has(name), name);
    before.add(name);
    for (const other of [nginx, besides]) assert.ok(other === undefined || before.has(other), name);
  }
});
