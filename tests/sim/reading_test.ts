import assert from "node:assert/strict";
import { settle } from "../fakes/fake_clock.ts";
import { FlvNode } from "../fakes/flv_peer.ts";

const BYTES_PER_SECOND = 37_500;

/** Begins to pause as a publisher that sends 300 kbps; the pause over or not. */
function pauseReading(node: FlvNode, key: string): { readonly isOver: boolean } {
  const state = { isOver: false };
  const pause = node.runtime.streams.pauseReading(node.runtime.hub.get(key), "auto", BYTES_PER_SECOND);
  if (pause === undefined) state.isOver = true;
  else pause.then(() => state.isOver = true);
  return state;
}

Deno.test("a publisher whom nobody plays is read at once when its stream ends", async () => {
  const node = new FlvNode();
  const feed = node.publish("/live/a");
  const pause = pauseReading(node, "/live/a");
  feed.close();
  await settle();
  assert.equal(pause.isOver, true);
  await node.clock.advance(1000);
});

for (const output of ["rtmp", "flv", "flv-web-socket"] as const) {
  Deno.test(`a publisher whom nobody plays is read at once when somebody plays it by ${output}`, async () => {
    const node = new FlvNode();
    const { stream } = node.publish("/live/a");
    const other = pauseReading(node, node.publish("/live/b").stream.key);
    const pause = pauseReading(node, stream.key);
    await node.clock.advance(100);
    assert.equal(pause.isOver, false);
    const player = stream.subscribe(output, { fromGop: true });
    await settle();
    assert.equal(pause.isOver, true);
    assert.equal(other.isOver, false);
    assert.equal(pauseReading(node, stream.key).isOver, true, "and then as often as its player needs");
    stream.unsubscribe(player);
    await node.clock.advance(1000);
    assert.equal(other.isOver, true);
    assert.equal(stream.wakeListeners.size, 0);
    assert.equal(node.clock.pending, 0);
  });
}
