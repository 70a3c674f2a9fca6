import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { Amf0EcmaArray, Amf0Object, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
import { encodeUint32, encodeUserControl } from "../../lib/wire/control.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { commandOf, SessionPeer } from "../fakes/session_peer.ts";

const CONNECT_ANSWERS = [
  "type 5: 2500000",
  "type 6: 2500000",
  "type 1: 60000",
  "_result 1 status NetConnection.Connect.Success",
  "onBWDone",
];

function isRtmpError(code: string, text = /./): (error: unknown) => boolean {
  return (error) => error instanceof RtmpError && error.code === code && text.test(error.message);
}

Deno.test("connect is answered in SRS's order", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  const [event, ...more] = peer.connect({ objectEncoding: 3, flashVer: "x", pageUrl: "p", swfUrl: "s" });
  assert.equal(more.length, 0);
  assert.equal(event?.kind, "connect");
  assert.deepEqual(
    [event.info.tcUrl, event.info.flashVersion, event.info.pageUrl, event.info.swfUrl],
    ["rtmp://h/live", "x", "p", "s"],
  );
  const messages = peer.messages();
  const result = commandOf(messages[3] as typeof messages[number]);
  const [information] = result?.arguments ?? [];
  assert.ok(result?.object instanceof Amf0Object && information instanceof Amf0Object);
  assert.deepEqual([...result.object.entries], [["fmsVer", "FMS/3,5,3,888"], ["capabilities", 127], [
    "mode",
    1,
  ]]);
  assert.deepEqual([...information.entries.keys()], [
    "level",
    "code",
    "description",
    "objectEncoding",
    "data",
  ]);
  assert.equal(information.getNumber("objectEncoding"), 3);
  const data = information.entries.get("data");
  assert.ok(data instanceof Amf0EcmaArray);
  assert.deepEqual(Object.fromEntries(data.entries), {
    version: "3,5,3,888",
    srs_sig: "SRS",
    srs_server: "Headwater/0",
    srs_version: "0",
    srs_server_ip: "10.0.0.1",
    srs_pid: 42,
    srs_id: "abcdefgh",
  });
  for (const { typeId, chunkStreamId, messageStreamId } of messages) {
    assert.equal(chunkStreamId, typeId === 20 ? 3 : 2);
    assert.equal(messageStreamId, 0);
  }
});

Deno.test("connect's answers, as lines", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  peer.connect();
  assert.deepEqual(peer.answers(), CONNECT_ANSWERS);
});

Deno.test("the window is told as soon as the handshake is done: some clients wait for a sign of it", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  assert.deepEqual(peer.answers(), CONNECT_ANSWERS.slice(0, 2));
  peer.connect();
  assert.deepEqual(peer.answers(), CONNECT_ANSWERS.slice(2));
});

Deno.test("at first what has no answer is acknowledged at once, for clients that hold their next piece back until then", () => {
  const peer = new SessionPeer({ promptAcknowledgements: 3 });
  peer.shakeHands();
  peer.answers();
  const connect = encodeCommand("connect", 1, Amf0Object.from({ tcUrl: "rtmp://h/live" }));
  const message = { typeId: 20, timestamp: 0, messageStreamId: 0, chunkStreamId: 3 };
  const bytes = encodeChunks(message, connect, 128);
  peer.receive(bytes.slice(0, 12));
  assert.deepEqual(peer.answers(), [], "before connect");
  peer.receive(bytes.slice(12));
  assert.deepEqual(peer.answers(), CONNECT_ANSWERS.slice(2));
  let received = 3073 + bytes.length;
  const piece = encodeChunks({ ...message, typeId: 99 }, new Uint8Array(20), 128);
  const next = () => {
    peer.receive(piece);
    received += piece.length;
    return peer.answers();
  };
  assert.deepEqual(next(), [`type 3: ${received}`]);
  assert.deepEqual(peer.answers(), [], "once a read");
  const createStream = encodeChunks(message, encodeCommand("createStream", 2, null), 128);
  peer.receive(createStream);
  received += createStream.length;
  assert.deepEqual(peer.answers(), ["_result 2 1"], "what is answered is not acknowledged too");
  assert.deepEqual(next(), [`type 3: ${received}`]);
  assert.deepEqual(next(), [`type 3: ${received}`]);
  assert.deepEqual(next(), [], "three times");
});

