import assert from "node:assert/strict";
import { isMetadata, readDataMessage } from "../../lib/wire/data_message.ts";
import { hex } from "./hex.ts";

const META = "02 000a 'onMetaData'";
const AMF3_META = "11 06 15 'onMetaData'";
const SET_DATA_FRAME = "02 000d '@setDataFrame'";

const CASES: { name: string; bytes: string; body: string | undefined }[] = [
  { name: "onMetaData as it is", bytes: `${META} 05`, body: `${META} 05` },
  { name: "onMetaData without @setDataFrame", bytes: `${SET_DATA_FRAME} ${META} 05`, body: `${META} 05` },
  { name: "onMetaData without the format byte", bytes: `00 ${META} 05`, body: `${META} 05` },
  { name: "onMetaData without either", bytes: `00 ${SET_DATA_FRAME} ${META}`, body: META },
  {
    name: "a name in AMF3 as one in AMF0",
    bytes: `00 ${SET_DATA_FRAME} ${AMF3_META} 05`,
    body: `${META} 05`,
  },
  { name: "the same from the first name on", bytes: `11 06 1b '@setDataFrame' ${AMF3_META}`, body: META },
  { name: "nothing of @clearDataFrame", bytes: `02 000f '@clearDataFrame' ${META}`, body: undefined },
  { name: "nothing of an empty message", bytes: "", body: undefined },
  { name: "nothing of a four-byte filler", bytes: "00 000000", body: undefined },
  { name: "nothing of @setDataFrame alone", bytes: SET_DATA_FRAME, body: undefined },
  { name: "what nobody knows, as it is", bytes: "02 0005 'onFoo' 05", body: "02 0005 'onFoo' 05" },
  { name: "nothing of an object without a name", bytes: "03 000009", body: undefined },
  { name: "nothing of one behind @setDataFrame", bytes: `${SET_DATA_FRAME} 03 000009`, body: undefined },
  { name: "nothing of an array without a name", bytes: "08 00000000 000009", body: undefined },
  { name: "nothing of a number", bytes: "00 3ff0000000000000 02 0001 'x'", body: undefined },
  { name: "nothing of a null", bytes: "05 05", body: undefined },
  { name: "nothing of an empty name", bytes: "02 0000 05", body: undefined },
  { name: "nothing of a name that is cut off", bytes: "02 000a 'onMeta'", body: undefined },
  { name: "nothing of a reference to an AMF3 string", bytes: "11 06 14 'onMetaData'", body: undefined },
  { name: "nothing of bytes without meaning", bytes: "deadbeef deadbeef", body: undefined },
  { name: "a name of 63 bytes", bytes: `02 003f '${"n".repeat(63)}'`, body: `02 003f '${"n".repeat(63)}'` },
  { name: "nothing of a longer one", bytes: `02 0040 '${"n".repeat(64)}'`, body: undefined },
];

for (const { name, bytes, body } of CASES) {
  Deno.test(`readDataMessage() gives ${name}`, () => {
    assert.deepEqual(readDataMessage(hex(bytes)), body === undefined ? undefined : hex(body));
  });
}

Deno.test("isMetadata() knows onMetaData alone", () => {
  assert.ok(isMetadata(hex(`${META} 05`)));
  assert.ok(!isMetadata(hex("02 000b 'onMetaDatax' 05")));
  assert.ok(!isMetadata(hex("02 000a 'onCuePoint' 05")));
  assert.ok(!isMetadata(hex("02 000a 'onMeta'")));
});
