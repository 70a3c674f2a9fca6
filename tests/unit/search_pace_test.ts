import assert from "node:assert/strict";
import { SearchPace } from "../../lib/upstream/search_pace.ts";

Deno.test("SearchPace lets one lost stream be looked for often", () => {
  const pace = new SearchPace(() => 0.5);
  pace.begin();
  assert.equal(pace.pauseMs(200), 200);
});

Deno.test("SearchPace spreads a thousand searches over seconds, until they end", () => {
  const pace = new SearchPace(() => 0.5);
  const ends = Array.from({ length: 1000 }, () => pace.begin());
  assert.equal(pace.pauseMs(200), 2500);
  for (const end of ends) {
    end();
    end();
  }
  assert.equal(pace.pauseMs(200), 200);
});

Deno.test("SearchPace lets no two pulls keep step", () => {
  const at = (random: number) => new SearchPace(() => random).pauseMs(200);
  assert.deepEqual([at(0), at(1)].map(Math.round), [180, 220]);
});
