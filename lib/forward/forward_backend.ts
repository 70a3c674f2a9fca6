import type { HookCallSettings } from "../access/hook_client.ts";
import type { HookVerdict } from "../access/hook_verdict.ts";
import type { StreamAddress } from "../base/stream_address.ts";

/** Who publishes what, as a backend is told. */
export interface ForwardQuestion {
  readonly clientId: string;
  readonly ip: string;
  readonly vhost: string;
  readonly tcUrl: string;
  readonly address: StreamAddress;
}

export interface ForwardBackendOptions {
  /** Calls a hook; never throws. */
  readonly call: (
    url: string,
    fields: Readonly<Record<string, string>>,
    settings: HookCallSettings,
  ) => Promise<HookVerdict>;
  readonly serverId: string;
  readonly serviceId: string;
}

/** A backend has not said where a stream goes. */
export class ForwardBackendError extends Error {
  override readonly name = "ForwardBackendError";
  /** It has judged, and says no. */
  readonly isRefusal: boolean;

  constructor(message: string, isRefusal: boolean) {
    super(message);
    this.isRefusal = isRefusal;
  }
}

/**
 * Asks SRS's `on_forward` backend where a stream goes.
 *
 * @returns The URLs; none: nowhere.
 * @throws {ForwardBackendError} When it can't be reached, is too late, or does not answer as SRS expects it.
 */
export async function askForwardBackend(
  { call, serverId, serviceId }: ForwardBackendOptions,
  backend: string,
  question: ForwardQuestion,
  settings: HookCallSettings,
): Promise<string[]> {
  const { clientId, ip, vhost, tcUrl, address } = question;
  const verdict = await call(backend, {
    action: "on_forward",
    server_id: serverId,
    service_id: serviceId,
    client_id: clientId,
    ip,
    vhost,
    app: address.app,
    tcUrl,
    stream: address.stream,
    param: address.parameters,
  }, settings);
  if (verdict.kind !== "accepted") throw new ForwardBackendError(verdict.reason, verdict.kind === "refused");
  const data = verdict.answer?.["data"];
  const urls = typeof data === "object" && data !== null
    ? (data as Record<string, unknown>)["urls"]
    : undefined;
  if (!Array.isArray(urls) || !urls.every((url) => typeof url === "string")) {
    throw new ForwardBackendError("it answered without data.urls, a list of texts", true);
  }
  return urls.filter((url) => url !== "");
}
