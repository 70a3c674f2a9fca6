import { errorText } from "./errors.ts";

/** Why a port can't be had, as far as there is a remedy. */
export type ListenProblem = "in-use" | "not-allowed" | "other-machine" | "unknown-host" | "other";

/** A port that can't be had. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly hostname: string;
  readonly port: number;
  readonly problem: ListenProblem;

  /** @param cause What the runtime threw. */
  constructor(address: { readonly hostname: string; readonly port: number }, cause: unknown) {
    const problem = problemOf(cause);
    super(`Cannot listen on ${address.hostname}:${address.port}: ${REASONS[problem] ?? errorText(cause)}`, {
      cause,
    });
    this.hostname = address.hostname;
    this.port = address.port;
    this.problem = problem;
  }
}

const REASONS: Readonly<Partial<Record<ListenProblem, string>>> = {
  "in-use": "the port is already in use",
  "not-allowed": "permission denied: the user may not bind this port",
  "other-machine": "it is not an address of this machine",
  "unknown-host": "the host name cannot be resolved",
};

function problemOf(cause: unknown): ListenProblem {
  if (!(cause instanceof Error)) return "other";
  switch (cause.name) {
    case "AddrInUse":
      return "in-use";
    case "PermissionDenied":
      return "not-allowed";
    case "AddrNotAvailable":
      return "other-machine";
  }
  // The runtime has no name for these: a look-up that failed, a text that is no name, an interface that is not there.
  return cause.name === "URIError" || /lookup|No such device|no such host/i.test(cause.message)
    ? "unknown-host"
    : "other";
}
