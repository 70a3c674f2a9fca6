import type { Agent, ClientRequest, IncomingMessage, RequestOptions } from "node:http";

/** Idle connections are closed after this time, before servers usually do so, in milliseconds. */
const IDLE_MS = 4000;

/** How a server's certificate is judged. */
export interface PostTls {
  /** The certificates of authorities to trust as PEM; absent: the system's. */
  readonly ca?: string;
  /** Take any certificate. */
  readonly isUnverified: boolean;
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  /** Longest body of an answer, in bytes. */
  readonly maxBytes: number;
  readonly tls: PostTls;
}

export interface PostAnswer {
  readonly status: number;
  readonly body: string;
}

/**
 * Sends requests over connections that are kept for the next one. By `node:http`, since the runtime's `fetch` sends headers of its own
 * and takes no self-signed certificate, neither as an authority nor unverified. Redirects are answers like others.
 */
export class HttpPoster {
  readonly #agents = new Map<string, Promise<Agent>>();

  /** @throws {Error} When there is no answer, or a longer one; the signal's reason when it aborts. */
  async post(url: string, body: string, options: PostOptions): Promise<PostAnswer> {
    const { signal } = options;
    for (let isRetry = false;; isRetry = true) {
      signal.throwIfAborted();
      const request = await this.#request(url, body, options);
      try {
        return await answerOf(request, body, options);
      } catch (error) {
        signal.throwIfAborted();
        // A kept connection that the server has closed meanwhile.
        if (isRetry || !request.reusedSocket || !isReset(error)) throw error;
      }
    }
  }

  /** Closes the connections. */
  close(): void {
    for (const agent of this.#agents.values()) agent.then((agent) => agent.destroy(), () => {});
    this.#agents.clear();
  }

  async #request(url: string, body: string, { headers, tls }: PostOptions): Promise<ClientRequest> {
    const isTls = url.startsWith("https:");
    const options: RequestOptions = {
      method: "POST",
      agent: await this.#agent(isTls, tls),
      headers: { ...headers, "Content-Length": new TextEncoder().encode(body).length },
    };
    if (isTls) return (await import("node:https")).request(url, options);
    return (await import("node:http")).request(url, options);
  }

  async #agent(isTls: boolean, { ca, isUnverified }: PostTls): Promise<Agent> {
    const key = isTls ? `${isUnverified}\n${ca ?? ""}` : "";
    let agent = this.#agents.get(key);
    if (agent === undefined) {
      agent = newAgent(isTls, { ...(ca === undefined ? {} : { ca }), rejectUnauthorized: !isUnverified });
      this.#agents.set(key, agent);
    }
    return await agent;
  }
}

async function newAgent(isTls: boolean, tls: { ca?: string; rejectUnauthorized: boolean }): Promise<Agent> {
  const options = { keepAlive: true, timeout: IDLE_MS };
  if (isTls) return new (await import("node:https")).Agent({ ...options, ...tls });
  return new (await import("node:http")).Agent(options);
}

function answerOf(request: ClientRequest, body: string, options: PostOptions): Promise<PostAnswer> {
  const { signal, maxBytes } = options;
  const { promise, resolve, reject } = Promise.withResolvers<PostAnswer>();
  const onAbort = () => {
    reject(signal.reason);
    request.destroy();
  };
  signal.addEventListener("abort", onAbort, { once: true });
  request.on("error", reject);
  request.on("close", () => reject(new Error("the connection was closed without an answer")));
  request.on("response", (response: IncomingMessage) => {
    const pieces: Uint8Array[] = [];
    let length = 0;
    response.on("error", reject);
    response.on("aborted", () => reject(new Error("the connection was closed within the answer")));
    response.on("data", (piece: Uint8Array) => {
      length += piece.length;
      pieces.push(piece);
      if (length <= maxBytes) return;
      reject(new Error(`the answer is longer than ${maxBytes} bytes`));
      request.destroy();
    });
    response.on("end", () => {
      const text = new TextDecoder();
      const body = pieces.map((piece) => text.decode(piece, { stream: true })).join("") + text.decode();
      resolve({ status: response.statusCode ?? 0, body });
    });
  });
  request.end(body);
  return promise.finally(() => signal.removeEventListener("abort", onAbort));
}

function isReset(error: unknown): boolean {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return code === "ECONNRESET" || code === "EPIPE" ||
    error instanceof Error && /closed without an answer|socket hang up/.test(error.message);
}
