import assert from "node:assert/strict";
import { apiApp } from "../fakes/fake_api.ts";
import { FakeServerView } from "../fakes/fake_server_view.ts";

const DOCS = new URL("../../docs/http-api.md", import.meta.url);
const BASE = "http://127.0.0.1:1985";
/** Ids of the fake server, for those of the server that the page was written with. */
const FAKE_IDS: Readonly<Record<string, string>> = {
  streams: "vid-stream1",
  clients: "player02",
  vhosts: "vid-vhost01",
};

interface Example {
  readonly method: string;
  readonly path: string;
  /** Fields that jq picks; all when absent. */
  readonly picked?: readonly string[];
  readonly answer: unknown;
}

/** Each curl line of the page that is followed by JSON; those of the cluster are tested where its routes are. */
function examples(text: string): Example[] {
  const blocks = text.matchAll(/```sh\n(curl [^\n]*)\n```\n+```json\n([^`]*)```/g);
  return Array.from(blocks, ([, command = "", answer = ""]) => {
    const picked = /jq '[^{]*\{([^}]*)\}'/.exec(command)?.[1]?.split(", ");
    return {
      method: /-X (\w+)/.exec(command)?.[1] ?? "GET",
      path: (new RegExp(`${BASE}([^\\s']*)`).exec(command)?.[1] ?? "")
        .replace(/\/(streams|clients|vhosts)\/(?!none)[^/?]+/, (_, kind) => `/${kind}/${FAKE_IDS[kind]}`),
      ...(picked === undefined ? {} : { picked }),
      answer: JSON.parse(answer),
    };
  }).filter(({ path }) => !path.includes("/clusters"));
}

/** The names of all fields, in order; of a list, those of its first entry. */
function shape(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shape);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.entries(value).map(([name, field]) => name === "headers" ? name : [name, shape(field)]);
}

const page = await Deno.readTextFile(DOCS);

for (const { method, path, picked, answer } of examples(page)) {
  Deno.test(`docs/http-api.md shows ${method} ${path} ${picked?.join(" ") ?? ""} as it is answered`, async () => {
    const view = new FakeServerView();
    if (method === "POST") {
      view.drainAnswer = { ...view.drainAnswer, state: "announced", startedAtMs: 1, graceEndsAtMs: 2 };
    }
    const app = apiApp({ view });
    const env = { peer: { hostname: "127.0.0.1", port: 40_000 } };
    const body = await (await app.request(path, { method }, env)).json();
    if (picked === undefined) {
      assert.deepEqual(shape(answer), shape(body));
      if (body.code !== 0) assert.deepEqual(answer, body);
      if (path.endsWith("/features")) assert.deepEqual((answer as typeof body).data, body.data);
    } else {
      assert.deepEqual(Object.keys(answer as object), picked);
      const part = body.data.self !== undefined && "mem_kbyte" in (answer as object)
        ? body.data.self
        : body.data.system ?? body.data;
      for (const name of picked) {
        assert.equal(typeof part[name], typeof (answer as Record<string, unknown>)[name], name);
      }
    }
  });
}

Deno.test("docs/http-api.md names every path", async () => {
  const app = apiApp();
  assert.ok(examples(page).length >= 20, "examples are found");
  const { urls } = await (await app.request("/api/v1")).json();
  for (const name of Object.keys(urls)) assert.ok(page.includes(`/api/v1/${name}`), name);
});
