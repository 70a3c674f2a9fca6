import { getLogger } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { TrafficByVhost } from "../base/upstream_traffic.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { PlayerCursor } from "../hub/player_cursor.ts";
import type { StreamRequest } from "../server/stream_router.ts";
import { pause } from "../upstream/pause.ts";
import type { Dial, UpstreamSession } from "../upstream/upstream_connection.ts";
import type { Amf0Object } from "../wire/amf0.ts";
import { Forward } from "./forward.ts";
import { ForwardPause } from "./forward_pause.ts";
import { ForwardBackendError, type ForwardQuestion } from "./forward_backend.ts";
import { type ForwardDestination, placeOf } from "./forward_target.ts";
import { fitsPatterns, parseForwardUrl } from "../base/forward_url.ts";

const log = getLogger(["headwater", "forward"]);

/** Most URLs that are taken of a backend for one stream. */
const MAX_BACKEND_URLS = 32;

/** The forward part of one vhost's configuration. */
export interface ForwardSettings {
  readonly destinations: readonly ForwardDestination[];
  /** Asked at each publish for URLs, which then take the place of those destinations that have no name; empty: none. */
  readonly backend: string;
  /** Tell other media servers who forwards, in SRS's fields of connect. */
  readonly debugUpnode: boolean;
}

/** Asks a backend where a stream is to be forwarded to; rejects with the reason. */
export type AskBackend = (backend: string, question: ForwardQuestion) => Promise<readonly string[]>;

export interface ForwardsOptions {
  /** Of every vhost of which something is forwarded here. */
  readonly settings: ReadonlyMap<string, ForwardSettings>;
  readonly dial: Readonly<Record<"rtmp" | "rtmps", Dial>>;
  /** The second object of connect for another media server that gets what came by this request. */
  readonly argumentsObject: (
    request: StreamRequest,
    debugUpnode: boolean,
  ) => UpstreamSession["argumentsObject"];
  readonly session: () => Pick<UpstreamSession, "limits" | "randomBytes">;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  readonly traffic: TrafficByVhost;
  readonly onBehind: (stream: LiveStream, cursor: PlayerCursor) => void;
  readonly isSelf: (server: Amf0Object) => boolean;
  readonly askBackend: AskBackend;
}

/** One publish and where it goes. */
interface Publish {
  readonly request: StreamRequest;
  readonly stream: LiveStream;
  readonly abort: AbortController;
  /** By what tells one destination from another. */
  readonly forwards: Map<string, Forward>;
  /** The backend that has been asked, and what it said. */
  backend: string;
  backendDestinations: readonly ForwardDestination[];
}

/** All streams that are forwarded to other servers. */
export class Forwards {
  readonly #options: ForwardsOptions;
  readonly #publishes = new Set<Publish>();
  /** Those whose streams are over, and of which something is left to be sent. */
  readonly #ending = new Set<Forward>();
  #settings: ReadonlyMap<string, ForwardSettings>;
  #closedRetries = 0;
  #closedBytes = 0;

  constructor(options: ForwardsOptions) {
    this.#options = options;
    this.#settings = options.settings;
  }

