import assert from "node:assert/strict";
import { closeLogging, configureLogging } from "../../lib/app/logging.ts";
import type { RtmpErrorCode } from "../../lib/base/errors.ts";
import { Amf0Object, type Amf0Value, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
import { encodeUint32, encodeUserControl } from "../../lib/wire/control.ts";
import { until } from "../fakes/deadline.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { RtmpTestClient } from "../fakes/rtmp_test_client.ts";
import { startTestServer, type TestServer } from "../fakes/test_server.ts";
import { HANDSHAKE_BYTES, recordedSession } from "../fixtures/sessions.ts";
import { hex } from "../golden/hex.ts";

type LogLine = Record<string, unknown>;

/** Runs a server with a publisher and a player on it, and sees them well at the end, and nothing left. */
async function withServer(
  config: Record<string, unknown>,
  use: (server: TestServer, lines: LogLine[]) => Promise<void>,
): Promise<void> {
  const lines: LogLine[] = [];
  configureLogging({
    level: "info",
    format: "json",
    sumsUpRepeats: false,
    write: (line) => lines.push(JSON.parse(line)),
  });
  const server = startTestServer(config);
  let publisher: RtmpTestClient | undefined;
  let player: RtmpTestClient | undefined;
  try {
    publisher = await RtmpTestClient.publish(server.address, "live", "healthy");
    player = await RtmpTestClient.play(server.address, "live", "healthy");
    await use(server, lines);
    // All others are gone; these two are served as ever.
    await until(() => server.server.clients.size === 2, "the others to be gone");
    const payload = Uint8Array.of(0xaf, 1, 42);
    await publisher.sendMedia(8, 40, payload);
    assert.deepEqual((await player.nextMedia()).payload, payload);
    assert.equal(server.runtime.hub.size, 1, "no other stream is left");
    assert.ok(lines.every(({ level }) => level !== "error"), "no fault of ours");
  } finally {
    publisher?.close();
    player?.close();
    await server.stop();
    closeLogging();
  }
}

/** The log's line about the end of the only connection that ended for this reason. */
async function closingLine(lines: readonly LogLine[], reason: string): Promise<LogLine> {
  const found = () =>
    lines.filter((line) => line["message"] === "Connection closed" && line["reason"] === reason);
  await until(() => found().length > 0, `a connection closed for ${reason}`);
  assert.equal(found().length, 1);
  return found()[0] as LogLine;
}

interface Case {
  readonly name: string;
  readonly limits?: Record<string, unknown>;
  readonly code: RtmpErrorCode;
  readonly detail: RegExp;
  /** The status that the peer is told, if it is. */
  readonly status?: string;
  /** The code of the `_error` that the peer is told, if it is. */
  readonly refusal?: string;
  /** The app that is connected to. */
  readonly app?: string;
  /** Does the wrong thing; handshake and connect are made before unless `isEarly`. */
  readonly act: (client: RtmpTestClient) => Promise<unknown>;
  readonly isEarly?: boolean;
}

const ownHandshake = new Uint8Array(HANDSHAKE_BYTES);
ownHandshake[0] = 3;

const publish = async (client: RtmpTestClient, name: string) => {
  await client.createStream();
  await client.sendCommand("publish", 1, null, name, "live");
};

const nested = (depth: number): Amf0Value => depth === 0 ? null : [nested(depth - 1)];

const cases: Case[] = [
  {
    name: "a handshake that never ends",
    limits: { handshake_timeout_ms: 100 },
    code: "handshake-timeout",
    detail: /complete handshake: not done within 100 ms/,
    isEarly: true,
    act: (client) => client.send(ownHandshake.subarray(0, 1000)),
  },
  {
    name: "a connection that says nothing",
    limits: { handshake_timeout_ms: 100 },
    code: "handshake-timeout",
    detail: /complete handshake/,
    isEarly: true,
    act: (client) => client.send(new Uint8Array([3])),
  },
  {
    name: "a handshake without a command behind it",
    limits: { handshake_timeout_ms: 100 },
    code: "handshake-timeout",
    detail: /complete connect: not done within 100 ms/,
    isEarly: true,
    act: (client) => client.handshake(),
  },
  {
    name: "what is no RTMP",
    code: "handshake-version",
    detail: /C0 is 71/,
    isEarly: true,
    act: (client) => client.send(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")),
  },
  {
    name: "a command before connect",
    code: "unexpected-command",
    refusal: "NetConnection.Call.Failed",
    detail: /'createStream' before connect/,
    isEarly: true,
    act: async (client) => {
      await client.handshake();
      await client.sendCommand("createStream", 0, null);
    },
  },
  {
    name: "a connect without tcUrl and app",
    code: "connect-without-tc-url",
    detail: /names neither tcUrl nor app/,
    refusal: "NetConnection.Connect.Rejected",
    isEarly: true,
    act: async (client) => {
      await client.handshake();
      await client.sendRaw(20, 0, encodeCommand("connect", 1, Amf0Object.from({ flashVer: "x" })));
    },
  },
  {
    name: "a tcUrl of more than 4 KiB",
    code: "bad-tc-url",
    detail: /4097 bytes, limit is 4096/,
    refusal: "NetConnection.Connect.Rejected",
    isEarly: true,
    act: async (client) => {
      await client.handshake();
      const tcUrl = "rtmp://h/live?a=".padEnd(4097, "&");
      await client.sendRaw(20, 0, encodeCommand("connect", 1, Amf0Object.from({ tcUrl })));
    },
  },
  {
    name: "a message that is announced too long",
    limits: { message_max_bytes: 10_000 },
    code: "message-too-large",
    detail: /10001 bytes announced, limit is 10000/,
    act: (client) => client.send(hex("06 000000 002711 09 01000000")),
  },
  {
    name: "a length of 16 MiB that lies, again and again",
    limits: { message_max_bytes: 0xffffff, buffered_max_bytes: 20_000 },
    code: "input-too-large",
    detail: /other unfinished messages, limit is 20000/,
    act: async (client) => {
      await client.setChunkSize(1000);
      for (let id = 5; id < 30; id++) {
        await client.send(
          joinBytes(Uint8Array.of(id), hex("000000 ffffff 09 01000000"), new Uint8Array(1000)),
        );
      }
    },
  },
  {
    name: "a message before connect that is longer than anybody's connect",
    code: "input-too-large",
    detail: /limit is 49152/,
    isEarly: true,
    act: async (client) => {
      await client.handshake();
      await client.setChunkSize(65_536);
      await client.send(joinBytes(hex("06 000000 ffffff 09 01000000"), new Uint8Array(65_536)));
    },
  },
  {
    name: "unfinished messages of somebody who does not publish",
    code: "input-too-large",
    detail: /limit is 1048576/,
    act: async (client) => {
      await client.setChunkSize(1_000_000);
      for (const id of [5, 6]) {
        await client.send(
          joinBytes(Uint8Array.of(id), hex("000000 ffffff 09 01000000"), new Uint8Array(1_000_000)),
        );
      }
    },
  },
  {
    name: "too many chunk streams",
    limits: { chunk_streams_max: 8 },
    code: "too-many-chunk-streams",
    detail: /8 are open, limit is 8/,
    act: async (client) => {
      for (let id = 5; id < 20; id++) {
        await client.send(joinBytes(Uint8Array.of(id), hex("000000 000001 09 01000000 00")));
      }
    },
  },
  {
    name: "a message whose type changes midway",
    code: "chunk-message-changed",
    detail: /from type 9 of 300 bytes to type 8/,
    act: (client) =>
      client.send(
        joinBytes(hex("06 000000 00012c 09 01000000"), new Uint8Array(128), hex("46 000000 00012c 08")),
      ),
  },
  {
    name: "a chunk size of 4 GiB",
    code: "chunk-size",
    detail: /value is 4294967295/,
    act: (client) => client.sendRaw(1, 0, encodeUint32(0xffffffff)),
  },
  {
    name: "too many streams on one connection",
    code: "too-many-streams",
    detail: /16 exist/,
    act: async (client) => {
      for (let i = 0; i < 17; i++) await client.sendCommand("createStream", 0, null);
    },
  },
  {
    name: "a stream key of 513 bytes",
    code: "bad-stream-name",
    detail: /513 bytes, limit is 512/,
    status: "NetStream.Publish.BadName",
    act: (client) => publish(client, "x".repeat(508)),
  },
  {
    name: "a stream key with control characters",
    code: "bad-stream-name",
    detail: /control characters/,
    status: "NetStream.Publish.BadName",
    act: (client) => publish(client, "a\u0000b\u001b[2J"),
  },
  {
    name: "a stream key that is empty, on a connection without an app",
    app: "",
    code: "bad-stream-name",
    detail: /name is empty/,
    status: "NetStream.Publish.BadName",
    act: (client) => publish(client, ""),
  },
  {
    name: "parameters of more than 4 KiB",
    code: "bad-stream-name",
    detail: /parameters: 4097 bytes, limit is 4096/,
    status: "NetStream.Publish.BadName",
    act: (client) => publish(client, `s?${"&".repeat(60_000)}a${"&".repeat(4095)}b`),
  },
  {
    name: "parameters of more than 4 KiB, of a player",
    code: "bad-stream-name",
    detail: /parameters: 5000 bytes, limit is 4096/,
    status: "NetStream.Play.Failed",
    act: (client) => client.sendCommand("play", 1, null, `s?${"a".repeat(5000)}`),
  },
  {
    name: "a second publisher of a stream",
    code: "stream-busy",
    detail: /'\/live\/healthy': \w{8} is publishing it/,
    status: "NetStream.Publish.BadName",
    act: (client) => publish(client, "healthy"),
  },
];

for (const { name, limits = {}, code, detail, status, refusal, app = "live", act, isEarly } of cases) {
  Deno.test(`limit: ${name} costs its own connection`, () =>
    withServer({ limits }, async (server, lines) => {
      const client = isEarly
        ? await RtmpTestClient.dial(server.address)
        : await RtmpTestClient.connect(server.address, app);
      try {
        await act(client);
        if (refusal !== undefined) {
          const { arguments: [information] } = await client.command("_error");
          assert.ok(information instanceof Amf0Object);
          assert.equal(information.getString("code"), refusal);
          assert.match(information.getString("description") ?? "", detail);
        }
        if (status !== undefined) {
          const told = await client.status();
          assert.deepEqual([told.level, told.code], ["error", status]);
          assert.match(told.description, detail);
        }
        await client.closed();
      } finally {
        client.close();
      }
      const line = await closingLine(lines, code);
      assert.match(String(line["detail"]), detail);
      assert.ok(typeof line["code"] === "number" && typeof line["connectionId"] === "string");
      assert.equal(server.errors(code), 1);
    }));
}

Deno.test("commands that do not decode, or are too much, are passed over: what decodes of the rest is answered", () =>
  withServer({ limits: { amf_string_max_bytes: 1000 } }, async ({ address }) => {
    const client = await RtmpTestClient.connect(address, "live");
    try {
      const many = Amf0Object.from(Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [i, i])));
      await client.sendRaw(20, 0, encodeAmf0(["x", 0, nested(40)]));
      await client.sendRaw(20, 0, encodeAmf0(["x", 0, "y".repeat(1001)]));
      await client.sendRaw(20, 0, encodeAmf0(["x", 0, many]));
      await client.sendRaw(20, 0, encodeAmf0([5, 1]));
      await client.sendRaw(20, 0, hex("02 0004 'stat' 31 32"));
      await client.sendRaw(20, 0, joinBytes(encodeCommand("createStream", 7, null), hex("31 32")));
      assert.equal((await client.answer(7)).arguments[0], 1);
    } finally {
      client.close();
    }
  }));

