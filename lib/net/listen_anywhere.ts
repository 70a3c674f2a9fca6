/** IPv6's wildcard takes IPv4 connections too, except on Windows. */
const EVERYWHERE = "::";
const EVERYWHERE_IPV4 = "0.0.0.0";

/**
 * Listens on a host, or, without one, on every address of the machine: IPv6's wildcard, which takes IPv4 too, and IPv4's where the
 * machine has no IPv6.
 *
 * @param isDualStack Whether IPv6's wildcard takes IPv4 connections on this system.
 * @param listen Listens, or throws.
 */
export function listenAnywhere<T>(
  hostname: string | undefined,
  isDualStack: boolean,
  listen: (hostname: string) => T,
): T {
  if (hostname !== undefined) return listen(hostname);
  if (!isDualStack) return listen(EVERYWHERE_IPV4);
  try {
    return listen(EVERYWHERE);
  } catch (error) {
    if (error instanceof Error && error.name === "AddrInUse") throw error;
    return listen(EVERYWHERE_IPV4);
  }
}
