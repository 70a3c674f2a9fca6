import { RateMeter } from "../base/rate_meter.ts";
import { DEFAULT_VHOST, splitStreamKey } from "../base/stream_address.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type {
  ClientSummary,
  DrainSummary,
  ForwardSummary,
  Kbps,
  Readiness,
  RecentLog,
  ServerTotals,
  ServerView,
  StreamHistory,
  StreamSummary,
  VhostSummary,
} from "../http/server_view.ts";
import type { Client } from "../server/client.ts";
import type { TrafficByVhost } from "../base/upstream_traffic.ts";
import type { Forwards } from "../forward/forwards.ts";
import { forwardSummary, forwardTotals } from "./forward_summary.ts";
import type { RtmpServer } from "../server/rtmp_server.ts";
import { recentLog } from "./logging.ts";
import { StreamHistories } from "./stream_histories.ts";
import { StreamPrograms } from "./stream_programs.ts";
import { streamId } from "./stream_id.ts";
import { trafficByVhost, type VhostTraffic } from "./vhost_traffic.ts";
import { readAudioCodec, readVideoCodec } from "../wire/codec_config.ts";
import { MESSAGE_TYPE } from "../wire/message_type.ts";

/** What statistics remember of a vhost. */
interface VhostRecord {
  readonly id: string;
  readonly receiveRate: RateMeter;
  readonly sendRate: RateMeter;
}

/** What statistics remember of a stream, beside the stream itself. */
interface StreamRecord {
  readonly id: string;
  readonly receiveRate: RateMeter;
  readonly sendRate: RateMeter;
  readonly frameRate: RateMeter;
  name: { vhost: string; app: string; stream: string; tcUrl: string };
}

export interface ServerViewOptions {
  readonly serverId: string;
  readonly serviceId: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAtMs: number;
  readonly server: RtmpServer;
  /** What came from and went to other servers. */
  readonly upstreamTraffic: TrafficByVhost;
  /** The configured vhosts and whether they are enabled. */
  readonly vhosts: () => Iterable<readonly [name: string, isEnabled: boolean]>;
  /** Whether a vhost of that name is configured. */
  readonly hasVhost: (name: string) => boolean;
  readonly readiness: () => Readiness;
  readonly drain?: () => DrainSummary;
  readonly forwards?: Forwards;
  readonly cluster: () => ServerTotals["cluster"];
  readonly access?: () => NonNullable<ServerTotals["access"]>;
  /** The certificates in use. */
  readonly certificates?: () => NonNullable<ServerTotals["certificates"]>;
  readonly faults?: () => NonNullable<ServerTotals["faults"]>;
  /** A new id of SRS's kind. */
  readonly newId: () => string;
}

const NO_DRAIN: DrainSummary = {
  state: "off",
  movedPublishers: 0,
  movedPlayers: 0,
  closedPublishers: 0,
  closedPlayers: 0,
  publishers: 0,
  players: 0,
};

/** How often rates are sampled, in milliseconds. */
export const SAMPLE_INTERVAL_MS = 2000;

/** The server as its HTTP API shows it. Computed when asked for, except the rates, which `sample` feeds. */
export class LiveServerView implements ServerView {
  readonly serverId: string;
  readonly serviceId: string;
  readonly pid: number;
  readonly version: string;
  readonly startedAtMs: number;
  readonly #options: ServerViewOptions;
  readonly #records = new WeakMap<LiveStream, StreamRecord>();
  readonly #histories = new StreamHistories();
  readonly #programs = new StreamPrograms();
  readonly #vhostRecords = new Map<string, VhostRecord>();

  constructor(options: ServerViewOptions) {
    this.#options = options;
    this.serverId = options.serverId;
    this.serviceId = options.serviceId;
    this.pid = options.pid;
    this.version = options.version;
    this.startedAtMs = options.startedAtMs;
  }

  /** Feeds the rates; called every SAMPLE_INTERVAL_MS. */
  sample(): void {
    const { runtime } = this.#options.server;
    const nowMs = runtime.now();
    for (const stream of runtime.hub.values()) {
      const record = this.#record(stream);
      record.receiveRate.sample(stream.receivedBytes, nowMs);
      record.sendRate.sample(stream.sentBytes, nowMs);
      record.frameRate.sample(stream.videoFrames, nowMs);
    }
    const traffic = this.#traffic();
    for (const [name] of this.#options.vhosts()) {
      const record = this.#vhostRecord(name);
      record.receiveRate.sample(traffic.get(name)?.receiveBytes ?? 0, nowMs);
      record.sendRate.sample(traffic.get(name)?.sendBytes ?? 0, nowMs);
    }
  }

  *streams(): Iterable<StreamSummary> {
    const clients = this.#clientsByStream();
    for (const stream of this.#options.server.runtime.hub.values()) {
      yield this.#streamSummary(stream, clients.get(stream) ?? []);
    }
  }

