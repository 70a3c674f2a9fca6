import assert from "node:assert/strict";
import { replaceBetween, TABLE_MARKERS } from "../../bench/markdown.ts";
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

Deno.test("the table in docs/performance.md has the rows of the command, in its order", () => {
  const text = Deno.readTextFileSync(new URL("../../docs/performance.md", import.meta.url));
  const [begin, end] = TABLE_MARKERS.map((marker) => text.indexOf(marker));
  const lines = text.slice(begin, end).split("\n").filter((line) => line.startsWith("|")).slice(2);
  assert.deepEqual(lines.map((line) => line.split("|")[1]?.trim()), TABLE.map(({ name }) => name));
});
