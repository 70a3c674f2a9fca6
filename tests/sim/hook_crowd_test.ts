import assert from "node:assert/strict";
import type { AccessRequest } from "../../lib/access/access_request.ts";
import { HookClient } from "../../lib/access/hook_client.ts";
import { HookEvents, HOOKS, Hooks, type HookSettings } from "../../lib/access/hooks.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { LogRecords } from "../fakes/log_records.ts";

const URL_LIST = ["http://hooks.example/"];
const SETTINGS: HookSettings = {
  urls: {
    on_connect: URL_LIST,
    on_close: [],
    on_publish: [],
    on_unpublish: [],
    on_play: URL_LIST,
    on_stop: URL_LIST,
    on_dvr: [],
  },
  timeoutMs: 5000,
  onFailure: "refuse",
  tls: { isUnverified: false },
};

function player(id: number): AccessRequest {
  return {
    action: "play",
    protocol: "rtmp",
    clientId: `player-${id}`,
    ip: "192.0.2.1",
    vhost: "v",
    app: "live",
    stream: "a",
    streamKey: "v/live/a",
    parameters: "",
    tcUrl: "",
    pageUrl: "",
    vouched: [],
    signal: new AbortController().signal,
  };
}

/** A hook server that takes some time for each answer; undefined: for ever. */
function bench(answerMs: number | undefined) {
  const clock = new FakeClock();
  const most = { atOnce: 0 };
  let atOnce = 0;
  const client = new HookClient({
    clock,
    userAgent: "test",
    post: async (_url, _body, { signal }) => {
      most.atOnce = Math.max(most.atOnce, ++atOnce);
      try {
        return await new Promise((resolve, reject) => {
          signal.addEventListener("abort", () => reject(signal.reason));
          if (answerMs !== undefined) clock.setTimer(() => resolve({ status: 200, body: "0" }), answerMs);
        });
      } finally {
        atOnce--;
      }
    },
  });
  const events = new HookEvents(client, { serverId: "", serviceId: "", streamId: () => "" }, clock);
  return { clock, most, events, hooks: new Hooks(SETTINGS, events) };
}

Deno.test("1000 RTMP players who come at once are all in after a second, by a hook server that takes 50 ms", async () => {
  const { clock, most, hooks } = bench(50);
  let isIn = 0;
  const all = Promise.all(Array.from({ length: 1000 }, async (_, id) => {
    await hooks.check(player(id));
    isIn++;
  }));
  const begunMs = clock.now();
  while (isIn < 1000 && clock.now() - begunMs < 2000) {
    await settle();
    await clock.advance(10);
  }
  await all;
  assert.ok(clock.now() - begunMs <= 1200, `${clock.now() - begunMs} ms`);
  assert.equal(most.atOnce, 100);
});

Deno.test("a hook server that hangs costs each player its time, also of those who wait for a turn", async () => {
  using _log = new LogRecords();
  const { clock, most, hooks } = bench(undefined);
  const reasons: string[] = [];
  const all = Promise.all(Array.from({ length: 300 }, async (_, id) => {
    await hooks.check(player(id)).catch((error: Error) => reasons.push(error.message));
  }));
  await settle();
  await clock.advance(4999);
  assert.equal(reasons.length, 0);
  await clock.advance(1);
  await all;
  assert.deepEqual(new Set(reasons), new Set(["on_connect http://hooks.example/: no answer within 5000 ms"]));
  assert.equal(reasons.length, 300);
  assert.equal(most.atOnce, 100);
});

Deno.test("what happens at once to a hook server that hangs is bounded, and a server that stops waits no longer than it should", async () => {
  using log = new LogRecords();
  const { clock, hooks, events } = bench(undefined);
  const waiting = Array.from(
    { length: 10_200 },
    (_, id) => hooks.check(player(id)).catch((error: Error) => error.message),
  );
  await settle();
  const over = await Promise.race([waiting.at(-1), settle().then(() => "still waiting")]);
  assert.equal(over, "on_connect http://hooks.example/: 10000 other requests are waiting for it");
  let isFinished = false;
  events.order.add(["x"], () => new Promise(() => {}));
  const finished = events.finish(2000).then(() => isFinished = true);
  await settle();
  assert.equal(isFinished, false);
  await clock.advance(2000);
  await finished;
  assert.ok(log.lines.includes("warning Hook failed; the client is refused"));
});

Deno.test("news waits for its turn however long others take, and questions do not wait for it", async () => {
  const { clock, hooks, events, most } = bench(undefined);
  let told = 0;
  for (let i = 0; i < 200; i++) {
    events.order.add([`client ${i}`], async () => {
      await events.call("on_stop", "http://hooks.example/", {}, SETTINGS, "news");
      told++;
    });
  }
  await settle();
  assert.equal(most.atOnce, 50);
  // The hook server hangs: each has its own time, 50 at once.
  for (let round = 1; round <= 4; round++) {
    await clock.advance(5000);
    assert.equal(told, 50 * round);
  }
  const asked = hooks.check(player(1)).catch((error: Error) => error.message);
  await clock.advance(5000);
  assert.match(String(await asked), /no answer within 5000 ms/);
});

Deno.test("the end of a publish that can't be told does not keep the next publisher out for longer than its time", async () => {
  using _log = new LogRecords();
  const { clock, hooks, events } = bench(50);
  events.order.add(["publish v/live/a"], () => new Promise(() => {}));
  let isIn = false;
  const publish = hooks.check({ ...player(1), action: "publish" }).then(() => isIn = true);
  await clock.advance(4999);
  assert.equal(isIn, false);
  await clock.advance(101);
  await publish;
});

Deno.test("a client that is kicked while a hook is asked: its connection ends last", async () => {
  const told: string[] = [];
  const clock = new FakeClock();
  const client = new HookClient({
    clock,
    userAgent: "test",
    post: (_url, body) =>
      new Promise((resolve) =>
        clock.setTimer(() => {
          told.push(JSON.parse(body).action);
          resolve({ status: 200, body: "0" });
        }, 50)
      ),
  });
  const events = new HookEvents(client, { serverId: "", serviceId: "", streamId: () => "" }, clock);
  const urls = Object.fromEntries(HOOKS.map((hook) => [hook, URL_LIST])) as unknown as HookSettings["urls"];
  const checking = new Hooks({ ...SETTINGS, urls }, events).check(player(1));
  await clock.advance(60);
  events.closed("player-1", { sendBytes: 1, receiveBytes: 2 });
  await clock.advance(60);
  const leave = await checking;
  await clock.advance(1000);
  leave();
  await clock.advance(1000);
  assert.deepEqual(told, ["on_connect", "on_play", "on_stop", "on_close"]);
});
