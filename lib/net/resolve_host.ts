import { lookup } from "node:dns/promises";

/**
 * Every address of a host name, as the system resolves names (its hosts file included), in the system's order.
 *
 * @throws {Error} When the name is not known, or nobody could be asked.
 */
export async function resolveHost(name: string): Promise<string[]> {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address }) => address);
}
