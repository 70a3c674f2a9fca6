/**
 * What both halves of a session do with their input, and do alike.
 *
 * @module
 */
import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { decodeCommand, encodeCommand } from "../../lib/wire/commands.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import type { RawMessage } from "../../lib/wire/chunk_reader.ts";
import { encodeUint32, encodeUserControl } from "../../lib/wire/control.ts";
import { MESSAGE_TYPE, USER_CONTROL } from "../../lib/wire/message_type.ts";
import { ClientPeer } from "../fakes/client_peer.ts";
import { SessionPeer } from "../fakes/session_peer.ts";
import { hex } from "../golden/hex.ts";

interface Half {
  readonly session: { receive(bytes: Uint8Array): void };
  send(typeId: number, messageStreamId: number, payload: Uint8Array, timestamp?: number): {
    readonly kind: string;
    readonly timestamp?: number;
  }[];
  receive(bytes: Uint8Array): unknown[];
  messages(): RawMessage[];
}

function publishing(): SessionPeer {
  const peer = SessionPeer.connected();
  peer.command("createStream", 2);
  peer.command("publish", 3, ["s", "live"], 1);
  peer.answers();
  return peer;
}

const halves: Readonly<Record<string, () => Half>> = {
  server: publishing,
  client: () => ClientPeer.playing(),
};

/** An aggregate of so many audio messages of one byte, a millisecond apart. */
function aggregateOf(count: number): Uint8Array {
  const part = hex("08 000001 000000 00 000000 af 0000000c");
  const bytes = new Uint8Array(count * part.length);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < count; index++) {
    bytes.set(part, index * part.length);
    view.setUint32(index * part.length + 4, index << 8);
  }
  return bytes;
}

for (const [name, make] of Object.entries(halves)) {
  Deno.test(`${name}: a ping is answered with its own time; what only looks like one in its second byte is none`, () => {
    const half = make();
    half.send(MESSAGE_TYPE.userControl, 0, encodeUserControl(USER_CONTROL.pingRequest, 0xfedcba98));
    const [pong, ...more] = half.messages();
    assert.deepEqual([pong?.typeId, pong?.chunkStreamId, pong?.messageStreamId], [4, 2, 0]);
    assert.deepEqual(pong?.payload, hex("0007 fedcba98"));
    assert.equal(more.length, 0);
    for (
      const body of [
        hex("0106 00000001"),
        hex("ff06 00000001"),
        hex("0600 00000001"),
        hex("0006 000001"),
        hex("06"),
        hex(""),
      ]
    ) {
      half.send(MESSAGE_TYPE.userControl, 0, body);
      assert.deepEqual(half.messages(), [], `${body}`);
    }
  });

  Deno.test(`${name}: an aggregate is its parts in order; what is cut off of it is named behind them`, () => {
    const half = make();
    half.send(MESSAGE_TYPE.setChunkSize, 0, encodeUint32(0x7fffffff));
    const events = half.send(MESSAGE_TYPE.aggregate, 1, aggregateOf(10_000), 500);
    assert.deepEqual(
      events.map(({ timestamp }) => timestamp),
      Array.from({ length: 10_000 }, (_, at) => 500 + at),
    );
    const cut = half.send(MESSAGE_TYPE.aggregate, 1, aggregateOf(3).subarray(0, -1));
    assert.deepEqual(cut.map(({ kind }) => kind), ["media", "media", "leftOut"]);
    assert.equal(half.send(MESSAGE_TYPE.audio, 1, hex("af01")).length, 1, "it goes on");
  });

  Deno.test(`${name}: input is acknowledged at half of the window that the peer names; one that is cut off says nothing`, () => {
    const half = make();
    half.send(MESSAGE_TYPE.windowAcknowledgementSize, 0, encodeUint32(2000));
    half.send(MESSAGE_TYPE.windowAcknowledgementSize, 0, new Uint8Array(2));
    half.messages();
    let acknowledgements = 0;
    for (let at = 0; at < 100; at++) {
      half.send(MESSAGE_TYPE.audio, 1, new Uint8Array(88));
      const messages = half.messages();
      assert.ok(messages.every(({ typeId }) => typeId === MESSAGE_TYPE.acknowledgement));
      acknowledgements += messages.length;
    }
    assert.equal(acknowledgements, 10);
  });

  Deno.test(`${name}: a broken chunk stream ends the session, which then throws the same error whatever comes`, () => {
    const half = make();
    const error = thrownBy(() => half.receive(hex("c7 01")));
    assert.ok(error instanceof RtmpError && error.code === "chunk-header-type");
    half.messages();
    assert.equal(thrownBy(() => half.session.receive(new Uint8Array(1))), error);
    assert.equal(thrownBy(() => half.receive(new Uint8Array(0))), error);
    assert.deepEqual(half.messages(), [], "it has been said once");
  });
}

