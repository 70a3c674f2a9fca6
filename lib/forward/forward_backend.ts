import { errorText } from "../base/errors.ts";
import type { StreamAddress } from "../base/stream_address.ts";

/** How long a backend may take, in milliseconds. */
const TIMEOUT_MS = 5000;
/** Longest answer that is read, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Who publishes what, as a backend is told. */
export interface ForwardQuestion {
  readonly clientId: string;
  readonly ip: string;
  readonly vhost: string;
  readonly tcUrl: string;
  readonly address: StreamAddress;
}

export interface ForwardBackendOptions {
  /** The web's `fetch`. */
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  readonly serverId: string;
  readonly serviceId: string;
  /** Sent as User-Agent. */
  readonly signature: string;
}

/**
 * Asks SRS's `on_forward` backend where a stream goes.
 *
 * @returns The URLs; none: nowhere.
 * @throws {Error} When it can't be reached, is too late, or does not answer as SRS expects it.
 */
export async function askForwardBackend(
  { fetch, serverId, serviceId, signature }: ForwardBackendOptions,
  backend: string,
  question: ForwardQuestion,
  signal: AbortSignal,
): Promise<string[]> {
  const { clientId, ip, vhost, tcUrl, address } = question;
  const body = JSON.stringify({
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
  });
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let status: number;
  let text: string;
  try {
    const response = await fetch(backend, {
      method: "POST",
      headers: { "Content-Type": "application/json", "User-Agent": signature },
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
    });
    status = response.status;
    text = await readText(response);
  } catch (error) {
    if (timeout.aborted) throw new Error(`no answer within ${TIMEOUT_MS} ms`);
    throw new Error(failureText(error));
  }
  if (status !== 200 && status !== 201) throw new Error(`it answered HTTP ${status}, must be 200`);
  return urlsOf(text);
}

/** The verdict of SRS: an object with the integer `code` 0 and `data.urls`. */
function urlsOf(text: string): string[] {
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    throw new Error("its answer is not JSON");
  }
  const code = property(answer, "code");
  if (code !== 0) throw new Error(`its answer has code ${JSON.stringify(code)?.slice(0, 40)}, must be 0`);
  const urls = property(property(answer, "data"), "urls");
  if (!Array.isArray(urls) || !urls.every((url) => typeof url === "string")) {
    throw new Error("its answer has no data.urls, a list of texts");
  }
  return urls.filter((url) => url !== "");
}

function property(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

async function readText(response: Response): Promise<string> {
  if (response.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const bytes of response.body) {
    length += bytes.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}

/** `fetch` hides the reason in the cause, behind the URL, which may hold a password. */
function failureText(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return errorText(cause).replace(/^error sending request for url \(\S+\): /, "");
}
