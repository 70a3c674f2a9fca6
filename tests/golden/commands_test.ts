import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import { Amf0Object, type Amf0Value, decodeAmf0 } from "../../lib/wire/amf0.ts";
import { decodeCommand, encodeCommand, encodeStatus, readConnect } from "../../lib/wire/commands.ts";
import { encodePeerBandwidth, encodeUint32, encodeUserControl } from "../../lib/wire/control.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { hex, toHex } from "./hex.ts";

const limits = DEFAULT_WIRE_LIMITS;
const CREATE_STREAM = "02 000c 'createStream' 00 4000000000000000 05";
const NUMBER_7 = "00 401c000000000000";

const commands = [
  {
    name: "a plain command",
    typeId: 20,
    bytes: hex(CREATE_STREAM),
    value: { name: "createStream", transactionId: 2, object: null, arguments: [] },
  },
  {
    name: "arguments",
    typeId: 20,
    bytes: hex(`02 0004 'play' ${NUMBER_7} 05 02 0001 's' 00 c000000000000000 01 01`),
    value: { name: "play", transactionId: 7, object: null, arguments: ["s", -2, true] },
  },
  {
    name: "an AMF3 command: a format byte, then AMF0",
    typeId: 17,
    bytes: hex(`00 ${CREATE_STREAM}`),
    value: { name: "createStream", transactionId: 2, object: null, arguments: [] },
  },
  {
    name: "an AMF3 command without the format byte",
    typeId: 17,
    bytes: hex(CREATE_STREAM),
    value: { name: "createStream", transactionId: 2, object: null, arguments: [] },
  },
  {
    name: "a name alone",
    typeId: 20,
    bytes: hex("02 0005 'close'"),
    value: { name: "close", transactionId: 0, object: undefined, arguments: [] },
  },
  { name: "an empty message: no command", typeId: 20, bytes: hex(""), value: undefined },
  { name: "an AMF3 format byte alone: no command", typeId: 17, bytes: hex("00"), value: undefined },
  { name: "a four-byte filler: no command", typeId: 20, bytes: hex("00 000001"), value: undefined },
];
for (const { name, typeId, bytes, value } of commands) {
  Deno.test(`decodeCommand reads ${name}`, () => {
    assert.deepEqual(decodeCommand(typeId, bytes, limits), value);
  });
}

const CONNECT = "02 0007 'connect' 00 3ff0000000000000";
const live = Amf0Object.from({ app: "live" });

/** What decodes counts, whatever stands behind it. */
const brokenCommands = [
  { name: "zeros behind", bytes: `${CREATE_STREAM} 00 00 00`, is: ["createStream", 2, null] },
  { name: "noise behind", bytes: `${CREATE_STREAM} 31 'abc'`, is: ["createStream", 2, null] },
  {
    name: "a string behind that is cut off",
    bytes: `${CREATE_STREAM} 02 0009 'a'`,
    is: ["createStream", 2, null],
  },
  {
    name: "a value of an unknown kind in the command object",
    bytes: `${CONNECT} 03 0003 'app' 02 0004 'live' 0001 'x' 42 0005 'tcUrl'`,
    is: ["connect", 1, live],
  },
  {
    name: "a command object that is cut off",
    bytes: `${CONNECT} 03 0003 'app' 02 0004 'live' 0005 'tc'`,
    is: ["connect", 1, live],
  },
  {
    name: "more behind than may be held",
    bytes: `${CREATE_STREAM} 02 0001 's' 0c 00011170 ${"00".repeat(70_000)}`,
    is: ["createStream", 2, null, "s"],
  },
  {
    name: "objects behind that nest for ever",
    bytes: `${CREATE_STREAM} ${"03 0001 'a' ".repeat(33)}`,
    is: ["createStream", 2, null],
  },
  { name: "only a name and noise", bytes: "02 0001 'a' 42", is: ["a", 0, undefined] },
];
for (const { name, bytes, is } of brokenCommands) {
  Deno.test(`decodeCommand reads ${name}`, () => {
    const command = decodeCommand(20, hex(bytes), limits);
    assert.ok(command !== undefined);
    const { name, transactionId, object, arguments: rest } = command;
    assert.deepEqual([name, transactionId, object, ...rest].slice(0, is.length), is);
  });
}

