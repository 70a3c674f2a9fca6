import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { Amf0Object, type Amf0Value, encodeAmf0 } from "../../lib/wire/amf0.ts";
import type { ServerEvent } from "../../lib/session/server_event.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { SessionPeer } from "../fakes/session_peer.ts";
import { hex } from "../golden/hex.ts";
import { HANDSHAKE_BYTES, recordedSession, SESSION_NAMES, type SessionName } from "../fixtures/sessions.ts";

type Step = [name: string, transactionId: number, values?: Amf0Value[], messageStreamId?: number];

const FMLE_STARTED = [
  "onFCPublish@1 NetStream.Publish.Start",
  "onStatus@1 status NetStream.Publish.Start",
];
const FLASH_STARTED = FMLE_STARTED.slice(1);
const PLAY_STARTED = [
  "event 0: 1",
  "onStatus@1 status NetStream.Play.Reset",
  "onStatus@1 status NetStream.Play.Start",
  "data@1 |RtmpSampleAccess true true",
];
const AUDIO = Uint8Array.of(0xaf, 1, 2, 3);

function isRtmpError(code: string, text = /./): (error: unknown) => boolean {
  return (error) => error instanceof RtmpError && error.code === code && text.test(error.message);
}

function publishing(): SessionPeer {
  const peer = SessionPeer.connected();
  peer.command("createStream", 2);
  peer.command("publish", 3, ["s", "live"], 1);
  peer.answers();
  return peer;
}

function playing(): SessionPeer {
  const peer = SessionPeer.connected();
  peer.command("createStream", 2);
  peer.command("play", 3, ["s"], 1);
  peer.answers();
  return peer;
}

const publishFlows: { name: string; steps: Step[]; event: Partial<ServerEvent>; answers: string[] }[] = [
  {
    name: "FFmpeg, OBS, GStreamer (FMLE)",
    steps: [
      ["releaseStream", 2, ["s?k=v"]],
      ["FCPublish", 3, ["s?k=v"]],
      ["createStream", 4],
      ["_checkbw", 5],
      ["publish", 6, ["s?k=v", "live"], 1],
    ],
    event: { kind: "publish", messageStreamId: 1, name: "s?k=v", publishKind: "fmle-publish" },
    answers: ["_result 2 undefined", "_result 3 undefined", "_result 4 1", "_result 5 null", ...FMLE_STARTED],
  },
  {
    name: "Flash, SRS's edge and forward",
    steps: [["createStream", 2], ["publish", 0, ["s", "live"], 1]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "flash-publish" },
    answers: ["_result 2 1", ...FLASH_STARTED],
  },
  {
    name: "Haivision: FCPublish behind createStream",
    steps: [["createStream", 2], ["FCPublish", 3, ["s"]], ["publish", 4, ["s"], 1]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "haivision-publish" },
    answers: ["_result 2 1", "_result 3 undefined", ...FMLE_STARTED],
  },
  {
    name: "FCPublish alone",
    steps: [["FCPublish", 2, ["s"]], ["createStream", 3], ["publish", 4, ["s"], 1]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "fmle-publish" },
    answers: ["_result 2 undefined", "_result 3 1", ...FMLE_STARTED],
  },
  {
    name: "releaseStream alone, behind createStream",
    steps: [["createStream", 2], ["releaseStream", 3, ["s"]], ["publish", 4, ["s"], 1]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "fmle-publish" },
    answers: ["_result 2 1", "_result 3 undefined", ...FMLE_STARTED],
  },
  {
    name: "FCPublish before releaseStream",
    steps: [["FCPublish", 2, ["s"]], ["releaseStream", 3, ["s"]], ["createStream", 4], [
      "publish",
      5,
      ["s"],
      1,
    ]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "fmle-publish" },
    answers: ["_result 2 undefined", "_result 3 undefined", "_result 4 1", ...FMLE_STARTED],
  },
  {
    name: "a publish without a name takes the one that was announced",
    steps: [["releaseStream", 2, ["s"]], ["createStream", 3], ["publish", 4, ["", "live"], 1]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "fmle-publish" },
    answers: ["_result 2 undefined", "_result 3 1", ...FMLE_STARTED],
  },
  {
    name: "publish on a stream that was never created",
    steps: [["publish", 2, ["s", "live"], 1]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "flash-publish" },
    answers: [...FLASH_STARTED],
  },
  {
    name: "publish on message stream 0 is publish on 1",
    steps: [["publish", 2, ["s", "live"], 0]],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "flash-publish" },
    answers: [...FLASH_STARTED],
  },
  {
    name: "GStreamer's transaction id 0 for everything",
    steps: [
      ["releaseStream", 0, ["s"]],
      ["FCPublish", 0, ["s"]],
      ["createStream", 2],
      ["publish", 0, ["s", "live"], 1],
    ],
    event: { kind: "publish", messageStreamId: 1, name: "s", publishKind: "fmle-publish" },
    answers: ["_result 0 undefined", "_result 0 undefined", "_result 2 1", ...FMLE_STARTED],
  },
];

