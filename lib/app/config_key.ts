/**
 * The kinds of values that a configuration holds. Each makes a zod schema and remembers, beside it, what the
 * reference file, the environment and the error messages need to know of the key.
 *
 * @module
 */
import * as z from "zod";
import { isHostAndPort, type ListenAddress, parseListen } from "./listen_address.ts";

/** How the text of an environment variable or of an SRS directive becomes a value. */
export type KeyKind = "boolean" | "integer" | "text" | "list" | "listen" | "latency";

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

/** What is known of the key behind a schema; `undefined` for a table. */
export function keyInfo(schema: z.core.$ZodType): KeyInfo | undefined {
  return keyInfos.get(schema as z.ZodType);
}

function key<T extends z.ZodType>(schema: T, info: KeyInfo): T {
  keyInfos.add(schema, info);
  return schema;
}

/** true or false. */
export function boolean(value: boolean, about: string): z.ZodDefault<z.ZodBoolean> {
  return key(z.boolean().default(value), {
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
): z.ZodDefault<z.ZodInt> {
  const expects = `a whole number from ${min} to ${max}`;
  return key(z.int().min(min).max(max).default(value), { kind: "integer", default: value, expects, about });
}

/** Milliseconds, up to a day. */
export function milliseconds(value: number, about: string, min = 0): z.ZodDefault<z.ZodInt> {
  return integer(value, min, 86_400_000, about);
}

/** A whole number from `min` to `max` where 0, outside of that range, says that the key is not set. */
export function integerOrZero(
  min: number,
  max: number,
  about: string,
): z.ZodDefault<z.ZodUnion<readonly [z.ZodLiteral<0>, z.ZodInt]>> {
  const expects = `0 or a whole number from ${min} to ${max}`;
  const schema = z.union([z.literal(0), z.int().min(min).max(max)]).default(0);
  return key(schema, { kind: "integer", default: 0, expects, about });
}

/** Any text. */
export function text(value: string, about: string): z.ZodDefault<z.ZodString> {
  return key(z.string().default(value), { kind: "text", default: value, expects: "a text", about });
}

/** A text that no message and no log may repeat. */
export function secretText(about: string): z.ZodDefault<z.ZodString> {
  return key(z.string().default(""), { kind: "text", default: "", expects: "a text", about, secret: true });
}

/** A text of a certain form. */
export function matchingText(
  value: string,
  pattern: RegExp,
  expects: string,
  about: string,
): z.ZodDefault<z.ZodString> {
  return key(z.string().regex(pattern).default(value), { kind: "text", default: value, expects, about });
}

/** One of some words. A word of digits may be written as a number too. */
export function choice<const T extends string>(
  words: readonly [T, ...T[]],
  value: NoInfer<T>,
  about: string,
): z.ZodPrefault<z.ZodType<T, unknown>> {
  const schema: z.ZodType<T, unknown> = z.preprocess(
    (input) => typeof input === "number" ? String(input) : input,
    z.literal(words),
  );
  const expects = `one of ${words.join(", ")}`;
  return key(schema.prefault(value), { kind: "text", default: value, expects, about });
}

/** Addresses of other servers, `host[:port]` each. */
export function servers(about: string): z.ZodDefault<z.ZodArray<z.ZodString>> {
  const address = z.string().refine(isHostAndPort);
  const expects = `a list of "host:port"`;
  return key(z.array(address).default([]), { kind: "list", default: [], expects, about });
}

/** Addresses to listen on. */
export function listen(value: number, about: string): z.ZodPrefault<z.ZodType<ListenAddress[], unknown>> {
  const schema: z.ZodType<ListenAddress[], unknown> = z.unknown().transform((input, context) => {
    try {
      return parseListen(input);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
      return z.NEVER;
    }
  });
  const expects = `PORT, "IP:PORT", "[IPv6]:PORT", or a list of these`;
  return key(schema.prefault(value), { kind: "listen", default: value, expects, about });
}

/** Milliseconds, or `"auto"`: as much as the load needs. */
export function latency(
  about: string,
): z.ZodDefault<z.ZodUnion<readonly [z.ZodLiteral<"auto">, z.ZodInt]>> {
  const schema = z.union([z.literal("auto"), z.int().min(0).max(60_000)]).default("auto");
  const expects = `"auto" or a whole number from 0 to 60000`;
  return key(schema, { kind: "latency", default: "auto", expects, about });
}
