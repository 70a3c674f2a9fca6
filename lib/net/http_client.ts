/** Connections to one server that are kept for the next request. */
const MAX_IDLE_PER_HOST = 2;
/** And for how long, in milliseconds. */
const IDLE_MS = 15_000;

/** The web's `fetch` over a pool of its own, which keeps few connections, whatever was asked at once. */
export class HttpClient {
  #client: Deno.HttpClient | undefined;

  readonly fetch = async (url: string, init: RequestInit): Promise<Response> => {
    this.#client ??= Deno.createHttpClient({
      poolMaxIdlePerHost: MAX_IDLE_PER_HOST,
      poolIdleTimeout: IDLE_MS,
      http2: false,
    });
    return await globalThis.fetch(url, { ...init, client: this.#client });
  };

  /** Closes the connections; requests that are under way fail. */
  close(): void {
    this.#client?.close();
    this.#client = undefined;
  }
}
