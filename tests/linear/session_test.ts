import { RtmpError } from "../../lib/base/errors.ts";
import { Amf0Object, type Amf0Value, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { encodeChunks } from "../../lib/wire/chunk_writer.ts";
import { encodeCommand } from "../../lib/wire/commands.ts";
import { encodeUint32, encodeUserControl } from "../../lib/wire/control.ts";
import { flvTagBytes, writeFlvTag } from "../../lib/wire/flv.ts";
import { MESSAGE_TYPE, USER_CONTROL } from "../../lib/wire/message_type.ts";
import { cutEvery, joinBytes } from "../fakes/read_messages.ts";
import { SessionServer } from "../fakes/session_server.ts";
import { HANDSHAKE_BYTES } from "../fixtures/sessions.ts";
import { testGrowth } from "./growth.ts";
import { fillBytes, refusedOr } from "./inputs.ts";

const CHUNK_SIZE = 1 << 20;
const LIVE = Amf0Object.from({ app: "live", tcUrl: "rtmp://h/live" });

function message(
  typeId: number,
  payload: Uint8Array,
  messageStreamId = 1,
  chunkSize = CHUNK_SIZE,
): Uint8Array {
  const header = { typeId, timestamp: 0, messageStreamId, chunkStreamId: 3 };
  return encodeChunks(header, payload, chunkSize);
}

function command(messageStreamId: number, name: string, object: Amf0Value, ...rest: Amf0Value[]): Uint8Array {
  return message(MESSAGE_TYPE.command, encodeCommand(name, 1, object, ...rest), messageStreamId);
}

const HANDSHAKE = joinBytes(Uint8Array.of(3), new Uint8Array(HANDSHAKE_BYTES - 1));
const LARGE_CHUNKS = message(MESSAGE_TYPE.setChunkSize, encodeUint32(CHUNK_SIZE), 0, 128);
const CONNECTED = joinBytes(
  HANDSHAKE,
  LARGE_CHUNKS,
  command(0, "connect", LIVE),
  command(0, "createStream", null),
);
const PUBLISHING = joinBytes(CONNECTED, command(1, "publish", null, "a"));

/** A whole session: `before`, then what `make` makes for each of `count`, in pieces of so many bytes. */
function session(
  before: Uint8Array,
  make: (index: number) => Uint8Array,
  pieceBytes = 16_384,
): (count: number) => () => unknown {
  return (count) => {
    const bytes = joinBytes(before, ...Array.from({ length: count }, (_, index) => make(index)));
    const pieces = cutEvery(bytes, pieceBytes);
    return () =>
      refusedOr(RtmpError, () => {
        const server = new SessionServer();
        try {
          for (const piece of pieces) server.receive(piece);
        } finally {
          server.close();
        }
      });
  };
}

function emptyAggregate(parts: number): Uint8Array {
  const part = new Uint8Array(flvTagBytes(0));
  writeFlvTag(part, 0, MESSAGE_TYPE.audio, 0, new Uint8Array(0));
  return message(MESSAGE_TYPE.aggregate, fillBytes([...part], parts * part.length));
}

testGrowth([
  {
    name: "session",
    size: 100,
    kinds: {
      "of streams that are made and deleted": session(CONNECTED, () => {
        return joinBytes(command(0, "createStream", null), command(0, "deleteStream", null, 2));
      }),
      "of streams that are made": session(CONNECTED, () => command(0, "createStream", null)),
      "of plays": session(CONNECTED, (index) => command(1, "play", null, `s${index}`)),
      "of plays that end": session(CONNECTED, () => {
        return joinBytes(command(1, "play", null, "s"), command(1, "closeStream", null));
      }),
      "of publishes that end": session(CONNECTED, () => {
        return joinBytes(command(1, "publish", null, "s"), command(1, "closeStream", null));
      }),
      "of names that are announced": session(CONNECTED, (index) => {
        return joinBytes(
          command(0, "releaseStream", null, `${index}`),
          command(0, "FCPublish", null, `${index}`),
        );
      }),
      "of names that are taken back": session(PUBLISHING, () => command(0, "FCUnpublish", null, "a")),
      "of pauses": session(joinBytes(CONNECTED, command(1, "play", null, "s")), (index) => {
        return command(1, "pause", null, index % 2 === 0, 0);
      }),
      "of commands that nobody knows": session(CONNECTED, (index) => command(0, `c${index}`, null)),
      "of commands that do not decode": session(CONNECTED, () => {
        return message(MESSAGE_TYPE.command, Uint8Array.of(2, 0, 1, 0x61, 0xff), 0);
      }),
      "of pings": session(CONNECTED, (index) => {
        return message(MESSAGE_TYPE.userControl, encodeUserControl(USER_CONTROL.pingRequest, index), 0);
      }),
      "of windows": session(CONNECTED, (index) => {
        return message(MESSAGE_TYPE.windowAcknowledgementSize, encodeUint32(index + 1), 0);
      }),
      "of data": session(PUBLISHING, () => message(MESSAGE_TYPE.data, encodeAmf0(["onText", 1]))),
      "of metadata": session(PUBLISHING, (index) => {
        return message(
          MESSAGE_TYPE.data,
          encodeAmf0(["@setDataFrame", "onMetaData", Amf0Object.from({ index })]),
        );
      }),
      "of aggregates": session(PUBLISHING, () => emptyAggregate(10)),
      "of one long aggregate": (count) => session(PUBLISHING, () => emptyAggregate(count * 10))(1),
      "of frames byte by byte": session(PUBLISHING, () => {
        return message(MESSAGE_TYPE.video, Uint8Array.of(0x27, 1, 0, 0, 0, 1, 2, 3));
      }, 1),
    },
  },
]);