Deno.test("limit: a connection that plays and plays is slowed down, and so is what it writes to the log", () =>
  withServer({}, async ({ address }, lines) => {
    const client = await RtmpTestClient.connect(address, "live");
    try {
      const plays = joinBytes(
        ...Array.from({ length: 1000 }, () => {
          const payload = encodeCommand("play", 0, null, "nobody");
          return encodeChunks(
            { typeId: 20, timestamp: 0, messageStreamId: 1, chunkStreamId: 3 },
            payload,
            128,
          );
        }),
      );
      await client.send(plays);
      const started = () =>
        lines.filter(({ message, stream }) => message === "Play started" && stream === "/live/nobody");
      await until(() => started().length === 32, "as many plays as may be begun at once");
      await until(() => started().length === 33, "another one, later");
      // The pause counts from the first: on a busy machine the burst itself takes a while.
      const [first, next] = [0, 32].map((index) => Date.parse(String(started()[index]?.time)));
      assert.ok((next ?? 0) - (first ?? 0) >= 900, `${first}, then ${next}`);
    } finally {
      client.close();
    }
  }));

Deno.test("limit: connections in all, and from one address", async () => {
  for (const config of [{ max_connections: 3 }, { max_connections_per_ip: 3 }]) {
    await withServer(config, async (server, lines) => {
      const third = await RtmpTestClient.connect(server.address, "live");
      for (let i = 0; i < 5; i++) {
        const refused = await RtmpTestClient.dial(server.address);
        await refused.closed();
        refused.close();
      }
      assert.equal(server.errors("too-many-connections"), 5);
      await until(
        () => lines.some((line) => line["message"] === "Connections refused: too many are open"),
        "a line",
      );
      third.close();
      await until(() => server.server.clients.size === 2, "the third to be gone");
      const again = await RtmpTestClient.connect(server.address, "live");
      again.close();
    });
  }
});

