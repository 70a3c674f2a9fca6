import { BlockList, isIPv6 } from "node:net";
import { plainAddress } from "../base/ip_address.ts";

const EVERYWHERE: ReadonlySet<string> = new Set(["0.0.0.0", "::"]);

/** Addresses that nobody on the internet reaches (IANA's special-purpose registries). */
const PRIVATE = new BlockList();
for (
  const [network, prefix] of [
    ["0.0.0.0", 8],
    ["10.0.0.0", 8],
    ["100.64.0.0", 10],
    ["127.0.0.0", 8],
    ["169.254.0.0", 16],
    ["172.16.0.0", 12],
    ["192.168.0.0", 16],
  ] as const
) PRIVATE.addSubnet(network, prefix);
for (const [network, prefix] of [["::", 127], ["fc00::", 7], ["fe80::", 10]] as const) {
  PRIVATE.addSubnet(network, prefix, "ipv6");
}

/**
 * The first address by which the internet may reach what listens somewhere; undefined: none.
 *
 * @param listens Where it listens.
 * @param interfaces The addresses of this machine.
 */
export function publicListen(listens: readonly string[], interfaces: readonly string[]): string | undefined {
  return listens
    .flatMap((hostname) => EVERYWHERE.has(hostname) ? interfaces : [hostname])
    .map((address) => plainAddress(address.split("%", 1)[0] ?? ""))
    .find((address) => !PRIVATE.check(address, isIPv6(address) ? "ipv6" : "ipv4"));
}