for (const { name, steps, event, answers } of publishFlows) {
  Deno.test(`publish: ${name}`, () => {
    const peer = SessionPeer.connected();
    const events = steps.flatMap((step) => peer.command(...step));
    assert.deepEqual(events, [event]);
    assert.deepEqual(peer.answers(), answers);
    assert.deepEqual(peer.send(8, 1, AUDIO, 40), [
      { kind: "media", messageStreamId: 1, typeId: 8, timestamp: 40, payload: AUDIO },
    ]);
  });
}

Deno.test("media is taken whatever message stream it names, as SRS and nginx-rtmp do", () => {
  const peer = publishing();
  for (const messageStreamId of [0, 1, 7]) {
    assert.deepEqual(peer.send(8, messageStreamId, AUDIO), [
      { kind: "media", messageStreamId: 1, typeId: 8, timestamp: 0, payload: AUDIO },
    ]);
  }
});

Deno.test("media of two publishers on one connection stays apart", () => {
  const peer = publishing();
  peer.command("createStream", 4);
  peer.command("publish", 5, ["t"], 2);
  assert.deepEqual(peer.answers(), ["_result 4 2", "onStatus@2 status NetStream.Publish.Start"]);
  for (const messageStreamId of [1, 2]) {
    assert.deepEqual(
      peer.send(8, messageStreamId, AUDIO).map((event) =>
        "messageStreamId" in event && event.messageStreamId
      ),
      [
        messageStreamId,
      ],
    );
  }
  assert.deepEqual(peer.send(8, 3, AUDIO), [], "of neither");
});

Deno.test("media before publish is nothing", () => {
  const peer = SessionPeer.connected();
  peer.command("createStream", 2);
  assert.deepEqual(peer.send(8, 1, AUDIO), []);
  assert.deepEqual(peer.data(["@setDataFrame", "onMetaData", null]), []);
});

Deno.test("data messages come without @setDataFrame, AMF3 ones too", () => {
  const peer = publishing();
  const body = encodeAmf0(["onMetaData", Amf0Object.from({ width: 1 })]);
  const expected = [{ kind: "media", messageStreamId: 1, typeId: 18, timestamp: 0, payload: body }];
  assert.deepEqual(peer.data(["@setDataFrame", "onMetaData", Amf0Object.from({ width: 1 })]), expected);
  assert.deepEqual(peer.send(18, 1, body), expected);
  assert.deepEqual(peer.send(15, 1, joinBytes(Uint8Array.of(0), body)), expected);
  assert.deepEqual(peer.send(15, 1, body), expected);
  assert.deepEqual(peer.data(["@clearDataFrame", "onMetaData"]), []);
  assert.deepEqual(peer.send(18, 1, new Uint8Array(4)), []);
});

Deno.test("an aggregate is the messages in it, on the aggregate's clock", () => {
  const peer = publishing();
  const aggregate = hex(`
    09 000002 0003e8 00 000000 1701 0000000d
    08 000001 0003f2 00 000000 af   0000000c
    12 000001 0003f2 00 000000 02   0000000c
    12 00001d 0003fc 00 000000 02000d '@setDataFrame' 02000a 'onMetaData' 00000028
    0f 00000e 0003fc 00 000000 00 02000a 'onMetaData' 00000019
    14 000001 0003fc 00 000000 02   0000000c`);
  const metadata = {
    kind: "media",
    messageStreamId: 1,
    typeId: 18,
    timestamp: 5020,
    payload: hex("02000a 'onMetaData'"),
  };
  assert.deepEqual(peer.send(22, 1, aggregate, 5000), [
    { kind: "media", messageStreamId: 1, typeId: 9, timestamp: 5000, payload: hex("1701") },
    { kind: "media", messageStreamId: 1, typeId: 8, timestamp: 5010, payload: hex("af") },
    metadata,
    metadata,
  ]);
});

