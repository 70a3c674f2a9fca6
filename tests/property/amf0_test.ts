import assert from "node:assert/strict";
import fc from "fast-check";
import { RtmpError } from "../../lib/base/errors.ts";
import { type Amf0Value, decodeAmf0, encodeAmf0 } from "../../lib/wire/amf0.ts";
import { decodeAmf3 } from "../../lib/wire/amf3_decoder.ts";
import { encodeAmf3 } from "../../lib/wire/amf3_encoder.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { amf0Value, amf3Value, plausibleAmf0 } from "./amf_arbitraries.ts";
import { SEED, SEED_TEXT } from "./random.ts";

fc.configureGlobal({ seed: SEED | 0 });

const WIDE = { ...DEFAULT_WIRE_LIMITS, maxAmfProperties: 1_000_000 };

Deno.test(`decodeAmf0() gives back what encodeAmf0() was given (${SEED_TEXT})`, () => {
  fc.assert(fc.property(fc.array(amf0Value, { maxLength: 5 }), (values) => {
    assert.deepEqual(decodeAmf0(encodeAmf0(values), WIDE), values);
  }));
});

Deno.test(`decodeAmf3() gives back what encodeAmf3() was given (${SEED_TEXT})`, () => {
  fc.assert(fc.property(fc.array(amf3Value, { maxLength: 5 }), (values) => {
    assert.deepEqual(decodeAmf3(encodeAmf3(values), WIDE), values);
  }));
});

Deno.test(`decodeAmf0() gives values or an RtmpError for plausible bytes, and what it gives can be encoded (${SEED_TEXT})`, () => {
  let accepted = 0;
  fc.assert(
    fc.property(plausibleAmf0, (bytes) => {
      const values = decodeOrRefuse(bytes);
      if (values === undefined) return;
      accepted++;
      const encoded = encodeAmf0(values);
      // Compared as bytes: values may hold cycles, and the second encoding must add nothing to the first.
      assert.deepEqual(encodeAmf0(decodeAmf0(encoded, WIDE)), encoded);
    }),
    { numRuns: 2000 },
  );
  assert(accepted > 20, `only ${accepted} inputs were accepted, so little was tested`);
});

Deno.test(`decodeAmf0() gives values or an RtmpError for good bytes that are cut or changed (${SEED_TEXT})`, () => {
  fc.assert(
    fc.property(fc.array(amf0Value, { maxLength: 3 }), fc.nat(), fc.nat(255), (values, place, value) => {
      const bytes = encodeAmf0(values);
      if (bytes.byteLength === 0) return;
      const at = place % bytes.byteLength;
      decodeOrRefuse(bytes.subarray(0, at));
      decodeOrRefuse(bytes.with(at, value));
    }),
    { numRuns: 500 },
  );
});

Deno.test(`decodeAmf0() gives values or an RtmpError for any bytes (${SEED_TEXT})`, () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
    decodeOrRefuse(bytes);
  }));
});

/** The values, or `undefined` for an RtmpError; whatever else is thrown is the failure we look for. */
function decodeOrRefuse(bytes: Uint8Array): Amf0Value[] | undefined {
  try {
    return decodeAmf0(bytes);
  } catch (error) {
    if (error instanceof RtmpError) return undefined;
    throw error;
  }
}