Deno.test("connect without windows and with the initial chunk size says no more than needed", () => {
  const peer = new SessionPeer({ outAckSize: 0, chunkSize: 128 });
  peer.shakeHands();
  peer.connect();
  assert.deepEqual(peer.answers(), CONNECT_ANSWERS.slice(3));
});

for (
  const [name, properties] of [
    ["fourCcList", { fourCcList: ["av01", "hvc1"] }],
    ["capsEx", { capsEx: 1 }],
    ["videoFourCcInfoMap", { videoFourCcInfoMap: Amf0Object.from({ "*": 1 }) }],
  ] as const
) {
  Deno.test(`a client that speaks of Enhanced RTMP by ${name} is told ours`, () => {
    const peer = new SessionPeer();
    peer.shakeHands();
    peer.connect(properties as never);
    const result = peer.messages().map(commandOf).find((command) => command?.name === "_result");
    const information = result?.arguments[0] as Amf0Object;
    assert.deepEqual(information.entries.get("fourCcList"), ["*"]);
    assert.equal(information.getNumber("capsEx"), 15);
    for (const map of ["videoFourCcInfoMap", "audioFourCcInfoMap"]) {
      assert.equal((information.entries.get(map) as Amf0Object).getNumber("*"), 4);
    }
  });
}

Deno.test("connect in an AMF3 message (type 17) is a connect", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  const body = encodeCommand("connect", 1, Amf0Object.from({ tcUrl: "rtmp://h/live" }));
  const wrapped = new Uint8Array(1 + body.length);
  wrapped.set(body, 1);
  assert.equal(peer.send(17, 0, wrapped)[0]?.kind, "connect");
  assert.deepEqual(peer.answers(), CONNECT_ANSWERS);
});

Deno.test("a refused connect is told why", () => {
  const peer = new SessionPeer();
  peer.isAccepting = false;
  peer.shakeHands();
  peer.connect();
  peer.session.rejectConnect("NetConnection.Connect.Rejected", "no");
  assert.deepEqual(peer.answers().slice(2), ["_error 1 error NetConnection.Connect.Rejected"]);
});

Deno.test("commands before connect, and a second connect, break the rules and are refused in words", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  peer.answers();
  assert.throws(
    () => peer.command("createStream", 2),
    isRtmpError("unexpected-command", /'createStream' before/),
  );
  assert.deepEqual(peer.answers(), ["_error 2 error NetConnection.Call.Failed"]);
  const connected = SessionPeer.connected();
  assert.throws(() => connected.connect(), isRtmpError("unexpected-command", /already connected/));
  assert.deepEqual(connected.answers(), ["_error 1 error NetConnection.Connect.Rejected"]);
  const nameless = new SessionPeer();
  nameless.shakeHands();
  nameless.answers();
  assert.throws(
    () => nameless.send(20, 0, encodeAmf0(["connect", 1, null])),
    isRtmpError("connect-without-tc-url"),
  );
  const [refusal] = nameless.messages();
  assert.ok(refusal !== undefined);
  const { name, transactionId, arguments: [information] } = commandOf(refusal) ?? assert.fail();
  assert.deepEqual([name, transactionId], ["_error", 1]);
  assert.match((information as Amf0Object).getString("description") ?? "", /names neither tcUrl nor app/);
});

Deno.test("what is wrong with a publish or play is told on its stream", () => {
  const peer = SessionPeer.connected();
  peer.command("createStream", 2);
  peer.command("publish", 3, ["s"], 1);
  peer.answers();
  assert.throws(() => peer.command("publish", 4, ["t"], 1), isRtmpError("unexpected-command"));
  assert.deepEqual(peer.answers(), ["onStatus@1 error NetStream.Publish.Failed"]);
  const player = SessionPeer.connected();
  assert.throws(() => player.command("play", 4, [5], 0), isRtmpError("message-malformed"));
  assert.deepEqual(player.answers(), ["onStatus@1 error NetStream.Play.Failed"]);
});

