import { getLogger } from "@logtape/logtape";
import type { Clock } from "../base/clock.ts";
import { type AccessCheck, AccessRefusal, type Leave } from "./access_check.ts";
import type { AccessAction, AccessRequest } from "./access_request.ts";
import { EventOrder } from "./event_order.ts";
import { type HookCallKind, type HookCallSettings, type HookClient, shownUrl } from "./hook_client.ts";
import type { HookVerdict } from "./hook_verdict.ts";
import { Histograms } from "../base/histogram.ts";
import { Tally } from "../base/tally.ts";
import {
  closeFields,
  connectFields,
  dvrFields,
  type HookNode,
  playFields,
  type RecordedFile,
  type RecordedRequest,
  streamFields,
} from "./hook_fields.ts";

const log = getLogger(["headwater", "hooks"]);

/** The hooks that there are, by SRS's names. */
export const HOOKS = [
  "on_connect",
  "on_close",
  "on_publish",
  "on_unpublish",
  "on_play",
  "on_stop",
  "on_dvr",
] as const;
export type HookName = (typeof HOOKS)[number];

const VERDICTS: readonly HookVerdict["kind"][] = ["accepted", "refused", "failed"];

/** Buckets of how long calls take, in seconds. */
const BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The `http_hooks` of one vhost. */
export interface HookSettings extends HookCallSettings {
  /** Of each hook the URLs, called one after another. */
  readonly urls: Readonly<Record<HookName, readonly string[]>>;
  /** What becomes of a client whom a hook could not judge. */
  readonly onFailure: "refuse" | "allow";
}

/** What a connection came to, for `on_close`. */
export interface ConnectionTraffic {
  readonly sendBytes: number;
  readonly receiveBytes: number;
}

/** An RTMP connection that hooks know of. */
interface HookedConnection {
  /** What tells of its end, by vhost. */
  readonly ends: Map<string, (traffic: ConnectionTraffic) => void>;
  /** Things that it has begun and that are not over. */
  open: number;
  /** Of one that has ended. */
  traffic: ConnectionTraffic | undefined;
}

/** Shorter values of parameters are no secrets, in characters. */
const MIN_SECRET = 6;

type Fields = Readonly<Record<string, string | number>>;

/** What hooks of all vhosts share, for as long as the server runs. */
export class HookEvents {
  readonly #client: HookClient;
  readonly node: HookNode;
  readonly order: EventOrder = new EventOrder();
  readonly #clock: Clock;
  readonly #connections = new Map<string, HookedConnection>();
  /** What came of all calls. */
  readonly calls: Tally<"hook" | "result"> = new Tally(
    HOOKS.flatMap((hook) => VERDICTS.map((result) => ({ hook, result }))),
  );
  /** How long they took, with the wait for their turn. */
  readonly seconds: Histograms<HookName> = new Histograms(HOOKS, BOUNDS_SECONDS);

  constructor(client: HookClient, node: HookNode, clock: Clock) {
    this.#client = client;
    this.node = node;
    this.#clock = clock;
  }

  async call(
    hook: HookName,
    url: string,
    fields: Fields,
    settings: HookCallSettings,
    kind: HookCallKind,
  ): Promise<HookVerdict> {
    const startMs = this.#clock.now();
    const verdict = await this.#client.call(url, fields, settings, kind);
    this.seconds.observe(hook, (this.#clock.now() - startMs) / 1000);
    this.calls.count({ hook, result: verdict.kind });
    return verdict;
  }

  /** Resolves when nothing is left to be told, at the latest after a time. */
  async finish(timeoutMs: number): Promise<void> {
    await this.#within(timeoutMs, this.order.empty());
  }

  /** Resolves when everything of these keys has been told, at the latest after a time. */
  async settled(keys: readonly string[], timeoutMs: number): Promise<void> {
    if (this.order.isSettled(keys)) return;
    await this.#within(timeoutMs, this.order.settled(keys));
  }

  async #within(timeoutMs: number, done: Promise<void>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(late.resolve, timeoutMs);
    await Promise.race([done, late.promise]);
    this.#clock.clearTimer(timer);
  }

  /**
   * A client begins something; notes whom to tell of its connection's end, which comes last.
   *
   * @param tell The first of each vhost counts.
   * @returns To be called when it is over.
   */
  begin(clientId: string, vhost: string, tell: (traffic: ConnectionTraffic) => void): Leave {
    const connection = this.#connections.get(clientId) ?? { ends: new Map(), open: 0, traffic: undefined };
    this.#connections.set(clientId, connection);
    if (!connection.ends.has(vhost)) connection.ends.set(vhost, tell);
    connection.open++;
    return () => {
      connection.open--;
      this.#tellEnd(clientId, connection);
    };
  }

  /** A client's connection has ended. */
  closed(clientId: string, { sendBytes, receiveBytes }: ConnectionTraffic): void {
    const connection = this.#connections.get(clientId);
    if (connection === undefined) return;
    connection.traffic = { sendBytes, receiveBytes };
    this.#tellEnd(clientId, connection);
  }

  /** One that is kicked while a hook is asked about it may still be let in, and then leave. */
  #tellEnd(clientId: string, { ends, open, traffic }: HookedConnection): void {
    if (traffic === undefined || open > 0) return;
    this.#connections.delete(clientId);
    for (const tell of ends.values()) tell(traffic);
  }
}

