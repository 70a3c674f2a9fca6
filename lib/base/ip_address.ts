/** The 16 bytes of an IPv4-mapped IPv6 address begin so. */
const MAPPED_PREFIX = Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff);
const GROUPS = 8;
/** Longest text of an IPv6 address; a zone may follow it. */
const MAX_TEXT = 64;

/**
 * The 16 bytes of an IP address; of an IPv4 address those of its IPv4-mapped form, so that both forms are one. Undefined where the text
 * is none: numbers with leading zeros, which some read as octal, are not.
 */
export function parseIp(text: string): Uint8Array | undefined {
  if (text.length > MAX_TEXT) return undefined;
  const bytes = new Uint8Array(16);
  if (!text.includes(":")) {
    bytes.set(MAPPED_PREFIX);
    return parseIpv4(text, bytes.subarray(12)) ? bytes : undefined;
  }
  const zone = text.indexOf("%");
  return parseIpv6(zone < 0 ? text : text.slice(0, zone), bytes) ? bytes : undefined;
}

/** An address as it is compared, counted and logged: IPv4 where it is IPv4 in whichever form, else IPv6 in its canonical form (RFC 5952). */
export function formatIp(bytes: Uint8Array): string {
  if (isIpv4(bytes)) return bytes.subarray(12).join(".");
  const groups = Array.from(
    { length: GROUPS },
    (_, i) => ((bytes[2 * i] ?? 0) << 8) | (bytes[2 * i + 1] ?? 0),
  );
  const zeros = longestZeros(groups);
  const text = (from: number, to: number) =>
    groups.slice(from, to).map((group) => group.toString(16)).join(":");
  return zeros.length < 2
    ? text(0, GROUPS)
    : `${text(0, zeros.start)}::${text(zeros.start + zeros.length, GROUPS)}`;
}

/** Whether 16 bytes are an IPv4 address. */
export function isIpv4(bytes: Uint8Array): boolean {
  return MAPPED_PREFIX.every((byte, i) => bytes[i] === byte);
}

function parseIpv4(text: string, into: Uint8Array): boolean {
  const parts = text.split(".");
  if (parts.length !== 4) return false;
  return parts.every((part, i) => {
    into[i] = Number(part);
    return /^(?:0|[1-9]\d{0,2})$/.test(part) && Number(part) <= 255;
  });
}

function parseIpv6(text: string, into: Uint8Array): boolean {
  const gap = text.indexOf("::");
  if (gap < 0) return fillGroups(text.split(":"), into) === into.length;
  if (text.indexOf("::", gap + 1) >= 0) return false;
  const head = new Uint8Array(into.length);
  const tail = new Uint8Array(into.length);
  const headLength = fillGroups(splitGroups(text.slice(0, gap)), head);
  const tailLength = fillGroups(splitGroups(text.slice(gap + 2)), tail);
  // The gap stands for one group at least.
  if (headLength < 0 || tailLength < 0 || headLength + tailLength > into.length - 2) return false;
  into.set(head.subarray(0, headLength));
  into.set(tail.subarray(0, tailLength), into.length - tailLength);
  return true;
}

function splitGroups(text: string): string[] {
  return text === "" ? [] : text.split(":");
}

/** Writes groups; the last may be an IPv4 address. Returns how many bytes they are, or -1. */
function fillGroups(groups: readonly string[], into: Uint8Array): number {
  let length = 0;
  for (const [index, group] of groups.entries()) {
    if (index === groups.length - 1 && group.includes(".")) {
      if (length + 4 > into.length || !parseIpv4(group, into.subarray(length, length + 4))) return -1;
      length += 4;
    } else {
      if (length + 2 > into.length || !/^[0-9a-fA-F]{1,4}$/.test(group)) return -1;
      const value = parseInt(group, 16);
      into[length++] = value >> 8;
      into[length++] = value & 0xff;
    }
  }
  return length;
}

function longestZeros(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [index, group] of groups.entries()) {
    length = group === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: index - length + 1, length };
  }
  return best;
}

/** A block of addresses, as in `10.0.0.0/8`; bits beyond the prefix don't count. */
export interface AddressBlock {
  readonly bytes: Uint8Array;
  /** Of all 128 bits, also of an IPv4 block. */
  readonly prefixBits: number;
}

/**
 * Reads an address or a block in CIDR notation.
 *
 * @throws {RangeError} When it is neither.
 */
export function parseAddressBlock(text: string): AddressBlock {
  const [address = "", prefix, more] = text.split("/");
  const bytes = parseIp(address);
  const offset = address.includes(":") ? 0 : 96;
  const bits = prefix === undefined
    ? 128
    : /^(?:0|[1-9]\d{0,2})$/.test(prefix)
    ? Number(prefix) + offset
    : NaN;
  if (bytes === undefined || more !== undefined || address.includes("%") || !(bits <= 128)) {
    throw new RangeError(
      `Cannot read address: value is '${text}', expected an IP address or a block such as 10.0.0.0/8`,
    );
  }
  return { bytes, prefixBits: bits };
}

/** Addresses, alone and in blocks. */
export class AddressSet {
  readonly #blocks: readonly AddressBlock[];

  /** @throws {RangeError} When a text is no address and no block. */
  constructor(texts: readonly string[]) {
    this.#blocks = texts.map(parseAddressBlock);
  }

  get isEmpty(): boolean {
    return this.#blocks.length === 0;
  }

  /** Whether an address, in whichever form, is one of them. What is no address is not. */
  has(address: string): boolean {
    if (this.#blocks.length === 0) return false;
    const bytes = parseIp(address);
    return bytes !== undefined && this.#blocks.some((block) => isInBlock(bytes, block));
  }
}

/** Whether the bytes of an address are in a block. */
export function isInBlock(bytes: Uint8Array, block: AddressBlock): boolean {
  const whole = block.prefixBits >> 3;
  for (let i = 0; i < whole; i++) if (bytes[i] !== block.bytes[i]) return false;
  const bits = block.prefixBits & 7;
  const differing = (bytes[whole] ?? 0) ^ (block.bytes[whole] ?? 0);
  return bits === 0 || differing >> (8 - bits) === 0;
}

/** An IPv4 address in the form that an IPv6 socket gives it, as plain IPv4. */
export function plainAddress(hostname: string): string {
  return hostname.startsWith("::ffff:") && hostname.includes(".")
    ? hostname.slice("::ffff:".length)
    : hostname;
}

/** Whether an address is one by which only this machine is reached. */
export function isLoopback(hostname: string): boolean {
  const plain = plainAddress(hostname);
  return plain === "::1" || /^127(?:\.\d{1,3}){3}$/.test(plain);
}
