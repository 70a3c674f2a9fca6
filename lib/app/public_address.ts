import { ifKnown } from "./if_known.ts";

const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1"]);

/**
 * An address of this machine that others may reach: the first that is not its own loop, IPv4 before IPv6. `127.0.0.1` where there is
 * none, or where this process may not know.
 */
export function publicAddress(): string {
  const interfaces = ifKnown(() => Deno.networkInterfaces()) ?? [];
  const outside = interfaces.filter(({ address }) => !LOOPBACK.has(address));
  return (outside.find(({ family }) => family === "IPv4") ?? outside[0])?.address ?? "127.0.0.1";
}