Deno.test("a chunk stream that breaks, and idleness, end a connection in words; a stranger is told nothing", () => {
  const broken = Uint8Array.of(0xc7, 1);
  const peer = SessionPeer.connected();
  assert.throws(() => peer.receive(broken), isRtmpError("chunk-header-type"));
  assert.throws(() => peer.session.nextEvent(0), isRtmpError("chunk-header-type"), "and stays so");
  assert.deepEqual(peer.answers().slice(0, 1), ["onStatus error NetConnection.Connect.Closed"]);
  const idle = SessionPeer.connected({}, { idleTimeoutMs: 1000 });
  assert.throws(() => idle.session.checkDeadline(1000), isRtmpError("idle-timeout"));
  assert.deepEqual(idle.answers(), ["onStatus error NetConnection.Connect.Closed"]);
  const stranger = new SessionPeer();
  stranger.shakeHands();
  stranger.answers();
  assert.throws(() => stranger.receive(broken), isRtmpError("chunk-header-type"));
  assert.deepEqual(stranger.answers(), []);
});

Deno.test("a client that only sends small commands is idle all the same", () => {
  const peer = SessionPeer.connected({}, { idleTimeoutMs: 1000 });
  for (peer.nowMs = 0; peer.nowMs < 1000; peer.nowMs += 100) {
    peer.send(4, 0, encodeUserControl(6, 1));
    for (
      const [name, values] of [["releaseStream", ["s"]], ["FCPublish", ["s"]], ["FCUnpublish", [
        "s",
      ]]] as const
    ) {
      peer.command(name, 2, [...values]);
    }
    peer.command("createStream", 3);
    for (const name of ["closeStream", "deleteStream", "receiveAudio", "pause", "seek", "unknown"]) {
      peer.command(name, 4, [1], 1);
    }
    peer.data(["@setDataFrame", "onMetaData", null]);
    peer.answers();
    peer.session.checkDeadline(peer.nowMs);
  }
  assert.throws(() => peer.session.checkDeadline(1000), isRtmpError("idle-timeout"));
});

Deno.test("pings before connect are not answered: nothing may pile up for a stranger", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  peer.answers();
  peer.send(4, 0, encodeUserControl(6, 1));
  assert.deepEqual(peer.answers(), []);
});

Deno.test("what is no command may come before connect: chunk size, window, ping, media, noise", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  peer.send(1, 0, encodeUint32(4096));
  peer.send(5, 0, encodeUint32(2_500_000));
  peer.send(9, 1, Uint8Array.of(0x17, 1));
  peer.send(99, 1, new Uint8Array(3));
  peer.send(20, 0, new Uint8Array(0));
  assert.deepEqual(peer.connect().map(({ kind }) => kind), ["connect"]);
});

Deno.test("a connection in the smallest pieces is the same connection", () => {
  const whole = new SessionPeer();
  whole.shakeHands();
  whole.connect();
  const peer = new SessionPeer();
  const c0c1c2 = new Uint8Array(3073);
  c0c1c2[0] = 3;
  for (const byte of c0c1c2) peer.receive(Uint8Array.of(byte));
  peer.connect();
  assert.deepEqual(peer.answers(), whole.answers());
});

Deno.test("handshake and connect must be done in time, then publish or play, then no deadline holds", () => {
  const peer = new SessionPeer({ handshakeTimeoutMs: 10_000, idleTimeoutMs: 180_000 });
  peer.session.checkDeadline(9_999);
  assert.throws(
    () => peer.session.checkDeadline(10_000),
    isRtmpError("handshake-timeout", /complete handshake: not done within 10000 ms/),
  );
  peer.shakeHands();
  assert.throws(
    () => peer.session.checkDeadline(10_000),
    isRtmpError("handshake-timeout", /complete connect/),
  );
  peer.nowMs = 9_000;
  peer.connect();
  peer.session.checkDeadline(188_999);
  assert.throws(
    () => peer.session.checkDeadline(189_000),
    isRtmpError("idle-timeout", /no publish or play within 180000 ms/),
  );
  peer.nowMs = 100_000;
  peer.command("createStream", 2);
  peer.session.checkDeadline(188_999);
  peer.command("publish", 3, ["s"], 1);
  peer.session.checkDeadline(1e12);
  peer.nowMs = 500_000;
  peer.command("closeStream", 0, [], 1);
  peer.session.checkDeadline(679_999);
  assert.throws(() => peer.session.checkDeadline(680_000), isRtmpError("idle-timeout"));
  peer.command("play", 0, ["s"], 1);
  peer.session.checkDeadline(1e12);
});

