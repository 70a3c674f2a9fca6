import { equal } from "node:assert/strict";
import { ATTACKS } from "../../bench/attackers.ts";
import { Crowd } from "./crowd.ts";
import { startEncoder, watchMany, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { RunningProgram } from "./running_program.ts";

/** A process of its own, so that it takes no time from the players. */
const ATTACKERS = new URL("../../bench/attackers.ts", import.meta.url).pathname;
const PLAYERS = 100;
const ATTACK_SECONDS = 0.7;
/** What each player has to see once the attack is over. */
const MESSAGES_AFTER = 10;

programTest(
  [],
  `one client that does its worst drops none of ${PLAYERS} players and no encoder`,
  async (scope) => {
    const server = await scope.startServer();
    const ports = { rtmp: server.port("rtmp"), http: server.port("httpServer"), api: server.port("httpApi") };
    const encoder = await startEncoder(scope, ports.rtmp, "a");
    const crowd = new Crowd(await watchMany(PLAYERS, () => watchRtmp(scope, ports.rtmp, "a")));
    await crowd.more(MESSAGES_AFTER);
    for (const { name } of ATTACKS) {
      const task = JSON.stringify({ name, ports, seconds: ATTACK_SECONDS });
      const attacker = RunningProgram.start(Deno.execPath(), ["run", "--allow-net", ATTACKERS, task]);
      scope.onClose(async () => {
        await attacker.kill();
      });
      await attacker.succeed();
      await crowd.more(MESSAGES_AFTER);
      crowd.assertUntroubled();
      equal(encoder.client.isEnded, false, `the encoder was thrown off by ${name}`);
      crowd.reportPause(name);
    }
    equal(server.lines.filter(({ level }) => level === "error").length, 0);
  },
);
