import assert from "node:assert/strict";
import { WEB_PAGES, webModule, webModuleUrl } from "../web_bundles.ts";

for (const page of WEB_PAGES) {
  Deno.test(`the embedded script and style of the ${page.name} page are what lib/web makes`, async () => {
    const committed = await Deno.readTextFile(webModuleUrl(page));
    assert.equal(committed, await webModule(page), "run: deno task web");
  });
}
