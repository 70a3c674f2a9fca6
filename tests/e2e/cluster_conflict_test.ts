import { equal, match, ok, rejects } from "node:assert/strict";
import { connectLocally } from "../fakes/local_client.ts";
import { type LocalNode, startLocalCluster } from "./cluster_nodes.ts";
import { IS_SLOW, pass, report } from "./crowd.ts";
import { startEncoder, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { TestScope } from "./test_scope.ts";

const ROUNDS = IS_SLOW ? 100 : 10;
const POLL_INTERVAL_MS = 100;
/** Two turns of the loop, each with the jitter that it has. */
const TWO_TURNS_MS = 2 * 1.1 * POLL_INTERVAL_MS;

for (const policy of ["reject", "takeover"] as const) {
  programTest(
    [],
    `two encoders publish one stream at two nodes at once, on_conflict = "${policy}": one stays`,
    async (scope) => {
      const [a, b] = await startLocalCluster(scope, {
        poll_interval_ms: POLL_INTERVAL_MS,
        on_conflict: policy,
      });
      const outcomes = new Map<string, number>();
      for (let round = 0; round < ROUNDS; round++) {
        const outcome = await race(a, b, `round-${round}`);
        outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      }
      report(`${policy}: ${[...outcomes].map(([name, count]) => `${count} ${name}`).join(", ")}`);
    },
  );

  programTest([], `a second encoder at the same node, on_conflict = "${policy}"`, async (scope) => {
    const [a] = await startLocalCluster(scope, { on_conflict: policy });
    const first = await startEncoder(scope, a.rtmp.port, "a");
    const watch = await watchRtmp(scope, a.rtmp.port, "a");
    await watch.more(5);
    if (policy === "reject") {
      await rejects(startEncoder(scope, a.rtmp.port, "a"), /BadName/);
    } else {
      await startEncoder(scope, a.rtmp.port, "a");
      await first.client.until(() => first.client.isEnded, "the end of the first");
      match(first.lastStatus?.description ?? "", /is publishing it now/);
    }
    await watch.more(20);
    equal(watch.isEnded, false);
    equal(watch.wentBack.length, 0);
    equal(ownersOf([a], "a"), 1);
  });

  programTest([], `a second encoder later at another node, on_conflict = "${policy}"`, async (scope) => {
    const [a, b, c] = await startLocalCluster(scope, {
      poll_interval_ms: POLL_INTERVAL_MS,
      on_conflict: policy,
    });
    const first = await startEncoder(scope, a.rtmp.port, "a");
    const watch = await watchRtmp(scope, c.rtmp.port, "a");
    await watch.more(5);
    if (policy === "reject") {
      await rejects(startEncoder(scope, b.rtmp.port, "a"), /BadName.*it is published at/);
    } else {
      await startEncoder(scope, b.rtmp.port, "a");
      await first.client.until(() => first.client.isEnded, "the end of the first");
      match(first.lastStatus?.description ?? "", /it is now published at /);
    }
    await watch.more(20);
    equal(watch.isEnded, false);
    equal(ownersOf([a, b, c], "a"), 1);
  });
}

/** Publishes one stream at both nodes at once; says how it was settled. */
async function race(a: LocalNode, b: LocalNode, stream: string): Promise<string> {
  const scope = new TestScope();
  try {
    const encoders = await Promise.all([a, b].map(async (node) => {
      const client = await connectLocally(node.rtmp.port, "live");
      scope.onClose(() => client.close());
      return client;
    }));
    const results = await Promise.allSettled(encoders.map((encoder) => encoder.publish(stream)));
    const accepted = results.filter(({ status }) => status === "fulfilled").length;
    await pass(TWO_TURNS_MS);
    equal(ownersOf([a, b], stream), 1, `${stream}: owners after two turns of the loop`);
    const winner = encoders.findIndex((_, index) => owns([a, b][index], stream));
    const loser = encoders[1 - winner];
    ok(loser !== undefined);
    await loser.until(() => loser.isEnded, `${stream}: the end of the loser`);
    equal(encoders[winner]?.isEnded, false, `${stream}: the winner was ended too`);
    const reason = loser.statuses.at(-1);
    equal(reason?.code, "NetStream.Publish.BadName");
    match(reason?.description ?? "", /it is (now )?published at|published it first/);
    return accepted === 2 ? "settled by the loop" : "refused at once";
  } finally {
    await scope.close();
  }
}

function owns(node: LocalNode | undefined, stream: string): boolean {
  return node?.node.cluster.owned.get(`/live/${stream}`) !== undefined;
}

function ownersOf(nodes: readonly LocalNode[], stream: string): number {
  return nodes.filter((node) => owns(node, stream)).length;
}