Deno.test("a client that only says small things is idle all the same", () => {
  const peer = SessionPeer.connected({}, { idleTimeoutMs: 180_000 });
  for (; peer.nowMs < 180_000; peer.nowMs += 1000) {
    peer.session.checkDeadline(peer.nowMs);
    peer.command("_checkbw", 0);
    peer.command("whoKnows", 5, ["x"]);
    peer.command("createStream", 2);
    peer.command("deleteStream", 3, [1]);
    peer.command("FCSubscribe", 4, ["s"]);
    peer.send(4, 0, encodeUserControl(6, 1));
    peer.send(3, 0, encodeUint32(1));
    peer.send(9, 1, Uint8Array.of(0x17, 1));
    peer.answers();
  }
  assert.throws(() => peer.session.checkDeadline(peer.nowMs), isRtmpError("idle-timeout"));
});

Deno.test("a ping is answered with its own time, and asked once connected", () => {
  const peer = new SessionPeer();
  peer.session.ping(5);
  peer.shakeHands();
  assert.deepEqual(peer.answers(), CONNECT_ANSWERS.slice(0, 2));
  peer.connect();
  peer.answers();
  peer.send(4, 0, encodeUserControl(6, 0xfedcba98));
  assert.deepEqual(peer.answers(), [`event 7: ${0xfedcba98}`]);
  peer.session.ping(1234);
  assert.deepEqual(peer.answers(), ["event 6: 1234"]);
  // Too short, unknown, and answers of the peer: nothing to say.
  peer.send(4, 0, Uint8Array.of(0, 6, 0));
  peer.send(4, 0, encodeUserControl(3, 1, 3000));
  peer.send(4, 0, encodeUserControl(7, 1234));
  peer.send(4, 0, new Uint8Array(0));
  peer.send(3, 0, encodeUint32(1));
  peer.send(6, 0, encodeUint32(1));
  assert.deepEqual(peer.answers(), []);
});

Deno.test("an encoder is not acknowledged at once: to close with one unread would cost it what it has not sent yet", () => {
  const peer = SessionPeer.connected({}, { promptAcknowledgements: 8 });
  peer.command("createStream", 2);
  peer.command("publish", 3, ["s", "live"], 1);
  peer.answers();
  peer.send(MESSAGE_TYPE.video, 1, new Uint8Array(20));
  assert.deepEqual(peer.answers(), []);
});

Deno.test("input is acknowledged at half of the peer's window, counted from the first byte", () => {
  const peer = SessionPeer.connected();
  const before = 3073 + 12 +
    encodeCommand("connect", 1, Amf0Object.from({ app: "live", tcUrl: "rtmp://h/live" })).length;
  peer.send(5, 0, encodeUint32(2000));
  let received = before + 16;
  const payload = new Uint8Array(88);
  const sequences: string[] = [];
  for (let i = 0; i < 40; i++) {
    peer.send(9, 1, payload);
    received += 100;
    const answers = peer.answers();
    if (answers.length > 0) {
      assert.deepEqual(answers, [`type 3: ${received}`]);
      sequences.push(...answers);
    }
  }
  assert.ok(sequences.length === 4 || sequences.length === 5, `${sequences}`);
  assert.deepEqual(peer.send(5, 0, new Uint8Array(2)), [], "one that is cut off says nothing");
});

