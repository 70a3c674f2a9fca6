import { ok } from "node:assert/strict";
import { encodeAmf0 } from "../../lib/wire/amf0.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { connectLocally } from "../fakes/local_client.ts";
import { IS_SLOW, report } from "./crowd.ts";
import { programTest } from "./program_test_case.ts";

const FROZEN_PLAYERS = 60;
const MESSAGE_BYTES = 60_000;
const SENT_BYTES = IS_SLOW ? 2_000_000_000 : 300_000_000;
/** How often the memory is looked at, in bytes sent. */
const LOOK_EVERY_BYTES = 20_000_000;
const LONG_MESSAGE_BYTES = 600_000;
/** Garbage is collected later on a machine that is busy with other tests. What is not bounded holds far more than this. */
const MEMORY_LIMIT_BYTES = (IS_SLOW ? 220 : 250) * 1024 * 1024;

const VIDEO_HEADER = Uint8Array.of(0x17, 0, 0, 0, 0, 1, 0x64, 0, 0x1e, 0xff, 0xe1, 0, 1, 0x67, 1, 0, 1, 0x68);

function frame(first: number, bytes = MESSAGE_BYTES): Uint8Array {
  const payload = new Uint8Array(bytes);
  payload.set([first, 1]);
  return payload;
}

/** What a publisher can send that no player's lag can be told by. */
const FLOODS = {
  "data messages": {
    typeId: MESSAGE_TYPE.data,
    payload: encodeAmf0(["onTextData", "x".repeat(MESSAGE_BYTES)]),
  },
  "frames of one time": { typeId: MESSAGE_TYPE.video, payload: frame(0x27) },
  "long frames of one time": { typeId: MESSAGE_TYPE.video, payload: frame(0x27, LONG_MESSAGE_BYTES) },
  "headers": { typeId: MESSAGE_TYPE.video, payload: frame(0x17).with(1, 0) },
};

for (const [what, { typeId, payload }] of Object.entries(FLOODS)) {
  programTest(
    [],
    `a flood of ${what} with ${FROZEN_PLAYERS} players who read nothing stays within memory`,
    async (scope) => {
      const server = await scope.startServer({ config: "limits.send_timeout_ms = 600_000" });
      const port = server.port("rtmp");
      const publisher = await connectLocally(port, "live");
      scope.onClose(() => publisher.close());
      await publisher.publish("a");
      await publisher.send(MESSAGE_TYPE.video, 0, VIDEO_HEADER);
      await publisher.send(MESSAGE_TYPE.video, 40, frame(0x17));
      for (let i = 0; i < FROZEN_PLAYERS; i++) {
        const player = await connectLocally(port, "live");
        scope.onClose(() => player.close());
        await player.play("a");
        player.stopReading();
      }
      let most = 0;
      for (let sent = 0; sent < SENT_BYTES; sent += payload.length) {
        await publisher.send(typeId, 40, payload);
        if (sent % LOOK_EVERY_BYTES < payload.length) most = Math.max(most, await server.residentBytes());
      }
      most = Math.max(most, await server.residentBytes());
      report(`${SENT_BYTES} bytes of ${what}: ${most} bytes resident at most`);
      ok(!publisher.isEnded, "the publisher was thrown off");
      ok(most < MEMORY_LIMIT_BYTES, `the server held ${most} bytes, limit is ${MEMORY_LIMIT_BYTES}`);
    },
  );
}