Deno.test("limit: a player that reads nothing is let go of after the send timeout", () =>
  withServer({ limits: { send_timeout_ms: 700 } }, async (server, lines) => {
    const publisher = await RtmpTestClient.publish(server.address, "live", "big");
    const player = await RtmpTestClient.play(server.address, "live", "big");
    await publisher.setChunkSize(1_000_000);
    const frame = new Uint8Array(500_000).fill(0x55);
    frame.set([0x17, 1, 0, 0, 0]);
    const isClosed = () => lines.some((line) => line["reason"] === "send-timeout");
    // More than the socket's buffers hold; the publisher is read all the while.
    for (let at = 0; at < 100 && !isClosed(); at++) await publisher.sendMedia(9, at * 40, frame);
    const line = await closingLine(lines, "send-timeout");
    assert.match(String(line["detail"]), /accepted no data for 700 ms/);
    assert.equal(server.errors("send-timeout"), 1);
    player.close();
    publisher.close();
  }));

Deno.test("limit: a peer that asks and asks and never reads holds a bounded number of answers", () =>
  withServer({}, async (server, lines) => {
    const client = await RtmpTestClient.connect(server.address, "live");
    const ping = encodeUserControl(6, 1);
    const message = joinBytes(hex("02 000000 000006 04 00000000"), ping);
    const many = joinBytes(...Array.from({ length: 4000 }, () => message));
    const isClosed = () => lines.some((line) => line["reason"] === "send-timeout");
    try {
      while (!isClosed()) await client.send(many);
    } catch {
      // Closed while we were sending.
    }
    const line = await closingLine(lines, "send-timeout");
    assert.match(String(line["detail"]), /are queued for a peer that does not read, limit is 1048576/);
    client.close();
  }));