Deno.test("input is acknowledged at the window that we named, also where the peer named a larger one or none", () => {
  for (const peerWindow of [0, 1000, 1_000_000]) {
    const peer = SessionPeer.connected({}, { outAckSize: 4000 });
    if (peerWindow > 0) peer.send(5, 0, encodeUint32(peerWindow));
    peer.answers();
    let count = 0;
    for (let i = 0; i < 200; i++) {
      peer.send(9, 1, new Uint8Array(88));
      count += peer.answers().length;
    }
    // 20 000 bytes: one for each half of the smaller window.
    assert.equal(count, peerWindow === 1000 ? 40 : 10, `${peerWindow}`);
  }
});

Deno.test("an encoder with more under way is not acknowledged: it may have closed, and would lose what it has not sent yet", () => {
  const peer = SessionPeer.connected({}, { outAckSize: 1000 });
  const message = { typeId: 9, timestamp: 0, messageStreamId: 1, chunkStreamId: 6 };
  const receive = (bytes: number, isMoreWaiting: boolean) => {
    peer.session.receive(encodeChunks(message, new Uint8Array(bytes), 128), isMoreWaiting);
    peer.session.nextEvent(0);
    return peer.answers().length;
  };
  peer.session.acknowledgeStalled();
  peer.answers();
  assert.equal(receive(600, true), 0);
  assert.equal(receive(600, true), 0);
  peer.session.acknowledgeStalled();
  assert.deepEqual(peer.answers(), [], "it has sent on since");
  assert.equal(receive(10, false), 1, "that was all");
  assert.equal(receive(1000, true), 0);
  peer.session.acknowledgeStalled();
  assert.deepEqual(peer.answers(), []);
  peer.session.acknowledgeStalled();
  assert.equal(peer.answers().length, 1, "nothing more came after all");
  peer.session.acknowledgeStalled();
  assert.deepEqual(peer.answers(), []);
});

Deno.test("without any window nothing is acknowledged; the configured one holds until the peer names its own", () => {
  const silent = SessionPeer.connected({}, { outAckSize: 0 });
  for (let i = 0; i < 100; i++) silent.send(9, 1, new Uint8Array(100));
  silent.send(5, 0, encodeUint32(0));
  for (let i = 0; i < 100; i++) silent.send(9, 1, new Uint8Array(100));
  assert.deepEqual(silent.answers(), []);
  const peer = SessionPeer.connected({}, { inAckSize: 1000 });
  for (let i = 0; i < 10; i++) peer.send(9, 1, new Uint8Array(88));
  const lines = peer.answers();
  assert.ok(lines.length > 0 && lines.every((line) => line.startsWith("type 3: ")), `${lines}`);
});

Deno.test("commands with a transaction are answered, those without are not", () => {
  const peer = SessionPeer.connected();
  peer.command("_checkbw", 3);
  peer.command("getStreamLength", 4, ["s"]);
  peer.command("FCSubscribe", 5, ["s"]);
  peer.command("whoKnows", 6, [1, 2]);
  peer.command("whoKnows", 0);
  peer.command("_result", 7);
  peer.command("_error", 8);
  peer.command("FCUnpublish", 9, ["s"]);
  assert.deepEqual(peer.answers(), [
    "_result 3 null",
    "_result 4 0",
    "_result 5 null",
    "_result 6 null",
    "_result 9 undefined",
  ]);
});

Deno.test("after a redirect, a command with a string says that the client took it", () => {
  const peer = SessionPeer.connected();
  peer.command("createStream", 2);
  peer.isAccepting = false;
  peer.command("play", 0, ["s"], 1);
  peer.answers();
  peer.session.redirect("rtmp://o:1935/live", "rtmp://o:1935/live/s");
  const [message] = peer.messages();
  assert.ok(message !== undefined);
  const ex = (commandOf(message)?.arguments[0] as Amf0Object).entries.get("ex") as Amf0Object;
  assert.deepEqual(Object.fromEntries(ex.entries), {
    code: 302,
    redirect: "rtmp://o:1935/live",
    redirect2: "rtmp://o:1935/live/s",
  });
  assert.deepEqual(peer.command("_checkbw", 0), []);
  assert.deepEqual(peer.command("redirected", 0, ["rtmp://o:1935/live"]), [{ kind: "redirectAnswered" }]);
});
