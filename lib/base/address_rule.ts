import { type AddressBlock, parseAddressBlock } from "./ip_address.ts";

/** One rule of a vhost's `security`, as in `allow publish 10.0.0.0/8`. */
export interface AddressRule {
  /** As it was written. */
  readonly text: string;
  readonly verdict: "allow" | "deny";
  readonly action: "publish" | "play";
  readonly from: AddressBlock | "all";
}

/**
 * Reads a rule in SRS's words.
 *
 * @throws {RangeError} When it is none; says what is wrong.
 */
export function parseAddressRule(text: string): AddressRule {
  const words = text.split(/\s+/).filter((word) => word !== "");
  const [verdict, action, from, ...more] = words;
  if (verdict !== "allow" && verdict !== "deny") throw wrong("a rule begins with allow or deny");
  if (action !== "publish" && action !== "play") throw wrong(`after ${verdict} follows publish or play`);
  if (from === undefined || more.length > 0) {
    throw wrong(
      `after ${verdict} ${action} follows one of all, an IP address, or a block such as 10.0.0.0/8`,
    );
  }
  const rule = { text: words.join(" "), verdict, action } as const;
  if (from === "all") return { ...rule, from };
  try {
    return { ...rule, from: parseAddressBlock(from) };
  } catch {
    throw wrong(`'${from}' is not all, an IP address, or a block such as 10.0.0.0/8`);
  }
}

function wrong(reason: string): RangeError {
  return new RangeError(reason);
}
