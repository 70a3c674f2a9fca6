import { errorText } from "./errors.ts";

/** A port that can't be had. */
export class ListenError extends Error {
  override readonly name = "ListenError";
  readonly hostname: string;
  readonly port: number;
  /** Whether another program listens there. */
  readonly isInUse: boolean;

  /** @param cause What the runtime threw. */
  constructor(address: { readonly hostname: string; readonly port: number }, cause: unknown) {
    const isInUse = cause instanceof Error && cause.name === "AddrInUse";
    const reason = isInUse ? "the port is in use" : errorText(cause);
    super(`Cannot listen on ${address.hostname}:${address.port}: ${reason}`, { cause });
    this.hostname = address.hostname;
    this.port = address.port;
    this.isInUse = isInUse;
  }
}
