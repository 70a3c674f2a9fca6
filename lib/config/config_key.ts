/**
 * The kinds of values that a configuration holds. Each makes a zod schema and remembers, beside it, what the
 * reference file, the environment and the error messages need to know of the key.
 *
 * They are zod's small variant, since a program makes them all each time it starts.
 *
 * @module
 */
import * as z from "zod/mini";
import { parseAddressRule } from "../base/address_rule.ts";
import { shortText } from "../base/printable.ts";
import { parseAddressBlock } from "../base/ip_address.ts";
import { isHostAndPort, type ListenAddress, parseListen } from "./listen_address.ts";

/** How the text of an environment variable or of an SRS directive becomes a value. */
export type KeyKind = "boolean" | "integer" | "text" | "list" | "phrases" | "listen" | "latency";

/** What is known of one key. */
export interface KeyInfo {
  readonly kind: KeyKind;
  /** As it would stand in the file. */
  readonly default: unknown;
  /** What a right value looks like, to follow "must be". */
  readonly expects: string;
  /** What it does, and its unit. */
  readonly about: string;
  /** Never shown in messages. */
  readonly secret?: boolean;
}

const keyInfos = z.registry<KeyInfo>();

const BOOLEAN = z.boolean();
const TEXT = z.string();
const LISTEN_EXPECTS = `PORT, "IP:PORT", "[IPv6]:PORT", or a list of these`;

/** What is known of the key behind a schema; `undefined` for a table. */
export function keyInfo(schema: z.core.$ZodType): KeyInfo | undefined {
  return keyInfos.get(schema as z.ZodMiniType);
}

function key<T extends z.ZodMiniType>(schema: T, info: KeyInfo): T {
  keyInfos.add(schema, info);
  return schema;
}

/** true or false. */
export function boolean(value: boolean, about: string): z.ZodMiniDefault<z.ZodMiniBoolean> {
  return key(z._default(BOOLEAN, value), {
    kind: "boolean",
    default: value,
    expects: "true or false",
    about,
  });
}

/** A whole number from `min` to `max`. */
export function integer(
  value: number,
  min: number,
  max: number,
  about: string,
): z.ZodMiniDefault<z.ZodMiniNumberFormat> {
  const expects = `a whole number from ${min} to ${max}`;
  return key(z._default(integerBetween(min, max), value), {
    kind: "integer",
    default: value,
    expects,
    about,
  });
}

function integerBetween(min: number, max: number): z.ZodMiniNumberFormat {
  return z.int().check(z.minimum(min), z.maximum(max));
}

/** Milliseconds, up to a day. */
export function milliseconds(value: number, about: string, min = 0): z.ZodMiniDefault<z.ZodMiniNumberFormat> {
  return integer(value, min, 86_400_000, about);
}

/** A whole number from `min` to `max` where 0, outside of that range, says that the key is not set. */
export function integerOrZero(
  min: number,
  max: number,
  about: string,
): z.ZodMiniDefault<z.ZodMiniUnion<readonly [z.ZodMiniLiteral<0>, z.ZodMiniNumberFormat]>> {
  const expects = `0 or a whole number from ${min} to ${max}`;
  const schema = z._default(z.union([z.literal(0), integerBetween(min, max)]), 0);
  return key(schema, { kind: "integer", default: 0, expects, about });
}

/** Any text. */
export function text(value: string, about: string): z.ZodMiniDefault<z.ZodMiniString> {
  return key(z._default(TEXT, value), { kind: "text", default: value, expects: "a text", about });
}

/** A text that no message and no log may repeat. */
export function secretText(about: string): z.ZodMiniDefault<z.ZodMiniString> {
  return key(z._default(TEXT, ""), {
    kind: "text",
    default: "",
    expects: "a text",
    about,
    secret: true,
  });
}

/** A text of a certain form. */
export function matchingText(
  value: string,
  pattern: RegExp,
  expects: string,
  about: string,
): z.ZodMiniDefault<z.ZodMiniString> {
  return key(z._default(TEXT.check(z.regex(pattern)), value), {
    kind: "text",
    default: value,
    expects,
    about,
  });
}

/** One of some words. A word of digits may be written as a number too. */
export function choice<const T extends string>(
  words: readonly [T, ...T[]],
  value: NoInfer<T>,
  about: string,
): z.ZodMiniPrefault<z.ZodMiniType<T, unknown>> {
  const schema: z.ZodMiniType<T, unknown> = z.pipe(
    z.transform((input) => typeof input === "number" ? String(input) : input),
    z.literal(words),
  );
  const expects = `one of ${words.join(", ")}`;
  return key(z.prefault(schema, value), { kind: "text", default: value, expects, about });
}

/** Addresses of other servers, `host[:port]` each. */
export function servers(about: string): z.ZodMiniDefault<z.ZodMiniArray<z.ZodMiniString>> {
  const address = TEXT.check(z.refine(isHostAndPort));
  const expects = `a list of "host:port"`;
  return key(z._default(z.array(address), []), { kind: "list", default: [], expects, about });
}

/** URLs of HTTP servers; one alone needs no list. */
export function httpUrls(about: string): z.ZodMiniPrefault<z.ZodMiniType<string[], unknown>> {
  const url = TEXT.check(z.refine(isHttpUrl));
  const schema: z.ZodMiniType<string[], unknown> = z.pipe(
    z.transform((input) => typeof input === "string" ? [input] : input),
    z.array(url),
  );
  const expects = 'a list of URLs that begin with "http://" or "https://"';
  // A URL may have a password.
  return key(z.prefault(schema, []), { kind: "list", default: [], expects, about, secret: true });
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === "http:" || url.protocol === "https:") &&
    /^https?:\/\//i.test(text);
}

