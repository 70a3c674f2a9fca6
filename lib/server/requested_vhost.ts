import { DEFAULT_VHOST, type StreamAddress, streamKey } from "../base/stream_address.ts";
import { isIpAddress } from "../base/host_port.ts";
import type { VhostSettings } from "./vhost_settings.ts";

/**
 * The vhost that a request names: that of its parameters, else its host. Undefined where it names none: an address of the machine says
 * nothing of a vhost.
 */
export function requestedVhost({ vhost }: Pick<StreamAddress, "vhost">): string | undefined {
  return vhost === DEFAULT_VHOST || vhost === "localhost" || isIpAddress(vhost) ? undefined : vhost;
}

/**
 * What a request's stream is filed under: two vhosts are never one stream. An edge that asks its origins for the vhost of the request
 * keeps the streams of each apart, though it serves them all by the settings of one.
 */
export function requestKey(vhost: VhostSettings, address: StreamAddress): string {
  const name = vhost.separatesVhosts ? requestedVhost(address) ?? vhost.name : vhost.name;
  return streamKey(name, address.app, address.stream);
}
