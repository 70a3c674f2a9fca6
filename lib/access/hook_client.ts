import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { Turns } from "../base/turns.ts";
import { type HookVerdict, readVerdict } from "./hook_verdict.ts";

/** Requests to one server that are under way at a time, each on a connection of its own. */
export const MAX_REQUESTS_PER_SERVER = 100;
/** Requests to one server that wait for their turn. */
const MAX_WAITING = 10_000;
/** Longest answer, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** How hooks of one vhost are called. */
export interface HookCallSettings {
  /** How long one URL may take to answer, waiting for a turn included, in milliseconds. */
  readonly timeoutMs: number;
  readonly tls: { readonly ca?: string; readonly isUnverified: boolean };
}

/** Sends a body to a URL, follows no redirect, and gives the answer. */
export type Post = (
  url: string,
  body: string,
  options: {
    readonly headers: Readonly<Record<string, string>>;
    readonly signal: AbortSignal;
    readonly maxBytes: number;
    readonly tls: HookCallSettings["tls"];
  },
) => Promise<{ readonly status: number; readonly body: string }>;

export interface HookClientOptions {
  readonly post: Post;
  readonly clock: Clock;
  /** Name and version of this server. */
  readonly userAgent: string;
}

/** Calls hooks: POST requests in JSON, as SRS sends them. A server that is slow, silent, endless or gone costs its own requests, and no longer than their time. */
export class HookClient {
  readonly #options: HookClientOptions;
  readonly #servers = new Map<string, { readonly turns: Turns; users: number }>();

  constructor(options: HookClientOptions) {
    this.#options = options;
  }

  /**
   * Calls one URL. Never throws.
   *
   * @param fields The body, in this order.
   */
  async call(
    url: string,
    fields: Readonly<Record<string, string | number>>,
    settings: HookCallSettings,
  ): Promise<HookVerdict> {
    const { clock } = this.#options;
    const { timeoutMs } = settings;
    const late = new AbortController();
    const timer = clock.setTimer(
      () => late.abort(new Error(`no answer within ${timeoutMs} ms`)),
      timeoutMs,
    );
    try {
      return await this.#call(url, JSON.stringify(fields), settings, late.signal);
    } catch (error) {
      return { kind: "failed", reason: errorText(error) };
    } finally {
      clock.clearTimer(timer);
    }
  }

  async #call(
    url: string,
    body: string,
    { tls }: HookCallSettings,
    signal: AbortSignal,
  ): Promise<HookVerdict> {
    const { post, userAgent } = this.#options;
    const { host } = new URL(url);
    const server = this.#servers.get(host) ?? { turns: new Turns(MAX_REQUESTS_PER_SERVER), users: 0 };
    if (server.users >= MAX_REQUESTS_PER_SERVER + MAX_WAITING) {
      throw new Error(`${MAX_WAITING} other requests are waiting for it`);
    }
    server.users++;
    this.#servers.set(host, server);
    try {
      const end = await server.turns.take(signal);
      try {
        const { status, body: answer } = await post(url, body, {
          headers: { "Content-Type": "application/json", "User-Agent": userAgent },
          signal,
          maxBytes: MAX_ANSWER_BYTES,
          tls,
        });
        return readVerdict(status, answer);
      } finally {
        end();
      }
    } finally {
      if (--server.users === 0) this.#servers.delete(host);
    }
  }
}

/** What may be shown of a hook's URL: no login, and no parameters, which may hold keys. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
