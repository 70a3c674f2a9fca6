import { errorText } from "../base/errors.ts";
import type { Config } from "../config/config.ts";
import { apiUrl } from "./health.ts";

/** How often the server is asked how far it is, in milliseconds. */
const ASK_MS = 500;
const TIMEOUT_MS = 5000;

/** What of the API's answer is read. */
interface DrainAnswer {
  readonly state: string;
  readonly left: { readonly publishers: number; readonly players: number };
}

/**
 * Drains the server that runs with this configuration on this machine, and waits until no client is left: what Kubernetes calls before
 * it stops a container.
 *
 * @returns The exit code.
 */
export async function drainServer(
  config: Config,
  say: (text: string) => void,
  complain: (text: string) => void,
): Promise<number> {
  const url = apiUrl(config, "/api/v1/drain");
  if (url === undefined) {
    complain("Cannot drain: http_api is off; send SIGQUIT instead\n");
    return 1;
  }
  let last = "";
  try {
    for (let method = "POST";; method = "GET") {
      const answer = await ask(url, method, config);
      const { state, left: { publishers, players } } = answer;
      const line = `${state}: ${publishers} publishers, ${players} players\n`;
      if (line !== last) say(last = line);
      if (state === "drained") return 0;
      if (state === "off") {
        complain("The drain was cancelled\n");
        return 1;
      }
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
  } catch (error) {
    complain(`Cannot drain: ${errorText(error)}\n`);
    return 1;
  }
}

async function ask(url: string, method: string, { http_api: { auth } }: Config): Promise<DrainAnswer> {
  const credentials = auth.token === ""
    ? `Basic ${encodeBase64(`${auth.username}:${auth.password}`)}`
    : `Bearer ${auth.token}`;
  const headers = auth.enabled ? { Authorization: credentials } : undefined;
  const response = await fetch(url, {
    method,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    ...(headers === undefined ? {} : { headers }),
  });
  const body = await response.json();
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${body.message}`);
  return body.data;
}

function encodeBase64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
