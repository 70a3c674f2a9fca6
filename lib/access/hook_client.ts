import type { Clock, Timer } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { Turns } from "../base/turns.ts";
import { type HookVerdict, readVerdict } from "./hook_verdict.ts";

/** Requests to one server that are under way at a time, each on a connection of its own: clients wait for questions, nobody for news. */
const MAX_AT_ONCE = { question: 100, news: 50 } as const;
/** Connections that one server may have at a time. */
export const MAX_REQUESTS_PER_SERVER: number = MAX_AT_ONCE.question + MAX_AT_ONCE.news;
/** Requests of a kind to one server that wait for their turn. */
const MAX_WAITING = 10_000;
/** Longest answer, in bytes. */
const MAX_ANSWER_BYTES = 64 * 1024;

/** Something that a client waits for, or that is only told. */
export type HookCallKind = keyof typeof MAX_AT_ONCE;

/** How hooks of one vhost are called. */
export interface HookCallSettings {
  /** How long one URL may take to answer, in milliseconds; of a question waiting for its turn is part of it. */
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
    kind: HookCallKind = "question",
  ): Promise<HookVerdict> {
    const { clock } = this.#options;
    const late = new AbortController();
    const { timeoutMs } = settings;
    let timer: Timer | undefined;
    const start = () => {
      timer ??= clock.setTimer(() => late.abort(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    };
    // News is lost only when its own time is over, not that of others.
    if (kind === "question") start();
    try {
      const server = this.#enter(url, kind);
      try {
        const end = await server.turns.take(late.signal);
        start();
        return await this.#post(url, JSON.stringify(fields), settings, late.signal).finally(end);
      } finally {
        server.leave();
      }
    } catch (error) {
      return { kind: "failed", reason: errorText(error) };
    } finally {
      if (timer !== undefined) clock.clearTimer(timer);
    }
  }

  /** @throws {Error} When too many wait. */
  #enter(url: string, kind: HookCallKind): { readonly turns: Turns; readonly leave: () => void } {
    const key = `${kind} ${new URL(url).host}`;
    const server = this.#servers.get(key) ?? { turns: new Turns(MAX_AT_ONCE[kind]), users: 0 };
    if (server.users >= MAX_AT_ONCE[kind] + MAX_WAITING) {
      throw new Error(`${MAX_WAITING} other requests are waiting for it`);
    }
    server.users++;
    this.#servers.set(key, server);
    const leave = () => {
      if (--server.users === 0) this.#servers.delete(key);
    };
    return { turns: server.turns, leave };
  }

  async #post(
    url: string,
    body: string,
    { tls }: HookCallSettings,
    signal: AbortSignal,
  ): Promise<HookVerdict> {
    const { post, userAgent } = this.#options;
    const answer = await post(url, body, {
      headers: { "Content-Type": "application/json", "User-Agent": userAgent },
      signal,
      maxBytes: MAX_ANSWER_BYTES,
      tls,
    });
    return readVerdict(answer.status, answer.body);
  }
}

/** What may be shown of a hook's URL: no login, and no parameters, which may hold keys. */
export function shownUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