Deno.test("of an aggregate that is cut off what came before counts, and the rest is named", () => {
  const peer = publishing();
  const events = peer.send(
    22,
    1,
    hex("08 000001 000000 00 000000 af 0000000c 09 00ffff 000000 00 000000 17"),
  );
  assert.deepEqual(events.map(({ kind }) => kind), ["media", "leftOut"]);
  const [, leftOut] = events;
  assert.ok(leftOut?.kind === "leftOut");
  assert.match(leftOut.error.message, /part of 65535 bytes announced, 1 bytes left/);
  assert.deepEqual(peer.send(8, 1, AUDIO).length, 1, "the connection goes on");
});

Deno.test("an aggregate of very many parts is taken apart in order", () => {
  const peer = publishing();
  const part = hex("08 000001 000000 00 000000 af 0000000c");
  const aggregate = new Uint8Array(60_000 * part.length);
  for (let at = 0; at < aggregate.length; at += part.length) {
    aggregate.set(part, at);
    new DataView(aggregate.buffer).setUint32(at + 4, (at / part.length) << 8);
  }
  peer.send(1, 0, hex("7fffffff"));
  const events = peer.send(22, 1, aggregate, 0);
  assert.deepEqual(
    events.map((event) => "timestamp" in event && event.timestamp),
    events.map((_, index) => index),
  );
  assert.equal(events.length, 60_000);
});

const playFlows: { name: string; steps: Step[]; durationMs: number | undefined; answers: string[] }[] = [
  {
    name: "FFmpeg",
    steps: [
      ["createStream", 2],
      ["_checkbw", 3],
      ["getStreamLength", 4, ["s"]],
      ["play", 5, ["s", -2000], 1],
    ],
    durationMs: undefined,
    answers: ["_result 2 1", "_result 3 null", "_result 4 0", ...PLAY_STARTED],
  },
  {
    name: "rtmpdump",
    steps: [["createStream", 2], ["FCSubscribe", 3, ["s"]], ["play", 4, ["s", -1000, 2000], 1]],
    durationMs: 2000,
    answers: ["_result 2 1", "_result 3 null", ...PLAY_STARTED],
  },
  {
    name: "with start, no duration, reset",
    steps: [["createStream", 2], ["play", 0, ["s", 0, -1, true], 1]],
    durationMs: undefined,
    answers: ["_result 2 1", ...PLAY_STARTED],
  },
  {
    name: "without createStream, on message stream 0",
    steps: [["play", 0, ["s"], 0]],
    durationMs: undefined,
    answers: [...PLAY_STARTED],
  },
  {
    name: "without createStream, on message stream 1",
    steps: [["play", 0, ["s"], 1]],
    durationMs: undefined,
    answers: [...PLAY_STARTED],
  },
];
for (const { name, steps, durationMs, answers } of playFlows) {
  Deno.test(`play: ${name}`, () => {
    const peer = SessionPeer.connected();
    const events = steps.flatMap((step) => peer.command(...step));
    assert.deepEqual(events, [{ kind: "play", messageStreamId: 1, name: "s", durationMs }]);
    assert.deepEqual(peer.answers(), answers);
  });
}

Deno.test("play sets the chunk size of the stream's bytes before it begins", () => {
  const peer = SessionPeer.connected();
  peer.isAccepting = false;
  peer.command("play", 0, ["s"], 1);
  peer.session.acceptPlay(1, 4096);
  assert.deepEqual(peer.answers(), ["type 1: 4096", ...PLAY_STARTED]);
});