Deno.test("limit: the cache of a stream is let go of at its limit, and its players stay", () =>
  withServer({ limits: { gop_cache_max_bytes: 100_000 } }, async (server) => {
    const publisher = await RtmpTestClient.publish(server.address, "live", "long");
    const player = await RtmpTestClient.play(server.address, "live", "long");
    const frame = new Uint8Array(30_000).fill(0x55);
    for (let i = 0; i < 10; i++) {
      frame.set([i === 0 ? 0x17 : 0x27, 1, 0, 0, 0]);
      await publisher.sendMedia(9, i * 40, frame);
    }
    for (let i = 0; i < 10; i++) assert.equal((await player.nextMedia()).timestamp, i * 40);
    const late = await RtmpTestClient.play(server.address, "live", "long");
    await publisher.sendMedia(9, 400, frame);
    assert.equal((await late.nextMedia()).timestamp, 400, "nothing is cached");
    for (const client of [publisher, player, late]) client.close();
  }));

Deno.test("limit: a publisher that sends nothing, and one that stops sending", () =>
  withServer({
    vhost: {
      __defaultVhost__: {},
      "strict.test": { publish: { firstpkt_timeout: 300, normal_timeout: 200 } },
    },
  }, async (server, lines) => {
    for (const [sends, timeoutMs] of [[0, 300], [1, 200]] as const) {
      const client = await RtmpTestClient.publish(server.address, "live?vhost=strict.test", "s");
      for (let i = 0; i < sends; i++) await client.sendMedia(8, 0, Uint8Array.of(0xaf, 1));
      await client.closed();
      client.close();
      const line = await closingLine(lines, "publish-timeout");
      assert.match(String(line["detail"]), new RegExp(`no message received for ${timeoutMs} ms`));
      lines.length = 0;
    }
    assert.equal(server.errors("publish-timeout"), 2);
  }));

Deno.test("a client that disconnects at every possible byte of a session costs its own connection", () =>
  withServer({}, async (server, lines) => {
    // FFmpeg's publish, from C0 to its first video frames.
    const session = recordedSession("ffmpeg_publish").subarray(0, HANDSHAKE_BYTES + 1400);
    let length = 0;
    const one = async () => {
      while (length <= session.length) {
        const bytes = session.subarray(0, length++);
        const client = await RtmpTestClient.dial(server.address);
        try {
          await client.send(bytes);
        } catch {
          // Refused: another holds the stream's name.
        }
        client.close();
      }
    };
    await Promise.all(Array.from({ length: 16 }, one));
    await until(() => server.server.clients.size === 2, "all to be gone");
    const closed = lines.filter((line) => line["message"] === "Connection closed");
    assert.ok(closed.length >= session.length - 1, `${closed.length} lines`);
    const reasons = new Set(closed.map((line) => line["reason"]));
    for (const reason of reasons) {
      assert.ok(
        ["closed-by-peer", "connection-lost", "stream-busy"].includes(String(reason)),
        String(reason),
      );
    }
  }));
