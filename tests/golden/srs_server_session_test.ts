/**
 * SRS's edge and forwarder, as recorded, before our server session: it reads what they say, and answers what SRS answers.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { decideRedirect, redirectUrls } from "../../lib/routing/redirect.ts";
import { isNode } from "../../lib/server/peer_node.ts";
import type { ServerEvent } from "../../lib/session/server_event.ts";
import { Amf0EcmaArray, Amf0Object, decodeAmf0 } from "../../lib/wire/amf0.ts";
import { ChunkReader, type RawMessage } from "../../lib/wire/chunk_reader.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { cutEvery, joinBytes, readMessages } from "../fakes/read_messages.ts";
import { commandOf, SessionPeer } from "../fakes/session_peer.ts";
import { HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { bytesOf, isMedia, srsExchange, type SrsExchangeName, srsSide } from "../fixtures/srs.ts";

/** Cuts bytes of one direction behind each message. */
function cutMessages(bytes: Uint8Array): Uint8Array[] {
  const reader = new ChunkReader();
  const messages: Uint8Array[] = [];
  let start = 0;
  for (let at = 0; at < bytes.length; at++) {
    reader.push(bytes.slice(at, at + 1));
    if (reader.next() === undefined) continue;
    messages.push(bytes.slice(start, at + 1));
    start = at + 1;
  }
  assert.equal(start, bytes.length);
  return messages;
}

/** Says to a session what a recorded client said; what it made of it, and what it answered after the handshake. */
function replay(
  name: SrsExchangeName,
  pieceBytes = Infinity,
  peer: SessionPeer = new SessionPeer(),
): { events: ServerEvent[]; answers: Uint8Array[] } {
  const said = bytesOf(srsExchange(name).filter(({ from }) => from === "client"));
  if (name !== "edge_play") peer.shakeHands();
  const events: ServerEvent[] = [];
  const output: Uint8Array[] = [];
  for (const piece of pieceBytes === Infinity ? [said] : cutEvery(said, pieceBytes)) {
    events.push(...peer.receive(piece));
    const bytes = peer.session.takeOutput();
    if (bytes !== undefined) output.push(bytes);
  }
  return { events, answers: cutMessages(joinBytes(...output).subarray(HANDSHAKE_BYTES)) };
}

function connectOf(events: readonly ServerEvent[]) {
  const [event] = events;
  assert.equal(event?.kind, "connect");
  return event.info;
}

const exchanges: { name: SrsExchangeName; request: Partial<ServerEvent> }[] = [
  {
    name: "edge_play",
    request: { kind: "play", messageStreamId: 1, name: "onb?token=x", durationMs: undefined },
  },
  {
    name: "edge_redirect",
    request: { kind: "play", messageStreamId: 1, name: "onc", durationMs: undefined },
  },
  {
    name: "edge_push",
    request: { kind: "publish", messageStreamId: 1, name: "pushed?key=x", publishKind: "flash-publish" },
  },
  {
    name: "forward",
    request: { kind: "publish", messageStreamId: 1, name: "fwd", publishKind: "flash-publish" },
  },
];

for (const { name, request } of exchanges) {
  for (const pieceBytes of [Infinity, 1, 100]) {
    Deno.test(`SRS's ${name} is understood and answered as SRS answers, in pieces of ${pieceBytes} bytes`, () => {
      const { events, answers } = replay(name, pieceBytes);
      assert.deepEqual(events.filter(({ kind }) => kind !== "media" && kind !== "connect"), [request]);
      const theirs = srsSide(name, "server").filter((message) =>
        !isMedia(message) && !message.name.endsWith("Rejected")
      );
      assert.equal(answers.length, theirs.length);
      for (const [index, { name, bytes }] of theirs.entries()) {
        // The answer to connect says who we are: below.
        if (name === "_result" && index < 5) continue;
        assert.deepEqual(answers[index], bytes, `message ${index}, ${name}`);
      }
    });
  }
}