  stream(id: string): StreamSummary | undefined {
    for (const stream of this.#options.server.runtime.hub.values()) {
      if (this.#record(stream).id === id) {
        return this.#streamSummary(stream, this.#clientsByStream().get(stream) ?? []);
      }
    }
    return undefined;
  }

  history(id: string): StreamHistory | undefined {
    for (const stream of this.#options.server.runtime.hub.values()) {
      if (this.#record(stream).id === id) return this.#histories.of(stream);
    }
    return undefined;
  }

  /** Feeds the histories; called once a second, with milliseconds since 1970. */
  sampleHistory(unixMs: number): void {
    this.#histories.sample(this.#options.server.runtime.hub.values(), unixMs);
  }

  /** Sent to clients of all vhosts, in kilobits per second over 30 seconds. */
  get sentKbps(): number {
    let sum = 0;
    for (const { sendRate } of this.#vhostRecords.values()) sum += sendRate.perSecond();
    return Math.round(sum * 8 / 1000);
  }

  recentLog(): RecentLog {
    return recentLog();
  }

  *clients(): Iterable<ClientSummary> {
    for (const client of this.#options.server.clients.active()) yield this.#clientSummary(client);
  }

  client(id: string): ClientSummary | undefined {
    const client = this.#options.server.clients.find(id);
    return client?.stream === undefined ? undefined : this.#clientSummary(client);
  }

  *vhosts(): Iterable<VhostSummary> {
    const traffic = this.#traffic();
    for (const [name, isEnabled] of this.#options.vhosts()) {
      yield this.#vhostSummary(name, isEnabled, traffic.get(name));
    }
  }

  vhost(id: string): VhostSummary | undefined {
    for (const [name, isEnabled] of this.#options.vhosts()) {
      if (this.#vhostRecord(name).id === id) {
        return this.#vhostSummary(name, isEnabled, this.#traffic().get(name));
      }
    }
    return undefined;
  }

  kick(clientId: string): boolean {
    const client = this.#options.server.clients.find(clientId);
    client?.kick();
    return client !== undefined;
  }

  #traffic(): ReadonlyMap<string, VhostTraffic> {
    return trafficByVhost(this.#options.server, this.#options.upstreamTraffic);
  }

  totals(): ServerTotals {
    const { server, upstreamTraffic } = this.#options;
    const { counters, hub } = server.runtime;
    let { closedReceiveBytes: receiveBytes, closedSendBytes: sendBytes, closedJumps: jumpsTotal } = counters;
    let clients = 0;
    let players = 0;
    for (const client of server.clients.open()) {
      receiveBytes += client.receiveBytes;
      sendBytes += client.sendBytes;
      jumpsTotal += client.jumps;
    }
    for (const [, upstream] of upstreamTraffic.entries()) {
      receiveBytes += upstream.receivedBytes;
      sendBytes += upstream.sentBytes;
    }
    for (const client of server.clients.active()) {
      clients++;
      if (!isPublisher(client)) players++;
    }
    const cluster = this.#options.cluster();
    const faults = this.#options.faults?.();
    const forwards = forwardTotals(this.#options.forwards);
    const access = this.#options.access?.();
    const certificates = this.#options.certificates?.() ?? [];
    return {
      receiveBytes,
      sendBytes,
      connections: server.clients.size,
      streams: hub.size,
      clients,
      players,
      clientsTotal: counters.clientsTotal,
      clientErrorsTotal: counters.clientErrorsTotal,
      jumpsTotal,
      errorsTotal: counters.errors,
      ...(faults === undefined ? {} : { faults }),
      ...(forwards === undefined ? {} : { forwards }),
      ...(access === undefined ? {} : { access }),
      ...(certificates.length === 0 ? {} : { certificates }),
      ...(cluster === undefined ? {} : { cluster }),
    };
  }

  readiness(): Readiness {
    return this.#options.readiness();
  }

  *forwards(): Iterable<ForwardSummary> {
    for (const forward of this.#options.forwards?.list() ?? []) yield forwardSummary(forward);
  }

  drain(): DrainSummary {
    return this.#options.drain?.() ?? NO_DRAIN;
  }

  #clientsByStream(): Map<LiveStream, Client[]> {
    const clients = new Map<LiveStream, Client[]>();
    for (const client of this.#options.server.clients.active()) {
      if (client.stream === undefined) continue;
      const same = clients.get(client.stream);
      if (same === undefined) clients.set(client.stream, [client]);
      else same.push(client);
    }
    return clients;
  }

  #record(stream: LiveStream): StreamRecord {
    let record = this.#records.get(stream);
    if (record === undefined) {
      record = {
        id: streamId(this.#options.serviceId, stream.key),
        receiveRate: new RateMeter(),
        sendRate: new RateMeter(),
        frameRate: new RateMeter(),
        name: this.#nameFromKey(stream.key),
      };
      this.#records.set(stream, record);
    }
    return record;
  }

  #streamSummary(stream: LiveStream, clients: readonly Client[]): StreamSummary {
    const record = this.#record(stream);
    const first = clients.find(isPublisher) ?? clients[0];
    if (first?.address !== undefined && first.vhost !== undefined) {
      const { app, stream: name } = first.address;
      record.name = { vhost: first.vhost.name, app, stream: name, tcUrl: first.tcUrl };
    }
    const { vhost, app, stream: name, tcUrl } = record.name;
    const feed = stream.feed;
    const program = this.#programs.of(stream.metadata);
    return {
      id: record.id,
      name,
      vhostId: this.#vhostRecord(vhost).id,
      vhost,
      app,
      tcUrl,
      url: stream.key,
      clients: clients.length,
      viewers: clients.filter((client) => !isPublisher(client) && !client.isNode).length,
      frames: stream.videoFrames,
      fps: record.frameRate.perSecond(),
      sendBytes: stream.sentBytes,
      receiveBytes: stream.receivedBytes,
      kbps: kbps(record),
      publish: feed === undefined
        ? { active: false }
        : feed.kind === "publish"
        ? { active: true, clientId: feed.id }
        : { active: true },
      ...codecs(stream),
      ...(stream.keyFrameIntervalMs === undefined ? {} : { keyFrameIntervalMs: stream.keyFrameIntervalMs }),
      ...(program === undefined ? {} : { program }),
    };
  }

  #clientSummary(client: Client): ClientSummary {
    const vhost = client.vhost?.name ?? "";
    return {
      id: client.id,
      vhostId: this.#vhostRecord(vhost).id,
      streamId: client.stream === undefined ? "" : this.#record(client.stream).id,
      ip: client.ip,
      pageUrl: client.pageUrl,
      swfUrl: client.swfUrl,
      tcUrl: client.tcUrl,
      url: client.stream?.key ?? "",
      name: client.address?.stream ?? "",
      type: client.type,
      isPublisher: isPublisher(client),
      connectedAtMs: client.connectedAtMs,
      sendBytes: client.sendBytes,
      receiveBytes: client.receiveBytes,
      kbps: kbps(client),
      jumps: client.jumps,
    };
  }

  #vhostSummary(name: string, isEnabled: boolean, traffic: VhostTraffic | undefined): VhostSummary {
    const record = this.#vhostRecord(name);
    return {
      id: record.id,
      name,
      isEnabled,
      clients: traffic?.clients ?? 0,
      streams: traffic?.streams.size ?? 0,
      sendBytes: traffic?.sendBytes ?? 0,
      receiveBytes: traffic?.receiveBytes ?? 0,
      kbps: kbps(record),
    };
  }

  /** For a stream whose clients are not known (yet): `[vhost]/app/stream`. */
  #nameFromKey(key: string): StreamRecord["name"] {
    const { vhost: named, app, stream } = splitStreamKey(key);
    // The default vhost may serve others: those that an edge asks its origins for.
    const vhost = this.#options.hasVhost(named) ? named : DEFAULT_VHOST;
    return { vhost, app, stream, tcUrl: "" };
  }