/** Domains, such as `example.com`. */
export function domains(about: string): z.ZodMiniDefault<z.ZodMiniArray<z.ZodMiniString>> {
  const domain = TEXT.check(z.regex(/^\.?[^\s/:?#@]+$/));
  const expects = 'a list of domains such as "example.com", without a scheme or a path';
  return key(z._default(z.array(domain), []), { kind: "list", default: [], expects, about });
}

/** Rules of who may come from where, as in `deny publish all`. */
export function addressRules(about: string): z.ZodMiniDefault<z.ZodMiniArray<z.ZodMiniString>> {
  const rule = TEXT.check((context) => {
    try {
      parseAddressRule(context.value);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      const message = `value is ${JSON.stringify(shortText(context.value))}: ${error.message}`;
      context.issues.push({ code: "custom", message, input: context.value });
    }
  });
  const expects = 'a list of rules such as "allow publish 10.0.0.0/8" and "deny play all"';
  return key(z._default(z.array(rule), []), { kind: "phrases", default: [], expects, about });
}

/**
 * A list of texts that are each right.
 *
 * @param isSecret No message and no log may repeat them.
 */
export function texts(
  isRight: (text: string) => boolean,
  expects: string,
  about: string,
  isSecret = false,
  value: readonly string[] = [],
): z.ZodMiniDefault<z.ZodMiniArray<z.ZodMiniString>> {
  const schema = z._default(z.array(TEXT.check(z.refine(isRight))), [...value]);
  return key(schema, { kind: "list", default: value, expects, about, ...(isSecret ? { secret: true } : {}) });
}

/**
 * A text that is empty or right.
 *
 * @param isSecret No message and no log may repeat it.
 */
export function checkedText(
  isRight: (text: string) => boolean,
  expects: string,
  about: string,
  isSecret = false,
): z.ZodMiniDefault<z.ZodMiniString> {
  const schema = z._default(TEXT.check(z.refine((text) => text === "" || isRight(text))), "");
  return key(schema, { kind: "text", default: "", expects, about, ...(isSecret ? { secret: true } : {}) });
}

/** Addresses of other RTMP servers, `host[:port]` or a URL of only that. */
export function origins(about: string): z.ZodMiniDefault<z.ZodMiniArray<z.ZodMiniString>> {
  const address = TEXT.check(z.refine((text) => isHostAndPort(text.replace(/^rtmps?:\/\//i, ""))));
  const expects = `a list of "host:port" and "rtmps://host:port"`;
  return key(z._default(z.array(address), []), { kind: "list", default: [], expects, about });
}

/** Host names and IP addresses. */
export function hosts(about: string): z.ZodMiniDefault<z.ZodMiniArray<z.ZodMiniString>> {
  const host = TEXT.check(z.regex(/^[A-Za-z0-9._:-]+$/));
  return key(z._default(z.array(host), []), { kind: "list", default: [], expects: "a list of hosts", about });
}

/** Addresses to listen on. */
export function listen(
  value: number,
  about: string,
): z.ZodMiniPrefault<z.ZodMiniType<ListenAddress[], unknown>> {
  const schema = read(parseListen);
  return key(z.prefault(schema, value), { kind: "listen", default: value, expects: LISTEN_EXPECTS, about });
}

/** Addresses to listen on, none by default. */
export function listenOrNot(about: string): z.ZodMiniPrefault<z.ZodMiniType<ListenAddress[], unknown>> {
  const schema = read((input) => Array.isArray(input) && input.length === 0 ? [] : parseListen(input));
  return key(z.prefault(schema, []), { kind: "listen", default: [], expects: LISTEN_EXPECTS, about });
}

/** What `parse` makes of a value; a RangeError of it says what is wrong with the value. */
function read<T>(parse: (input: unknown) => T): z.ZodMiniType<T, unknown> {
  return z.transform((input, context) => {
    try {
      return parse(input);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.issues.push({ code: "custom", message: error.message, input });
      return z.NEVER;
    }
  });
}

/** IP addresses and blocks of them. */
export function addresses(about: string): z.ZodMiniDefault<z.ZodMiniArray<z.ZodMiniString>> {
  const address = TEXT.check(z.refine(isAddressBlock));
  const expects = 'a list of IP addresses and blocks such as "10.0.0.0/8"';
  return key(z._default(z.array(address), []), { kind: "list", default: [], expects, about });
}

function isAddressBlock(text: string): boolean {
  try {
    parseAddressBlock(text);
    return true;
  } catch {
    return false;
  }
}

/** A section. One that is left out has every default. */
export function section<const T extends z.core.$ZodShape>(
  shape: T,
): z.ZodMiniPrefault<z.ZodMiniObject<T, z.core.$strict>> {
  return z.prefault(z.strictObject(shape), {} as z.core.input<z.ZodMiniObject<T, z.core.$strict>>);
}

/** Milliseconds, or `"auto"`: as much as the load needs. */
export function latency(
  about: string,
): z.ZodMiniDefault<z.ZodMiniUnion<readonly [z.ZodMiniLiteral<"auto">, z.ZodMiniNumberFormat]>> {
  const schema = z._default(z.union([z.literal("auto"), integerBetween(0, 60_000)]), "auto");
  const expects = `"auto" or a whole number from 0 to 60000`;
  return key(schema, { kind: "latency", default: "auto", expects, about });
}