for (
  const [name, bytes] of [
    ["a number for a name", `${NUMBER_7} ${NUMBER_7}`],
    ["an object for a name", "03 0000 09"],
    ["a null for a name", "05"],
    ["a name that is cut off", "02 000c 'create'"],
    ["noise", "42 42 42 42 42"],
  ] as const
) {
  Deno.test(`decodeCommand takes ${name} for no command`, () => {
    assert.equal(decodeCommand(20, hex(bytes), limits), undefined);
  });
}

Deno.test("encodeCommand writes what decodeCommand reads", () => {
  const bytes = encodeCommand("createStream", 2, null);
  assert.equal(toHex(bytes), toHex(hex(CREATE_STREAM)));
});

Deno.test("encodeStatus writes level, code, description, then the details", () => {
  const [name, transactionId, object, information] = decodeAmf0(
    encodeStatus("error", "NetStream.Failed", "why", { clientid: "x" }),
  );
  assert.deepEqual([name, transactionId, object], ["onStatus", 0, null]);
  assert.deepEqual([...(information as Amf0Object).entries], [
    ["level", "error"],
    ["code", "NetStream.Failed"],
    ["description", "why"],
    ["clientid", "x"],
  ]);
});

function connectWith(properties: Record<string, Amf0Value>, ...rest: Amf0Value[]) {
  return readConnect({
    name: "connect",
    transactionId: 1,
    object: Amf0Object.from({ tcUrl: "rtmp://h/live", ...properties }),
    arguments: rest,
  });
}

Deno.test("readConnect needs a tcUrl or an app, and nothing else", () => {
  assert.deepEqual(connectWith({}), {
    tcUrl: "rtmp://h/live",
    app: "",
    flashVersion: "",
    pageUrl: "",
    swfUrl: "",
    objectEncoding: 0,
    capsEx: 0,
    isEnhanced: false,
    argumentsObject: undefined,
    challenge: new Uint8Array(0),
  });
  for (const tcUrl of ["", null, 5, undefined]) {
    assert.throws(
      () => connectWith({ tcUrl }),
      (error) => error instanceof RtmpError && error.code === "connect-without-tc-url",
    );
    assert.equal(connectWith({ tcUrl, app: "live" }).tcUrl, "rtmp:///live", "the app says it");
  }
  assert.throws(
    () => readConnect({ name: "connect", transactionId: 1, object: null, arguments: [] }),
    RtmpError,
  );
});

Deno.test("readConnect leaves a login out, and takes the app where the tcUrl has none", () => {
  assert.equal(connectWith({ tcUrl: "rtmp://user:pass@h/live" }).tcUrl, "rtmp://h/live");
  const { tcUrl, app } = connectWith({ tcUrl: "rtmp://h:1935/", app: "live" });
  assert.deepEqual([tcUrl, app], ["rtmp://h:1935/live", "live"]);
});

Deno.test("readConnect sees Enhanced RTMP in any of its properties", () => {
  assert.ok(connectWith({ fourCcList: ["av01"] }).isEnhanced);
  assert.ok(connectWith({ videoFourCcInfoMap: Amf0Object.from({ "*": 1 }) }).isEnhanced);
  assert.ok(connectWith({ audioFourCcInfoMap: Amf0Object.from({ "*": 1 }) }).isEnhanced);
  const info = connectWith({ capsEx: 3 });
  assert.deepEqual([info.isEnhanced, info.capsEx], [true, 3]);
  assert.ok(!connectWith({ videoFunction: 1 }).isEnhanced);
});

Deno.test("readConnect keeps the second object: SRS's nodes say who they are there", () => {
  const argumentsObject = Amf0Object.from({ srs_sig: "SRS" });
  assert.equal(connectWith({}, argumentsObject).argumentsObject, argumentsObject);
  assert.equal(connectWith({}, "text").argumentsObject, undefined);
});

Deno.test("control bodies", () => {
  assert.equal(toHex(encodeUint32(0x80000001)), "80000001");
  assert.equal(toHex(encodePeerBandwidth(2_500_000)), "002625a002");
  assert.equal(toHex(encodeUserControl(3, 1, 3000)), "00030000000100000bb8");
});
