/**
 * Our client session before SRS's origins, as recorded: it says what SRS's edge says, byte for byte, and understands the answers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type ClientEvent, ClientSession } from "../../lib/session/client_session.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { decodeCommand } from "../../lib/wire/commands.ts";
import { findDigest, verifyResponse } from "../../lib/wire/handshake.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { cutEvery, joinBytes, readMessages } from "../fakes/read_messages.ts";
import { HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { bytesOf, isMedia, srsExchange, type SrsExchangeName, srsSide } from "../fixtures/srs.ts";

const SERVER_NAME = new TextEncoder().encode("Genuine Adobe Flash Media Server 001");

/** A session that is told to do what a recorded client of SRS's did. */
function sessionAs(name: SrsExchangeName, promptAcknowledgements: number): ClientSession {
  const commands = readMessages([bytesOf(srsSide(name, "client"))]).map(({ typeId, payload }) =>
    typeId === 20 ? decodeCommand(typeId, payload, DEFAULT_WIRE_LIMITS) : undefined
  );
  const [connect] = commands;
  const request = commands.find((command) => command?.name === "play" || command?.name === "publish");
  assert.ok(connect?.object instanceof Amf0Object && connect.arguments[0] instanceof Amf0Object);
  return new ClientSession({
    purpose: request?.name === "publish" ? "publish" : "play",
    tcUrl: connect.object.getString("tcUrl") ?? "",
    app: connect.object.getString("app") ?? "",
    streamName: String(request?.arguments[0]),
    pageUrl: "",
    swfUrl: "",
    argumentsObject: Object.fromEntries(connect.arguments[0].entries),
    chunkSize: 60_000,
    isEnhanced: false,
    promptAcknowledgements,
    limits: DEFAULT_WIRE_LIMITS,
    randomBytes: (length) => new Uint8Array(length),
  }, 0);
}

/** Gives a session what a recorded server said; what it made of it, and what it said after the handshake. */
function replay(
  name: SrsExchangeName,
  pieceBytes: number,
  promptAcknowledgements = 0,
): { events: ClientEvent[]; said: Uint8Array } {
  const session = sessionAs(name, promptAcknowledgements);
  const output = [session.takeOutput() ?? new Uint8Array()];
  const handshake = srsExchange("edge_play").filter((message) => /^S[0-2]/.test(message.name));
  const events: ClientEvent[] = [];
  for (const piece of cutEvery(bytesOf([...handshake, ...srsSide(name, "server")]), pieceBytes)) {
    session.receive(piece);
    for (let event = session.nextEvent(); event !== undefined; event = session.nextEvent()) {
      events.push(event.kind === "media" ? { ...event, payload: event.payload.slice() } : event);
    }
    output.push(session.takeOutput() ?? new Uint8Array());
  }
  return { events, said: joinBytes(...output).subarray(HANDSHAKE_BYTES) };
}

const exchanges: { name: SrsExchangeName; kinds: string[] }[] = [
  {
    name: "edge_play",
    kinds: ["connected", "started", "media", "media", "media", "media", "media", "media", "media"],
  },
  { name: "edge_redirect", kinds: ["connected", "started", "redirect"] },
  { name: "edge_redirect_vhost", kinds: ["connected", "started", "redirect"] },
  // SRS says that it starts, and closes the connection: here before its word was out.
  { name: "edge_nowhere", kinds: ["connected"] },
  { name: "edge_push", kinds: ["connected", "started"] },
  { name: "edge_push_busy", kinds: ["connected"] },
  { name: "forward", kinds: ["connected", "started"] },
];

for (const { name, kinds } of exchanges) {
  for (const pieceBytes of [1, 100, 100_000]) {
    Deno.test(`before SRS's origin, as in ${name}, a session says what SRS's says, in pieces of ${pieceBytes} bytes`, () => {
      const { events, said } = replay(name, pieceBytes);
      assert.deepEqual(events.map(({ kind }) => kind), kinds);
      const theirs = srsSide(name, "client").filter((message) => !isMedia(message));
      assert.deepEqual(said, bytesOf(theirs));
    });
  }
}

Deno.test("SRS's origin says who it is, and its media comes as it was sent", () => {
  const { events } = replay("edge_play", 1000);
  const [connected] = events;
  assert.ok(connected?.kind === "connected");
  assert.equal(connected.server.getString("srs_version"), "6.0.157");
  assert.equal(connected.server.getString("srs_server"), "SRS/6.0.157(Hang)");
  const media = events.filter((event) => event.kind === "media");
  const sent = readMessages([bytesOf(srsSide("edge_play", "server"))]).slice(-media.length);
  assert.deepEqual(
    media.map(({ typeId, timestamp, payload }) => ({ typeId, timestamp, payload })),
    sent.map(({ typeId, timestamp, payload }) => ({ typeId, timestamp, payload })),
  );
  assert.deepEqual(media.map(({ typeId }) => typeId), [18, 8, 9, 9, 8, 8, 8]);
});

for (
  const { name, url } of [
    { name: "edge_redirect", url: "rtmp://127.0.0.1:19352/live/onc" },
    { name: "edge_redirect_vhost", url: "rtmp://127.0.0.1:19352/live/onc?token=x&vhost=cdn.example" },
  ] as const
) {
  Deno.test(`SRS's 302 is followed at once, to redirect2: ${name}`, () => {
    assert.deepEqual(replay(name, 1000).events.at(-1), { kind: "redirect", url, isUrgent: true });
  });
}

Deno.test("SRS's handshake is signed as ours is: C1, S1, S2 and C2", () => {
  const [c0c1, s0s1, s2, c2] = srsExchange("edge_play").map(({ bytes }) => bytes);
  assert.ok(c0c1 !== undefined && s0s1 !== undefined && s2 !== undefined && c2 !== undefined);
  const ofClient = findDigest(c0c1.subarray(1));
  const ofServer = findDigest(s0s1.subarray(1), SERVER_NAME);
  assert.ok(ofClient !== undefined && ofServer !== undefined);
  assert.deepEqual([ofClient.schema, ofServer.schema], [1, 1]);
  assert.ok(verifyResponse(s2, "server", ofClient.digest));
  assert.ok(verifyResponse(c2, "client", ofServer.digest));
});

Deno.test("what SRS sends piece by piece is acknowledged at once, at first: it holds its next piece back until then", () => {
  const said = readMessages([replay("edge_redirect", 100, 2).said]);
  const acknowledged = said.filter(({ typeId }) => typeId === 3).map(({ payload }) =>
    new DataView(payload.buffer).getUint32(0)
  );
  assert.equal(acknowledged.length, 2);
  assert.ok(acknowledged.every((count) => count > HANDSHAKE_BYTES && count % 100 === 0), `${acknowledged}`);
  const theirs = readMessages([bytesOf(srsSide("edge_redirect", "client"))]);
  assert.deepEqual(said.filter(({ typeId }) => typeId !== 3), theirs);
});