Deno.test("pause and resume are answered as SRS does", () => {
  const peer = playing();
  assert.deepEqual(peer.command("pause", 0, [true, 1000], 1), [{
    kind: "pause",
    messageStreamId: 1,
    isPaused: true,
  }]);
  assert.deepEqual(peer.answers(), ["onStatus@1 status NetStream.Pause.Notify", "event 1: 1"]);
  assert.deepEqual(peer.command("pause", 0, [false, 1000], 1), [{
    kind: "pause",
    messageStreamId: 1,
    isPaused: false,
  }]);
  assert.deepEqual(peer.answers(), ["onStatus@1 status NetStream.Unpause.Notify", "event 0: 1"]);
  assert.deepEqual(publishing().command("pause", 0, [true, 1000], 1), []);
});

Deno.test("receiveAudio and receiveVideo switch a medium", () => {
  const peer = playing();
  assert.deepEqual(peer.command("receiveAudio", 0, [false], 1), [
    { kind: "receive", messageStreamId: 1, media: "audio", isOn: false },
  ]);
  assert.deepEqual(peer.command("receiveVideo", 5, [true], 1), [
    { kind: "receive", messageStreamId: 1, media: "video", isOn: true },
  ]);
  assert.deepEqual(peer.answers(), ["_result 5 null"]);
});

Deno.test("a seek is refused in words, and nothing else happens", () => {
  const peer = playing();
  assert.deepEqual(peer.command("seek", 0, [1000], 1), []);
  assert.deepEqual(peer.answers(), ["onStatus@1 error NetStream.Seek.Failed"]);
});

for (
  const [name, stop] of [
    ["closeStream", ["closeStream", 0, [], 1]],
    ["closeStream on message stream 0", ["closeStream", 0, [], 0]],
    ["deleteStream", ["deleteStream", 0, [1], 0]],
    ["GStreamer's deleteStream, which names the stream", ["deleteStream", 0, ["s"], 0]],
    ["play(false)", ["play", 0, [false], 1]],
  ] as [string, Step][]
) {
  Deno.test(`${name} ends a play, and another may follow on the connection`, () => {
    const peer = playing();
    assert.deepEqual(peer.command(...stop), [{ kind: "stop", messageStreamId: 1 }]);
    assert.deepEqual(peer.command("closeStream", 0, [], 1), [], "once");
    assert.deepEqual(peer.answers(), []);
    assert.equal(peer.command("publish", 0, ["t"], 1)[0]?.kind, "publish");
    assert.deepEqual(peer.answers(), FLASH_STARTED);
  });
}

for (
  const [name, stop, answers] of [
    ["closeStream", ["closeStream", 0, [], 1], []],
    ["deleteStream", ["deleteStream", 0, [1], 0], []],
    ["publish(false)", ["publish", 0, [false], 1], []],
    ["FCUnpublish", ["FCUnpublish", 7, ["s"], 0], [
      "onFCUnpublish@1 NetStream.Unpublish.Success",
      "_result 7 undefined",
      "onStatus@1 status NetStream.Unpublish.Success",
    ]],
  ] as [string, Step, string[]][]
) {
  Deno.test(`${name} ends a publish, and a play or publish may follow on the connection`, () => {
    const peer = publishing();
    assert.deepEqual(peer.command(...stop), [{ kind: "stop", messageStreamId: 1 }]);
    assert.deepEqual(peer.answers(), answers);
    assert.deepEqual(peer.send(8, 1, AUDIO), [], "media after the end");
    assert.equal(peer.command("publish", 0, ["t"], 1)[0]?.kind, "publish");
    peer.command("closeStream", 0, [], 1);
    assert.equal(peer.command("play", 0, ["t"], 1)[0]?.kind, "play");
  });
}

Deno.test("a play on a playing stream ends the first one", () => {
  const peer = playing();
  assert.deepEqual(peer.command("play", 0, ["t", -2, -1, true], 1), [
    { kind: "stop", messageStreamId: 1 },
    { kind: "play", messageStreamId: 1, name: "t", durationMs: undefined },
  ]);
  assert.deepEqual(peer.answers(), PLAY_STARTED);
});

Deno.test("play and publish side by side on one connection", () => {
  const peer = playing();
  peer.command("createStream", 4);
  assert.deepEqual(peer.command("publish", 5, ["t"], 2).map(({ kind }) => kind), ["publish"]);
  assert.deepEqual(peer.command("closeStream", 0, [], 1), [{ kind: "stop", messageStreamId: 1 }]);
  peer.nowMs = 1e9;
  peer.session.checkDeadline(1e9);
  assert.equal(peer.send(8, 2, AUDIO).length, 1);
});

