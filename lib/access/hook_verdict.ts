import { escapeUnprintable } from "../base/printable.ts";

/** Of an answer that is none of the two, so much is shown, in characters. */
const SHOWN = 200;

/** What a hook's answer says. */
export type HookVerdict =
  /** `answer` is the object that it answered with; absent for a plain `0`. */
  | { readonly kind: "accepted"; readonly answer?: Readonly<Record<string, unknown>> }
  /** It has judged, and says no. */
  | { readonly kind: "refused"; readonly reason: string }
  /** It could not judge. */
  | { readonly kind: "failed"; readonly reason: string };

/**
 * Reads a hook's answer as SRS does: yes is status 200 or 201 and the body `0`, to the byte, or an object whose `code` is the integer 0.
 * Everything else is no; a status from 500 on says that the server could not judge.
 */
export function readVerdict(status: number, body: string): HookVerdict {
  if (status >= 500) return { kind: "failed", reason: `it answered with status ${status}` };
  if (status !== 200 && status !== 201) return no(`it answered with status ${status}, not 200 or 201`);
  if (body === "0") return { kind: "accepted" };
  const answer = parse(body);
  if (typeof answer !== "object" || answer === null || Array.isArray(answer)) {
    return no(`it answered ${shown(body)}, not 0 or an object with code 0`);
  }
  const { code } = answer as { code?: unknown };
  if (code === 0) return { kind: "accepted", answer: answer as Record<string, unknown> };
  return no(
    code === undefined || code === NO_INTEGER
      ? `it answered ${shown(body)}, an object without an integer code`
      : `it answered ${shown(body)}`,
  );
}

function no(reason: string): HookVerdict {
  return { kind: "refused", reason };
}

/** Stands for numbers such as `0.0`, which SRS does not take for 0. */
const NO_INTEGER = Symbol("no integer");

interface ParseContext {
  readonly source?: string;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(
      body,
      function (this: unknown, _key: string, value: unknown, context?: ParseContext) {
        return typeof value === "number" && !/^-?\d+$/.test(context?.source ?? "") ? NO_INTEGER : value;
      } as (key: string, value: unknown) => unknown,
    );
  } catch {
    // No JSON, or nested too deep.
    return undefined;
  }
}

function shown(body: string): string {
  if (body === "") return "nothing";
  return `'${escapeUnprintable(body.slice(0, SHOWN))}${body.length > SHOWN ? "..." : ""}'`;
}
