import assert from "node:assert/strict";
import { loadConfig } from "../../lib/config/config_load.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/recording.md", import.meta.url));
const BLOCKS = [...PAGE.matchAll(/```(toml|nginx)\n(.*?)```/gs)];

Deno.test("docs/recording.md says the same in TOML and in SRS's form", () => {
  assert.deepEqual(BLOCKS.map(([, kind]) => kind), ["toml", "nginx"]);
  const [toml, srs] = BLOCKS.map(([, kind, text = ""]) => {
    const path = kind === "toml" ? "a.toml" : "a.conf";
    const { config, warnings } = loadConfig({ path, environment: {}, readTextFile: () => text });
    assert.deepEqual(warnings, []);
    return config.vhost["__defaultVhost__"]?.dvr;
  });
  assert.deepEqual(toml, srs);
  assert.equal(toml?.enabled, true);
});

/** SRS's samples of recordings, their directives in our words. */
for (
  const [name, dvr, expected] of [
    ["dvr.session.conf", "dvr_plan session;", { dvr_plan: "session", dvr_duration: 30 }],
    [
      "dvr.segment.conf",
      "dvr_plan segment; dvr_duration 30; dvr_wait_keyframe on;",
      { dvr_plan: "segment", dvr_duration: 30 },
    ],
    [
      "dvr.path.conf",
      "dvr_path ./objs/nginx/html/[app]/[stream]/[2006]/[01]/[02]/[15].[04].[05].[999].flv; dvr_plan segment; " +
      "dvr_duration 30; dvr_wait_keyframe on;",
      { dvr_path: "./objs/nginx/html/[app]/[stream]/[2006]/[01]/[02]/[15].[04].[05].[999].flv" },
    ],
    ["a plan that never cuts", "dvr_plan segment; dvr_duration -1;", { dvr_duration: 0 }],
  ] as const
) {
  Deno.test(`what ${name} asks for is read without a warning`, () => {
    const text =
      `listen 1935; max_connections 1000; daemon off; srs_log_tank console; vhost __defaultVhost__ {
      dvr { enabled on; dvr_path ./objs/nginx/html/[app]/[stream].[timestamp].flv; ${dvr} } }`
        .replace(dvr.includes("dvr_path") ? /dvr_path \S+timestamp\S+ / : "", "");
    const { config, warnings } = loadConfig({ path: "a.conf", environment: {}, readTextFile: () => text });
    assert.deepEqual(warnings, []);
    const section = config.vhost["__defaultVhost__"]?.dvr;
    assert.equal(section?.enabled, true);
    for (const [key, value] of Object.entries(expected)) {
      assert.equal(section?.[key as keyof typeof section], value, key);
    }
  });
}
