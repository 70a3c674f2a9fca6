import assert from "node:assert/strict";
import fc from "fast-check";
import { mergeStreams, pageOf } from "../../lib/cluster/cluster_streams.ts";
import { readNodeStreams, readSrsStreams } from "../../lib/cluster/node_streams.ts";
import { CLUSTER_CLIENT, NODE_CLIENTS, selectClients } from "../../lib/http/api/cluster_clients.ts";
import { STREAM_HISTORY } from "../../lib/http/api/history_routes.ts";
import { BadQuery, readListQuery } from "../../lib/http/api/listing.ts";
import { LOGIN } from "../../lib/http/api/session_routes.ts";
import { readSrsClients } from "../../lib/http/api/srs_clients.ts";
import { CLUSTER_STREAMS } from "../../lib/http/openapi/cluster_schemas.ts";
import { SEED, SEED_TEXT } from "./random.ts";

const RUNS = { numRuns: 400, seed: SEED | 0 };
const json = fc.jsonValue({ maxDepth: 4 });

/** Rows that have the right names and, now and then, the wrong values. */
function rows(fields: readonly string[]): fc.Arbitrary<Record<string, unknown>[]> {
  const value = fc.oneof(
    json,
    fc.string(),
    fc.double(),
    fc.boolean(),
    fc.record({ active: fc.boolean(), cid: fc.string(), "recv_30s": fc.double(), codec: fc.string() }),
  );
  return fc.array(fc.dictionary(fc.constantFrom(...fields), value), { maxLength: 8 });
}

const STREAM_FIELDS = [
  "vhost",
  "app",
  "stream",
  "name",
  "url",
  "live",
  "published",
  "viewers",
  "fps",
  "video",
];
const MORE_STREAM_FIELDS = [
  "audio",
  "publisher",
  "stream_id",
  "key_frame_interval_s",
  "publish",
  "kbps",
  "id",
];
const CLIENT_FIELDS = ["id", "ip", "url", "vhost", "type", "publish", "alive", "kbps", "send_bytes"];

/** An answer as JSON hands it over: what it can't say, such as NaN, is null. */
const overTheWire = (value: unknown): Record<string, unknown> => JSON.parse(JSON.stringify(value));

Deno.test(`whatever a coworker tells of its streams is listed as the API says, or refused in words (${SEED_TEXT})`, () => {
  fc.assert(
    fc.property(
      rows([...STREAM_FIELDS, ...MORE_STREAM_FIELDS]),
      json,
      fc.string(),
      (streams, other, search) => {
        for (const read of [readNodeStreams, readSrsStreams]) {
          for (const answer of [{ streams, data: { streams } }, { streams: other, data: other }]) {
            try {
              const told = read(overTheWire(answer));
              const merged = mergeStreams([{ name: "a", self: false, streams: told }, {
                name: "b",
                self: true,
                streams: told,
              }]);
              const query = {
                search,
                sort: "key_frame_interval_s",
                isDescending: true,
                start: 0,
                count: 10,
              } as const;
              const page = { total: merged.length, streams: pageOf(merged, query), nodes: [] };
              assert.deepEqual(CLUSTER_STREAMS.parse(page), page);
            } catch (error) {
              assert.ok(error instanceof Error && /^it|^its/.test(error.message), String(error));
            }
          }
        }
      },
    ),
    RUNS,
  );
});

Deno.test(`whatever a coworker tells of its clients is listed as the API says, or left out (${SEED_TEXT})`, () => {
  fc.assert(
    fc.property(rows(CLIENT_FIELDS), json, fc.string(), (clients, other, text) => {
      const query = { text, sort: "ip", isDescending: false, start: 0, count: 10 };
      for (const answer of [{ total: 1, clients }, { total: 1, clients: other }]) {
        const wire = overTheWire(answer);
        const found = [
          ...(NODE_CLIENTS.safeParse(wire).data?.clients ?? []),
          ...(readSrsClients(wire, Date.now()) ?? []),
        ];
        for (const client of selectClients(found, query, {})) {
          CLUSTER_CLIENT.parse({ ...client, node: "a", "node_id": "b" });
        }
      }
      STREAM_HISTORY.safeParse(overTheWire({ node: other, url: text, kbps: other }));
      LOGIN.safeParse(overTheWire({ value: other })["value"]);
    }),
    RUNS,
  );
});

Deno.test(`whatever a list is asked for is a page of it, or refused in words (${SEED_TEXT})`, () => {
  const word = fc.oneof(
    fc.string(),
    fc.integer().map(String),
    fc.constantFrom("-jumps", "ip", "", "-", "0", "1e9"),
  );
  const names = fc.constantFrom("search", "sort", "start", "count", "other");
  fc.assert(
    fc.property(fc.dictionary(names, word), (query) => {
      try {
        const { start, count, sort } = readListQuery(query, ["ip", "jumps"]);
        assert.ok(start >= 0 && start <= 9500 && count >= 1 && count <= 500);
        assert.ok(["", "ip", "jumps"].includes(sort));
      } catch (error) {
        assert.ok(error instanceof BadQuery && error.message.length < 200, String(error));
      }
    }),
    RUNS,
  );
});