/** Asks hooks who may come in, and tells them who has gone, as SRS does. Events of one client come in order, and the end of a publish before the next one of the stream. */
export class Hooks implements AccessCheck {
  readonly name = "http_hooks";
  readonly #settings: HookSettings;
  readonly #events: HookEvents;

  constructor(settings: HookSettings, events: HookEvents) {
    this.#settings = settings;
    this.#events = events;
  }

  decides(action: AccessAction): boolean {
    const { urls } = this.#settings;
    return urls.on_connect.length > 0 || urls[action === "publish" ? "on_publish" : "on_play"].length > 0;
  }

  async check(request: AccessRequest): Promise<Leave> {
    const over = request.protocol === "rtmp" ? this.#begin(request) : () => {};
    try {
      const leave = await this.#admit(request);
      return () => {
        leave();
        over();
      };
    } catch (error) {
      over();
      throw error;
    }
  }

  /** A file of a stream's recording is closed. */
  recorded(request: RecordedRequest, file: RecordedFile): void {
    const { streamKey } = request;
    this.#tellLater([`recording ${streamKey}`], "on_dvr", dvrFields(this.#events.node, request, file));
  }

  #begin(request: AccessRequest): Leave {
    const { clientId, vhost } = request;
    const { node } = this.#events;
    return this.#events.begin(
      clientId,
      vhost,
      (traffic) => this.#tellLater([clientKey(clientId)], "on_close", closeFields(node, request, traffic)),
    );
  }

  async #admit(request: AccessRequest): Promise<Leave> {
    const { action, protocol, clientId, streamKey } = request;
    const { node } = this.#events;
    const keys = [clientKey(clientId), ...(action === "publish" ? [publishKey(streamKey)] : [])];
    await request.whenFree?.();
    await this.#events.settled(keys, this.#settings.timeoutMs);
    if (request.signal.aborted) throw new AccessRefusal("the client has left");
    // As SRS, at every publish and play, since only then the stream is known.
    if (protocol === "rtmp") await this.#ask(request, "on_connect", connectFields(node, request));
    const [begin, end] = action === "publish"
      ? ["on_publish", "on_unpublish"] as const
      : ["on_play", "on_stop"] as const;
    const leave = () => this.#tellLater(keys, end, streamFields(node, end, request));
    const fields = action === "publish" ? streamFields(node, begin, request) : playFields(node, request);
    await this.#ask(request, begin, fields, leave);
    return leave;
  }

  /**
   * Asks one URL after another; the first that does not say yes decides.
   *
   * @param takeBack Is called when an earlier one has said yes already.
   */
  async #ask(
    { parameters }: AccessRequest,
    hook: HookName,
    fields: Fields,
    takeBack?: Leave,
  ): Promise<void> {
    const { onFailure, urls } = this.#settings;
    let hasAccepted = false;
    for (const url of urls[hook]) {
      const verdict = await this.#events.call(hook, url, fields, this.#settings, "question");
      if (verdict.kind === "accepted") {
        hasAccepted = true;
        continue;
      }
      const reason = withoutValues(verdict.reason, parameters);
      if (verdict.kind === "failed" && onFailure === "allow") {
        log.warn("Hook failed; the client is let in", failureOf(hook, url, fields, reason));
        continue;
      }
      if (verdict.kind === "failed") {
        log.warn("Hook failed; the client is refused", failureOf(hook, url, fields, reason));
      }
      if (hasAccepted) takeBack?.();
      throw new AccessRefusal(`${hook} ${shownUrl(url)}: ${reason}`);
    }
  }

  #tellLater(keys: readonly string[], hook: HookName, fields: Fields): void {
    if (this.#settings.urls[hook].length > 0) this.#events.order.add(keys, () => this.#tell(hook, fields));
  }

  /** Tells all; what they answer changes nothing. */
  async #tell(hook: HookName, fields: Fields): Promise<void> {
    for (const url of this.#settings.urls[hook]) {
      const verdict = await this.#events.call(hook, url, fields, this.#settings, "news");
      if (verdict.kind === "accepted") continue;
      const reason = withoutValues(verdict.reason, String(fields["param"] ?? ""));
      log.warn("Hook failed", failureOf(hook, url, fields, reason));
    }
  }
}

/** A log line of a call. Its peer is the hook server: what one of them fails at again and again is summed up. */
function failureOf(hook: HookName, url: string, fields: Fields, reason: string): Record<string, unknown> {
  return { connectionId: fields["client_id"], peer: new URL(url).host, hook, url: shownUrl(url), reason };
}

/** What a backend answers may repeat a client's token, which no log may have. */
function withoutValues(text: string, parameters: string): string {
  const values = parameters.split(/[?&=;]/).filter((value) => value.length >= MIN_SECRET);
  return values.reduce((shown, value) => shown.replaceAll(value, "..."), text);
}

function clientKey(clientId: string): string {
  return `client ${clientId}`;
}

function publishKey(streamKey: string): string {
  return `publish ${streamKey}`;
}
