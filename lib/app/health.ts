import { errorText } from "../base/errors.ts";
import type { Config } from "../config/config.ts";

const TIMEOUT_MS = 2000;

/**
 * Asks the server that runs with this configuration, on this machine, whether it is alive: what a container's health
 * check calls where there is no other program to do so.
 *
 * @returns Undefined when it is, else what is wrong.
 */
export async function checkHealth(config: Config): Promise<string | undefined> {
  const url = apiUrl(config, "/healthz");
  if (url === undefined) return "Cannot check health: http_api is off";
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    await response.body?.cancel();
    return response.ok ? undefined : `Not healthy: ${url} answered ${response.status}`;
  } catch (error) {
    return `Cannot reach ${url}: ${problem(error)}`;
  }
}

/** Where the API of the server that runs with this configuration is reached from this machine; undefined where it is off. */
export function apiUrl({ http_api: api }: Config, path: string): string | undefined {
  const [address] = api.listen;
  if (!api.enabled || address === undefined) return undefined;
  return `http://${hostOf(address.hostname)}:${address.port}${path}`;
}

function problem(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError") return `no answer within ${TIMEOUT_MS} ms`;
  // `fetch` hides it in the cause.
  const cause = error instanceof Error ? error.cause ?? error : error;
  if (/dns error/i.test(errorText(cause))) return "the host name cannot be resolved";
  return "cannot connect";
}

function hostOf(hostname: string | undefined): string {
  if (hostname === undefined || hostname === "0.0.0.0") return "127.0.0.1";
  if (hostname === "::") return "[::1]";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