function thrownBy(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return assert.fail("nothing was thrown");
}

Deno.test("a session is dead after a command that ends it, too: nothing behind it is read", () => {
  const peer = publishing();
  const error = thrownBy(() => peer.command("publish", 4, ["t"], 1));
  assert.ok(error instanceof RtmpError && error.code === "unexpected-command");
  assert.deepEqual(peer.answers(), ["onStatus@1 error NetStream.Publish.Failed"]);
  assert.equal(thrownBy(() => peer.session.nextEvent(0)), error);
  assert.equal(thrownBy(() => peer.data(["onMetaData", null])), error);
  assert.deepEqual(peer.answers(), []);
});

Deno.test("a session is dead after a handshake that is none", () => {
  for (const peer of [new SessionPeer(), new ClientPeer()]) {
    const error = thrownBy(() => peer.receive(hex("47")));
    assert.ok(error instanceof RtmpError && error.code === "handshake-version");
    assert.equal(thrownBy(() => peer.shakeHands()), error);
  }
});

Deno.test("a client says in connect that it takes all that Enhanced RTMP has, and follows its redirects", () => {
  const peer = new ClientPeer();
  peer.shakeHands();
  const [connect] = peer.messages().filter(({ typeId }) => typeId === MESSAGE_TYPE.command);
  const command = connect && decodeCommand(connect.typeId, connect.payload, DEFAULT_WIRE_LIMITS);
  assert.ok(command?.object instanceof Amf0Object);
  assert.deepEqual(command.object.get("fourCcList"), ["*"]);
  assert.equal(command.object.get("capsEx"), 15);
});

Deno.test("a client believes in answers to pings only when one has come", () => {
  const peer = ClientPeer.playing();
  for (const body of [hex("0107 00000001"), hex("0700 00000001"), hex("07")]) {
    peer.send(MESSAGE_TYPE.userControl, 0, body);
    assert.equal(peer.session.answersPings, false, `${body}`);
  }
  peer.send(MESSAGE_TYPE.userControl, 0, encodeUserControl(USER_CONTROL.pingResponse, 1));
  assert.equal(peer.session.answersPings, true);
});

Deno.test("a client asks for no sign of life before the handshake is done: it would be part of it", () => {
  const peer = new ClientPeer();
  const begun = peer.session.takeOutput()?.length;
  peer.session.ping(1);
  assert.equal(peer.session.takeOutput(), undefined);
  assert.equal(begun, 1537);
});

Deno.test("a client leaves out what a server says to its own player, in an aggregate too", () => {
  const peer = ClientPeer.playing();
  const notice = "020011 '|RtmpSampleAccess' 0101 0101";
  assert.deepEqual(peer.send(MESSAGE_TYPE.data, 1, hex(notice)), []);
  const aggregate = hex(`
    12 000018 000000 00 000000 ${notice} 00000023
    08 000001 000000 00 000000 af 0000000c`);
  assert.deepEqual(peer.send(MESSAGE_TYPE.aggregate, 1, aggregate).map(({ kind }) => kind), ["media"]);
});

Deno.test("a client that was made only to connect plays or publishes when it is told, and not before", () => {
  for (const purpose of ["play", "publish"] as const) {
    const peer = new ClientPeer({ purpose: "connect", streamName: "" });
    peer.shakeHands();
    peer.send(MESSAGE_TYPE.command, 0, encodeCommand("_result", 1, new Amf0Object(), new Amf0Object()));
    assert.deepEqual(commandsOf(peer), ["connect"]);
    peer.session.open(purpose, "s?token=x");
    assert.deepEqual(commandsOf(peer), ["createStream"]);
    peer.send(MESSAGE_TYPE.command, 0, encodeCommand("_result", 2, null, 1));
    assert.deepEqual(commandsOf(peer), [`${purpose} s?token=x`]);
    peer.session.finish();
    assert.equal(commandsOf(peer).at(-1), "deleteStream");
  }
});

Deno.test("a client acknowledges what it skips, and reads nothing behind it", () => {
  const peer = ClientPeer.playing();
  peer.session.skip(2_000_000);
  assert.deepEqual(peer.messages().map(({ typeId }) => typeId), [MESSAGE_TYPE.acknowledgement]);
  assert.throws(() => peer.session.receive(hex("43 000000 000001 08 af")), /was skipped/);
});

function commandsOf(peer: ClientPeer): string[] {
  return peer.messages().flatMap(({ typeId, payload }) => {
    const command = typeId === MESSAGE_TYPE.command
      ? decodeCommand(typeId, payload, DEFAULT_WIRE_LIMITS)
      : undefined;
    if (command === undefined) return [];
    const [name] = command.arguments;
    return [typeof name === "string" ? `${command.name} ${name}` : command.name];
  });
}
