import { equal, ok } from "node:assert/strict";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { report } from "./crowd.ts";
import { startEncoder, watchFlv, watchRtmp } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import type { ServerProcess } from "./server_process.ts";
import { TestScope } from "./test_scope.ts";

const DESCRIPTORS = 256;
/** 400 connections of either protocol come in so many rounds. */
const ROUNDS = 10;
const CLIENTS_OF_A_KIND_AND_ROUND = 10;
/** How long what the server has closed may stay in its books, in milliseconds. */
const CLEAN_UP_MS = 30_000;

const utf8 = (text: string) => new TextEncoder().encode(text);

function command(messageStreamId: number, ...values: Parameters<typeof encodeCommand>): Uint8Array {
  const message = { typeId: 20, timestamp: 0, messageStreamId, chunkStreamId: 3 };
  return encodeChunks(message, encodeCommand(...values), 128);
}

const HANDSHAKE = joinBytes(Uint8Array.of(3), new Uint8Array(HANDSHAKE_BYTES - 1));
const CONNECT = command(0, "connect", 1, Amf0Object.from({ app: "live", tcUrl: "rtmp://h/live" }));
const FLV = "GET /live/a.flv HTTP/1.1\r\nHost: h\r\n";
const UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

/** What clients send before they say no more and read nothing. */
const CROWD: readonly { readonly protocol: "rtmp" | "httpServer"; readonly bytes: Uint8Array }[] = [
  { protocol: "rtmp", bytes: new Uint8Array(0) },
  { protocol: "rtmp", bytes: HANDSHAKE.subarray(0, 1000) },
  { protocol: "rtmp", bytes: joinBytes(HANDSHAKE, CONNECT) },
  {
    protocol: "rtmp",
    bytes: joinBytes(
      HANDSHAKE,
      CONNECT,
      command(0, "createStream", 2, null),
      command(1, "play", 3, null, "a"),
    ),
  },
  { protocol: "httpServer", bytes: utf8(`${FLV}\r\n`) },
  { protocol: "httpServer", bytes: utf8(`${FLV}${UPGRADE}\r\n`) },
  { protocol: "httpServer", bytes: new Uint8Array(0) },
  { protocol: "httpServer", bytes: utf8(`${FLV}X-A: `) },
];

for (
  const [what, config] of [
    ["with more connections allowed than there are descriptors", "max_connections = 5000"],
    ["with the default configuration", ""],
  ] as const
) {
  programTest(
    [],
    `a crowd that takes all ${DESCRIPTORS} descriptors costs a publisher and its players nothing, ${what}`,
    async (scope) => {
      const server = await scope.startServer({ config, descriptors: DESCRIPTORS });
      await startEncoder(scope, server.port("rtmp"), "a");
      const players = [
        await watchRtmp(scope, server.port("rtmp"), "a"),
        await watchFlv(scope, server.port("httpServer"), "live/a.flv"),
      ];
      const playOn = () => Promise.all(players.map((player) => player.more(20)));
      await playOn();
      const before = await server.openDescriptors();
      const crowd = new TestScope();
      let most = 0;
      try {
        for (let round = 0; round < ROUNDS; round++) {
          for (const { protocol, bytes } of CROWD) await join(crowd, server.port(protocol), bytes);
          await playOn();
          most = Math.max(most, await server.openDescriptors());
          equal((await healthz(server)).status, 200, "an operator gets in");
        }
        // At the operator's own door nobody is told from another.
        for (let round = 0; round < ROUNDS; round++) {
          await join(crowd, server.port("httpApi"), new Uint8Array(0));
        }
        await playOn();
        most = Math.max(most, await server.openDescriptors());
      } finally {
        await crowd.close();
      }
      report(`${before} descriptors before, ${most} at most`);
      ok(most > before + 50, `${most} descriptors: the crowd was not let in`);
      await leaves(server, before);
      await playOn();
      for (const { isEnded, wentBack } of players) equal(isEnded || wentBack.length > 0, false);
      // And others are let in again.
      await (await watchRtmp(scope, server.port("rtmp"), "a")).more(5);
      await (await watchFlv(scope, server.port("httpServer"), "live/a.flv")).more(5);
      equal(server.lines.filter(({ level }) => level === "error").length, 0);
    },
  );
}

/** Opens connections that send this and then nothing; some may be refused. */
async function join(scope: TestScope, port: number, bytes: Uint8Array): Promise<void> {
  for (let i = 0; i < CLIENTS_OF_A_KIND_AND_ROUND; i++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    scope.onClose(() => connection.close());
    try {
      if (bytes.length > 0) await connection.write(bytes);
    } catch {
      // Turned away already.
    }
  }
}

async function healthz(server: ServerProcess): Promise<Response> {
  const response = await fetch(`http://127.0.0.1:${server.port("httpApi")}/healthz`, {
    headers: { Connection: "close" },
  });
  await response.text();
  return response;
}

/** Waits until the server has no more open than before. */
async function leaves(server: ServerProcess, before: number): Promise<void> {
  const end = performance.now() + CLEAN_UP_MS;
  for (;;) {
    const open = await server.openDescriptors();
    if (open <= before) return;
    ok(performance.now() < end, `${open} descriptors are open, ${before} were before the crowd`);
  }
}
