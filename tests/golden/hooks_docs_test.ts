import assert from "node:assert/strict";
import type { AccessRequest } from "../../lib/access/access_request.ts";
import {
  closeFields,
  connectFields,
  dvrFields,
  playFields,
  streamFields,
} from "../../lib/access/hook_fields.ts";
import { loadConfig } from "../../lib/config/config_load.ts";

const PAGE = Deno.readTextFileSync(new URL("../../docs/hooks.md", import.meta.url));
const NODE = { serverId: "s", serviceId: "s", streamId: () => "s" };
const REQUEST = {
  clientId: "c",
  ip: "i",
  vhost: "v",
  app: "a",
  stream: "s",
  streamKey: "k",
  parameters: "",
  tcUrl: "t",
  pageUrl: "p",
} as AccessRequest;

const SENT = {
  "on_connect": connectFields(NODE, REQUEST),
  "on_close": closeFields(NODE, REQUEST, { sendBytes: 1, receiveBytes: 2 }),
  "on_publish": streamFields(NODE, "on_publish", REQUEST),
  "on_unpublish": streamFields(NODE, "on_unpublish", REQUEST),
  "on_stop": streamFields(NODE, "on_stop", REQUEST),
  "on_play": playFields(NODE, REQUEST),
  "on_dvr": dvrFields(NODE, REQUEST, { cwd: "/", file: "f" }),
};

Deno.test("docs/hooks.md names the keys of every hook in the order in which they are sent", () => {
  const rows = [...PAGE.matchAll(/^\| ((?:`on_\w+`(?:, )?)+) +\| (server_id [^|]+?) +\|$/gm)];
  const documented = rows.flatMap(([, hooks = "", keys = ""]) =>
    [...hooks.matchAll(/on_\w+/g)].map(([hook]) => [hook, keys] as const)
  );
  assert.deepEqual(
    Object.fromEntries(documented),
    Object.fromEntries(Object.entries(SENT).map(([hook, fields]) => [hook, Object.keys(fields).join(" ")])),
  );
});

Deno.test("docs/hooks.md shows an on_publish as it is sent", () => {
  const example = JSON.parse(/```json\n(.*?)```/s.exec(PAGE)?.[1] ?? "");
  assert.deepEqual(Object.keys(example), Object.keys(SENT.on_publish));
});

for (const [index, [, kind = "", text = ""]] of [...PAGE.matchAll(/```(toml|nginx)\n(.*?)```/gs)].entries()) {
  Deno.test(`docs/hooks.md: the ${kind} of block ${index + 1} is accepted without a warning`, () => {
    const path = kind === "toml" ? "a.toml" : "a.conf";
    const { config, warnings } = loadConfig({ path, environment: {}, readTextFile: () => text });
    assert.deepEqual(warnings, []);
    assert.equal(config.vhost["__defaultVhost__"]?.http_hooks.enabled, true);
  });
}
