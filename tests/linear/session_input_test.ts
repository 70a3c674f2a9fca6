import { RtmpError } from "../../lib/base/errors.ts";
import { encodeAmf0 } from "../../lib/wire/amf0.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeUint32 } from "../../lib/wire/control.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { ClientPeer } from "../fakes/client_peer.ts";
import { SessionPeer } from "../fakes/session_peer.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fillBytes, refusedOr } from "./inputs.ts";

/** Bytes for the smaller input: the larger has about as many parts as an aggregate may. */
const SIZE = 120 * 1024;

const MESSAGES: Readonly<Record<string, (size: number) => readonly [typeId: number, payload: Uint8Array]>> = {
  "of an aggregate's parts": (size) => [MESSAGE_TYPE.aggregate, fillBytes(part(8, [0xaf]), size)],
  "of an aggregate's data": (size) => [
    MESSAGE_TYPE.aggregate,
    fillBytes(part(18, [...encodeAmf0(["@setDataFrame", "onMetaData"])]), size),
  ],
  "of an aggregate's parts that mean nothing": (
    size,
  ) => [MESSAGE_TYPE.aggregate, fillBytes(part(20, []), size)],
  "of a user control's body": (size) => [MESSAGE_TYPE.userControl, fillBytes([0, 6], size)],
};

function part(typeId: number, payload: readonly number[]): number[] {
  return [typeId, 0, 0, payload.length, 0, 0, 0, 0, 0, 0, 0, ...payload, 0, 0, 0, 11 + payload.length];
}

/** One half of a session, which is given one long message again and again. */
function entrance(name: string, makeReceive: () => (bytes: Uint8Array) => unknown): Entrance {
  const kinds = Object.entries(MESSAGES).map(([kind, make]) => [kind, (size: number) => {
    const [typeId, payload] = make(size);
    const chunkStreamId = 3;
    const message = { typeId, timestamp: 0, messageStreamId: 1, chunkStreamId };
    const bytes = encodeChunks(message, payload, 0x7fff_ffff);
    const receive = makeReceive();
    return () => refusedOr(RtmpError, () => receive(bytes));
  }]);
  return { name, size: SIZE, kinds: Object.fromEntries(kinds) };
}

testGrowth([
  entrance("one message, server's half", () => {
    const peer = SessionPeer.connected();
    peer.command("publish", 2, ["s"], 1);
    peer.send(MESSAGE_TYPE.setChunkSize, 0, encodeUint32(0x7fff_ffff));
    return (bytes) => {
      peer.session.receive(bytes);
      while (peer.session.nextEvent(0) !== undefined);
      peer.session.takeOutput();
    };
  }),
  entrance("one message, client's half", () => {
    const { session } = ClientPeer.playing();
    session.receive(encodeChunks(
      { typeId: MESSAGE_TYPE.setChunkSize, timestamp: 0, messageStreamId: 0, chunkStreamId: 2 },
      encodeUint32(0x7fff_ffff),
      128,
    ));
    return (bytes) => {
      session.receive(bytes);
      while (session.nextEvent() !== undefined);
      session.takeOutput();
    };
  }),
]);