Deno.test("what cannot be played or published on a stream in use", () => {
  assert.throws(
    () => publishing().command("publish", 0, ["t"], 1),
    isRtmpError("unexpected-command", /is publishing/),
  );
  assert.throws(
    () => publishing().command("play", 0, ["t"], 1),
    isRtmpError("unexpected-command", /is publishing/),
  );
  assert.throws(
    () => playing().command("publish", 0, ["t"], 1),
    isRtmpError("unexpected-command", /is playing/),
  );
  assert.throws(
    () => playing().command("play", 0, [5], 2),
    isRtmpError("message-malformed", /name is a number/),
  );
});

Deno.test("createStream counts up, takes freed ids again, and ends at 16", () => {
  const peer = SessionPeer.connected();
  for (let id = 1; id <= 16; id++) {
    peer.command("createStream", id);
    assert.deepEqual(peer.answers(), [`_result ${id} ${id}`]);
  }
  peer.command("deleteStream", 0, [3]);
  peer.command("createStream", 20);
  assert.deepEqual(peer.answers(), ["_result 20 3"]);
  assert.throws(() => peer.command("createStream", 21), isRtmpError("too-many-streams", /16 exist/));
});

Deno.test("message streams that were never created count too", () => {
  const peer = SessionPeer.connected();
  for (let id = 100; id < 116; id++) peer.command("play", 0, ["s"], id);
  assert.throws(() => peer.command("play", 0, ["s"], 116), isRtmpError("too-many-streams"));
});

Deno.test("a refusal and an end are told on the stream", () => {
  const peer = SessionPeer.connected();
  peer.isAccepting = false;
  peer.command("publish", 0, ["s"], 1);
  peer.session.say.refused(1, "NetStream.Publish.BadName", "busy");
  assert.deepEqual(peer.answers(), ["onStatus@1 error NetStream.Publish.BadName"]);
  const player = playing();
  player.session.say.playFinished(1, "NetStream.Play.Stop", "over");
  assert.deepEqual(player.answers(), ["onStatus@1 status NetStream.Play.Stop", "event 1: 1"]);
  player.session.say.reconnect("rtmp://o/live", "go");
  assert.deepEqual(player.answers(), ["onStatus status NetConnection.Connect.ReconnectRequest"]);
});

const recorded: { name: SessionName; kinds: string[]; streamName: string }[] = [
  { name: "ffmpeg_publish", kinds: ["connect", "publish", "stop"], streamName: "one?token=x" },
  { name: "librtmp_publish", kinds: ["connect", "publish", "stop"], streamName: "gst2" },
  { name: "gstreamer_publish", kinds: ["connect", "publish", "stop"], streamName: "gst" },
  { name: "ffmpeg_play", kinds: ["connect", "play", "stop"], streamName: "bg" },
  { name: "rtmpdump_play", kinds: ["connect", "play"], streamName: "bg" },
  { name: "gstreamer_play", kinds: ["connect", "play"], streamName: "bg" },
];
assert.deepEqual(recorded.map(({ name }) => name).sort(), [...SESSION_NAMES].sort());
for (const { name, kinds, streamName } of recorded) {
  Deno.test(`the recorded session ${name} goes through, whole and byte by byte`, () => {
    const bytes = recordedSession(name);
    const whole = new SessionPeer().receive(bytes);
    const events = whole.filter(({ kind }) => kind !== "media");
    assert.deepEqual(events.map(({ kind }) => kind), kinds);
    const request = events[1];
    assert.ok(request !== undefined && "name" in request);
    assert.equal(request.name, streamName);
    assert.ok(name.endsWith("play") || whole.length > 70, `${whole.length} events`);
    const peer = new SessionPeer();
    const parts: ServerEvent[] = [];
    for (let at = 0; at < bytes.length; at++) parts.push(...peer.receive(bytes.slice(at, at + 1)));
    assert.deepEqual(parts, whole);
    assert.ok(bytes.length > HANDSHAKE_BYTES);
  });
}
