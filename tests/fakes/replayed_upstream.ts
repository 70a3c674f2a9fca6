import { hostAndPort } from "../../lib/base/host_port.ts";
import type { RtmpError } from "../../lib/base/errors.ts";
import type { PullAsker } from "../../lib/upstream/pull_askers.ts";
import { SearchPace } from "../../lib/upstream/search_pace.ts";
import { type PullSource, StreamPull } from "../../lib/upstream/stream_pull.ts";
import { StreamPush } from "../../lib/upstream/stream_push.ts";
import type { UpstreamTraffic } from "../../lib/base/upstream_traffic.ts";
import type { Dial } from "../../lib/upstream/upstream_connection.ts";
import { type UpstreamTarget, upstreamTcUrl } from "../../lib/upstream/upstream_target.ts";
import { LiveStream } from "../../lib/hub/live_stream.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import type { SrsExchangeName } from "../fixtures/srs.ts";
import { idle } from "./cluster_network.ts";
import { FakeClock } from "./fake_clock.ts";
import { ReplayedServer } from "./replayed_server.ts";
import { commandOf } from "./session_peer.ts";
import { readAll, TEST_STREAM_OPTIONS } from "./stream_peer.ts";

const SESSION = {
  pageUrl: "",
  swfUrl: "",
  argumentsObject: { srs_sig: "SRS" },
  limits: DEFAULT_WIRE_LIMITS,
  randomBytes: (length: number) => new Uint8Array(length),
};

/** A pull, and what its stream's player is given. */
export interface ReplayedPull {
  readonly pull: StreamPull;
  readonly stream: LiveStream;
  readonly read: () => string[];
  /** What becomes of the wait of the one that it was opened for. */
  readonly found: Promise<void>;
}

export interface ReplayedPush {
  readonly push: StreamPush;
  readonly stream: LiveStream;
}

/** A client that says this of itself, and waits for the stream with this route. */
export function askerWith(parameters: string, route: readonly string[] = []): PullAsker {
  return { parameters, pageUrl: "", swfUrl: "", route };
}

const ORIGINS = [19_351, 19_350];

/** Recorded servers of SRS that are dialled one after another, in place of sockets. */
export class ReplayedUpstream {
  readonly clock: FakeClock = new FakeClock();
  /** `host:port` of each that was dialled. */
  readonly dialled: string[] = [];
  readonly servers: ReplayedServer[];
  readonly tried: string[] = [];
  readonly traffic: UpstreamTraffic = { receivedBytes: 0, sentBytes: 0 };
  /** How often it was asked whether the stream is elsewhere. */
  asked = 0;
  hasMoved = false;
  /** Where the stream is looked for. */
  ports: readonly number[] = ORIGINS;

  constructor(names: readonly SrsExchangeName[], edit?: (bytes: Uint8Array) => Uint8Array) {
    this.servers = names.map((name) => new ReplayedServer(name, edit));
  }

  readonly dial: Dial = ({ hostname, port }) => {
    const server = this.servers[this.dialled.push(hostAndPort(hostname, port)) - 1];
    if (server === undefined) return Promise.reject(new Error("Connection refused"));
    return Promise.resolve(server.connect());
  };

  source(stream: string): PullSource {
    return {
      targets: ({ parameters }) =>
        Promise.resolve(this.ports.map((port): UpstreamTarget => ({
          address: { hostname: "127.0.0.1", port },
          tcUrl: upstreamTcUrl("127.0.0.1", port, "live"),
          app: "live",
          streamName: stream + parameters,
        }))),
      tried: ({ address }, error) => this.tried.push(`${address.port} ${error?.code ?? "ok"}`),
      hasMoved: () => {
        this.asked++;
        return Promise.resolve(this.hasMoved);
      },
    };
  }

  push(asker: PullAsker, onRefused: (reason: RtmpError) => void = () => {}): ReplayedPush {
    const source = this.source("s");
    const stream = new LiveStream("/live/s", TEST_STREAM_OPTIONS, (output) => output.flushPlayers());
    const push = new StreamPush({
      ...this.#shared(),
      stream,
      source: { ...source, targets: (signal) => source.targets(asker, signal) },
      session: SESSION,
      onBehind: () => {},
      onRefused,
    });
    return { push, stream };
  }

  pull(asker: PullAsker = askerWith("")): ReplayedPull {
    const stream = new LiveStream("/live/s", TEST_STREAM_OPTIONS, (output) => output.flushPlayers());
    const cursor = stream.subscribe("rtmp", { fromGop: true, onReady: () => {} });
    const pull = new StreamPull({
      ...this.#shared(),
      stream,
      asker,
      source: this.source("s"),
      session: (_, route) => ({ ...SESSION, argumentsObject: { headwater_route: route.join(",") } }),
      firstMediaTimeoutMs: 2000,
      id: "pull",
      mark: "mark",
      pace: new SearchPace(() => 0.5),
    });
    return { pull, stream, read: () => readAll(cursor), found: this.#found(pull, asker) };
  }

  /** What becomes of a client's wait for a pull; it need not be looked at. */
  wait(pull: StreamPull, asker: PullAsker): Promise<void> {
    return this.#found(pull, asker);
  }

  #found(pull: StreamPull, asker: PullAsker): Promise<void> {
    pull.add(asker);
    const found = pull.whenFound(asker, new AbortController().signal);
    found.catch(() => {});
    return found;
  }

  #shared() {
    return { dial: this.dial, clock: this.clock, traffic: this.traffic, connectTimeoutMs: 1000 };
  }

  /** Lets time pass and what comes of it happen. */
  async advance(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0;) {
      const stepMs = Math.min(leftMs, Math.max(50, this.clock.nextDelayMs ?? leftMs));
      await this.clock.advance(stepMs);
      await idle();
      leftMs -= stepMs;
    }
  }

  /** What the last server was told in connect. */
  tcUrl(): string | undefined {
    const [connect] = this.servers[this.dialled.length - 1]?.heard.map(commandOf) ?? [];
    return connect?.object instanceof Amf0Object ? connect.object.getString("tcUrl") : undefined;
  }

  /** A server's commands, the last one's if no other is said: name and first argument. */
  commands(index: number = this.dialled.length - 1): string[] {
    return (this.servers[index]?.heard ?? []).map(commandOf)
      .filter((command) => command !== undefined)
      .map(({ name, arguments: [first] }) => typeof first === "string" ? `${name} ${first}` : name);
  }
}