  /** Tries after the first since the start, and bytes sent. */
  get totals(): { readonly retries: number; readonly sentBytes: number } {
    let retries = this.#closedRetries;
    let sentBytes = this.#closedBytes;
    for (const forward of [...this.list(), ...this.#ending]) {
      retries += forward.retries;
      sentBytes += forward.sentBytes;
    }
    return { retries, sentBytes };
  }

  *list(): Iterable<Forward> {
    for (const { forwards } of this.#publishes) yield* forwards.values();
  }

  /**
   * Forwards a stream as it is configured, for as long as it is published. Never throws, and never keeps the publisher waiting.
   *
   * @returns Ends it; `isOver`: the publisher has said that the stream is over.
   */
  begin(request: StreamRequest, stream: LiveStream): (isOver: boolean) => void {
    const publish: Publish = {
      request,
      stream,
      abort: new AbortController(),
      forwards: new Map(),
      backend: "",
      backendDestinations: [],
    };
    this.#publishes.add(publish);
    this.#update(publish);
    return (isOver) => {
      publish.abort.abort();
      for (const [id] of publish.forwards) this.#end(publish, id, isOver);
      this.#publishes.delete(publish);
    };
  }

  /** Ends all that is still being sent, also of streams that are over. */
  close(): void {
    for (const forward of this.#ending) forward.cut();
  }

  /** Takes over a new configuration for what is published already. */
  reload(settings: ReadonlyMap<string, ForwardSettings>): void {
    this.#settings = settings;
    for (const publish of this.#publishes) this.#update(publish);
  }

  #update(publish: Publish): void {
    const { request: { vhost, address } } = publish;
    const settings = this.#settings.get(vhost.name);
    const backend = settings?.backend ?? "";
    if (publish.backend !== backend) {
      publish.backend = backend;
      publish.backendDestinations = [];
      if (backend !== "") {
        inBackground(this.#askBackend(publish, backend), "asking where to forward a stream");
      }
    }
    const configured = settings?.destinations ?? [];
    const destinations = backend === ""
      ? configured
      : [...configured.filter(({ name }) => name !== undefined), ...publish.backendDestinations];
    const wanted = new Map(
      destinations.filter(({ patterns }) => fitsPatterns(patterns, address))
        .map((destination) => [JSON.stringify(destination), destination] as const),
    );
    for (const id of [...publish.forwards.keys()]) if (!wanted.has(id)) this.#end(publish, id, true);
    for (const [id, destination] of wanted) {
      if (!publish.forwards.has(id)) publish.forwards.set(id, this.#open(publish, destination, settings));
    }
  }

  #open({ request, stream }: Publish, destination: ForwardDestination, settings?: ForwardSettings): Forward {
    const { dial, session, argumentsObject, traffic, onBehind, ...rest } = this.#options;
    const { manner, ...place } = placeOf(destination, request.vhost.name, request.address);
    const isServer = destination.kind === "server";
    return new Forward({
      ...rest,
      stream,
      traffic: traffic.of(request.vhost.name),
      onBehind: (cursor) => onBehind(stream, cursor),
      target: {
        ...place,
        dial: dial[destination.url.scheme],
        session: {
          ...session(),
          pageUrl: "",
          swfUrl: "",
          argumentsObject: isServer ? argumentsObject(request, settings?.debugUpnode ?? true) : undefined,
          ...(manner === undefined ? {} : { manner }),
        },
      },
    });
  }

  #end({ forwards }: Publish, id: string, isOver: boolean): void {
    const forward = forwards.get(id);
    if (forward === undefined) return;
    forwards.delete(id);
    forward.close(isOver);
    this.#ending.add(forward);
    const ended = forward.ended.then(() => {
      this.#ending.delete(forward);
      this.#closedRetries += forward.retries;
      this.#closedBytes += forward.sentBytes;
    });
    inBackground(ended, "ending a forward");
  }

  /** Asks until it answers: the stream is published meanwhile all the same. */
  async #askBackend(publish: Publish, backend: string): Promise<void> {
    const { request, abort: { signal } } = publish;
    const { vhost, address, connect, ip, client } = request;
    const question = {
      clientId: client.clientId,
      ip,
      vhost: vhost.name,
      tcUrl: connect?.tcUrl ?? "",
      address,
    };
    const retry = new ForwardPause(this.#options.random);
    while (!signal.aborted && publish.backend === backend) {
      let urls: readonly string[];
      try {
        urls = await this.#options.askBackend(backend, question);
      } catch (error) {
        if (signal.aborted) return;
        const pauseMs = retry.next(0, error instanceof ForwardBackendError && error.isRefusal);
        log.warn("Cannot ask forward.backend where to forward; retrying", {
          stream: request.key,
          reason: errorText(error),
          pauseMs: Math.round(pauseMs),
        });
        await pause(this.#options.clock, pauseMs, signal);
        continue;
      }
      if (signal.aborted || publish.backend !== backend) return;
      publish.backendDestinations = destinationsOf(urls, request.key);
      log.info("forward.backend has named where to forward", {
        stream: request.key,
        destinations: publish.backendDestinations.length,
      });
      this.#update(publish);
      return;
    }
  }
}

/** What is no URL is left out, and said in the log, without the URL: it may hold a key. */
function destinationsOf(urls: readonly string[], stream: string): ForwardDestination[] {
  const destinations: ForwardDestination[] = [];
  for (const [index, url] of urls.slice(0, MAX_BACKEND_URLS).entries()) {
    try {
      destinations.push({ kind: "url", url: parseForwardUrl(url), patterns: [] });
    } catch (error) {
      log.warn("forward.backend named a URL that cannot be used", {
        stream,
        number: index + 1,
        reason: errorText(error),
      });
    }
  }
  if (urls.length > MAX_BACKEND_URLS) {
    log.warn("forward.backend named too many URLs; the rest is left out", {
      stream,
      count: urls.length,
      limit: MAX_BACKEND_URLS,
    });
  }
  return destinations;
}
