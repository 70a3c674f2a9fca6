import { Changes } from "./changes.ts";

/** One call that a hook server was sent. */
export interface HookCall {
  readonly path: string;
  readonly headers: Headers;
  /** As sent. */
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** How a call is answered; `0` unless a test says otherwise. */
export type HookReply = (call: HookCall) => Response | Promise<Response> | undefined | Promise<undefined>;

/** A backend of hooks, which remembers what it was told. */
export class HookServer implements AsyncDisposable {
  readonly calls: HookCall[] = [];
  reply: HookReply = () => undefined;
  readonly #changes = new Changes();
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param tls Key and certificate, as PEM. */
  constructor(tls?: { readonly key: string; readonly cert: string }) {
    this.#server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {}, ...tls },
      async (request) => {
        const text = await request.text();
        const call = {
          path: new URL(request.url).pathname,
          headers: request.headers,
          text,
          body: JSON.parse(text),
        };
        this.calls.push(call);
        this.#changes.notify();
        return await this.reply(call) ?? new Response("0");
      },
    );
  }

  get port(): number {
    return this.#server.addr.port;
  }

  /** A URL of this server. */
  url(path: string = "/"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** The `action` of each call, in order. */
  get actions(): string[] {
    return this.calls.map(({ body }) => String(body["action"]));
  }

  /** Waits for so many calls. */
  async count(calls: number): Promise<void> {
    await this.#changes.until(
      () => this.calls.length >= calls || undefined,
      () => `${calls} calls of hooks, got ${this.actions.join(" ")}`,
      10_000,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
  }
}

/** The `http_hooks` of a vhost with every hook at one server. */
export function allHooks(url: string, more: Record<string, unknown> = {}): Record<string, unknown> {
  const names = ["on_connect", "on_close", "on_publish", "on_unpublish", "on_play", "on_stop"];
  return { enabled: true, ...Object.fromEntries(names.map((name) => [name, url])), ...more };
}