Deno.test("the answer to connect is SRS's, but for who it is and what it says of its makers", () => {
  const results = [
    readMessages([joinBytes(...replay("edge_play").answers)]),
    readMessages([bytesOf(srsSide("edge_play", "server"))]),
  ].map((messages) => messages.map(commandOf).find((command) => command?.name === "_result"));
  const [ours, theirs] = results.map((result) => {
    const [information] = result?.arguments ?? [];
    assert.ok(information instanceof Amf0Object && result?.object instanceof Amf0Object);
    const data = information.get("data");
    assert.ok(data instanceof Amf0EcmaArray);
    return {
      transactionId: result.transactionId,
      properties: [...result.object.entries],
      information: [...information.entries].filter(([key]) => key !== "data"),
      data: [...data.entries].map(([key, value]) => `${key}: ${typeof value}`)
        .filter((key) => !/^srs_(?:license|url|authors): string$/.test(key)),
    };
  });
  assert.deepEqual(ours, theirs);
});

Deno.test("an edge of SRS's says who it is: it can be redirected, and is no node that looks by itself", () => {
  for (const { name } of exchanges) {
    const info = connectOf(replay(name).events);
    assert.deepEqual([...info.argumentsObject?.entries.keys() ?? []], [
      "srs_sig",
      "srs_server",
      "srs_license",
      "srs_url",
      "srs_version",
      "srs_pid",
      "srs_id",
      "srs_server_ip",
    ]);
    assert.equal(decideRedirect("auto", info), "302");
    assert.equal(isNode(info), false);
  }
});

for (const name of ["edge_redirect", "edge_redirect_vhost"] as const) {
  Deno.test(`the 302 is SRS's, byte for byte: ${name}`, () => {
    const peer = new SessionPeer();
    peer.shakeHands();
    peer.accept = (event) => {
      if (event.kind === "connect") peer.session.acceptConnect(0);
    };
    const events = peer.receive(bytesOf(srsSide(name, "client")));
    const play = events.find((event) => event.kind === "play");
    assert.ok(play !== undefined);
    peer.messages();
    const { host, app, stream, parameters } = parseStreamAddress(connectOf(events).tcUrl, play.name);
    const vhost = "__defaultVhost__";
    const { tcUrl, url } = redirectUrls({
      ip: "127.0.0.1",
      port: 19_352,
      vhost,
      app,
      stream,
      parameters,
      host,
    });
    peer.session.redirect(tcUrl, url);
    const theirs = srsSide(name, "server").at(-1);
    assert.equal(theirs?.name, "onStatus NetConnection.Connect.Rejected");
    assert.deepEqual(peer.session.takeOutput(), theirs.bytes);
  });
}

for (const name of ["edge_push", "forward"] as const) {
  Deno.test(`media that SRS's ${name} sends with its publish, not waiting for an answer, is all there`, () => {
    const { events } = replay(name);
    const media = events.filter((event) => event.kind === "media");
    const sent = readMessages([bytesOf(srsSide(name, "client"))]).filter(isMediaMessage);
    assert.ok(sent.length >= 6);
    assert.deepEqual(media.map(({ typeId, timestamp }) => [typeId, timestamp]), sent.map(timeOf));
    for (const [index, { typeId, payload }] of media.entries()) {
      if (typeId === MESSAGE_TYPE.data) assert.equal(decodeAmf0(payload)[0], "onMetaData");
      else assert.deepEqual(payload, sent[index]?.payload);
    }
  });
}

function isMediaMessage({ typeId }: RawMessage): boolean {
  return typeId === MESSAGE_TYPE.audio || typeId === MESSAGE_TYPE.video || typeId === MESSAGE_TYPE.data;
}

function timeOf({ typeId, timestamp }: RawMessage): [number, number] {
  return [typeId, timestamp];
}

Deno.test("an edge of SRS's that pushes a busy stream is told so; SRS's own origin only closes", () => {
  const peer = new SessionPeer();
  peer.shakeHands();
  peer.accept = (event) => {
    if (event.kind === "connect") peer.session.acceptConnect(0);
    if (event.kind === "publish") {
      peer.session.say.refused(event.messageStreamId, "NetStream.Publish.BadName", "busy");
    }
  };
  peer.receive(bytesOf(srsSide("edge_push_busy", "client")));
  const said = srsSide("edge_push_busy", "server").map(({ name }) => name);
  assert.equal(said.at(-1), "_result");
  const answers = peer.answers();
  assert.equal(answers.length, said.length + 1);
  assert.equal(answers.at(-1), "onStatus@1 error NetStream.Publish.BadName");
});