  #vhostRecord(name: string): VhostRecord {
    let record = this.#vhostRecords.get(name);
    if (record === undefined) {
      record = {
        id: `vid-${this.#options.newId().slice(0, 7)}`,
        receiveRate: new RateMeter(),
        sendRate: new RateMeter(),
      };
      this.#vhostRecords.set(name, record);
    }
    return record;
  }
}

function isPublisher(client: Client): boolean {
  return client.type.endsWith("-publish");
}

function kbps(rates: { readonly receiveRate: RateMeter; readonly sendRate: RateMeter }): Kbps {
  const of = (rate: RateMeter) => Math.round(rate.perSecond() * 8 / 1000);
  return { recv30s: of(rates.receiveRate), send30s: of(rates.sendRate) };
}

/** What a stream's codecs are, as far as they are known. */
function codecs(stream: LiveStream): Pick<StreamSummary, "video" | "audio"> {
  const videoMessage = stream.codecMessage(MESSAGE_TYPE.video);
  const audioMessage = stream.codecMessage(MESSAGE_TYPE.audio);
  const video = videoMessage && readVideoCodec(videoMessage);
  const keyframe = stream.frameStart(MESSAGE_TYPE.video);
  // The headers of some codecs do not say it, and their key frames do.
  const size = video?.width || keyframe === undefined ? video : readVideoCodec(keyframe);
  const audio = audioMessage && readAudioCodec(audioMessage);
  return {
    video: video === undefined ? null : {
      codec: video.codec,
      profile: video.profile ?? "Other",
      level: video.level ?? "Other",
      width: size?.width ?? 0,
      height: size?.height ?? 0,
    },
    audio: audio === undefined ? null : {
      codec: audio.codec,
      sampleRate: audio.sampleRate ?? 0,
      channels: audio.channels ?? 0,
      profile: audio.profile ?? "Other",
    },
  };
}
