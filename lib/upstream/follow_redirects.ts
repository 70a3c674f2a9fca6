import { RtmpError } from "../base/errors.ts";
import { redirectedTarget, type UpstreamTarget } from "./upstream_target.ts";

/** Redirects followed in a row; one more is a loop. */
const MAX_REDIRECTS = 3;
/** A server that sends us on after so long has held us, and the redirects before it are not counted any more, in milliseconds. */
const HOLDING_MS = 1000;

/** What came of one connection that plays or publishes. */
export type UpstreamResult =
  | Held
  | Failed
  /** The other server named another one, after it had held the stream for so long. */
  | { readonly kind: "redirect"; readonly url: string; readonly heldMs: number };

/** It played or took the stream for so long. */
export interface Held {
  readonly kind: "held";
  /** The other server, for logs. */
  readonly by: string;
  readonly heldMs: number;
  /** What ended it; undefined when this side did. */
  readonly error: RtmpError | undefined;
}

/** It never came to that. */
export interface Failed {
  readonly kind: "failed";
  readonly error: RtmpError;
}

/**
 * Connects to a place, and to where it sends us.
 *
 * @param tried Told what came of the place itself, and of those that it names: that one of these can't be reached is not its own failure.
 */
export async function followRedirects(
  first: UpstreamTarget,
  connect: (target: UpstreamTarget) => Promise<UpstreamResult>,
  tried: (target: UpstreamTarget, error: RtmpError | undefined) => void,
): Promise<Held | Failed> {
  let target = first;
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects++) {
    const result = await connect(target);
    if (result.kind !== "redirect") {
      tried(target, result.error);
      if (target !== first) tried(first, undefined);
      return result;
    }
    if (result.heldMs >= HOLDING_MS) redirects = 0;
    try {
      target = redirectedTarget(target, result.url);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      tried(first, error);
      return { kind: "failed", error };
    }
  }
  const error = new RtmpError(
    "relay-loop",
    `Cannot follow more than ${MAX_REDIRECTS} redirects from ${first.tcUrl}`,
  );
  tried(first, error);
  return { kind: "failed", error };
}

/** Whether it says nothing but that the other server could not be spoken with, or is about to stop. */
export function isConnectionFailure(error: RtmpError): boolean {
  return error.code === "connection-lost" || error.code === "unreachable" || error.code === "shutting-down";
}
