import type {
  ClientSummary,
  DrainSummary,
  ForwardSummary,
  Readiness,
  RecentLog,
  ServerTotals,
  ServerView,
  StreamHistory,
  StreamSummary,
  VhostSummary,
} from "../../lib/http/server_view.ts";

/** When the fake server started: 2026-01-02T03:04:05Z. */
export const STARTED_AT_MS = 1_767_323_045_000;

/** A server with one published stream, one that is waited for, a publisher and two players; a test changes what it needs. */
export class FakeServerView implements ServerView {
  serverId = "vid-0a1b2c3";
  readonly serviceId = "d4e5f6g7";
  readonly pid = 4321;
  readonly version = "0.1.2";
  readonly startedAtMs = STARTED_AT_MS;
  /** Ids that were asked to be kicked. */
  readonly kicked: string[] = [];
  vhostList: VhostSummary[] = [VHOST];
  streamList: StreamSummary[] = [PUBLISHED, WAITED_FOR];
  clientList: ClientSummary[] = [PUBLISHER, PLAYER, {
    ...PLAYER,
    id: "waiter03",
    streamId: WAITED_FOR.id,
    url: WAITED_FOR.url,
  }];
  readinessAnswer: Readiness = { isReady: true };
  forwardList: ForwardSummary[] = [FORWARD];
  drainAnswer: DrainSummary = {
    state: "off",
    movedPublishers: 0,
    movedPlayers: 0,
    closedPublishers: 0,
    closedPlayers: 0,
    publishers: 1,
    players: 2,
  };
  totalsAnswer: ServerTotals = {
    receiveBytes: 3_000_000,
    sendBytes: 6_000_000,
    connections: 4,
    streams: 2,
    clients: 3,
    players: 2,
    clientsTotal: 12,
    clientErrorsTotal: 1,
    jumpsTotal: 7,
    errorsTotal: [["handshake-timeout", 5], ["stream-busy", 2]],
    faults: { unexpectedErrorsTotal: 3, logLinesLostTotal: 8 },
  };

  streams(): Iterable<StreamSummary> {
    return this.streamList.values();
  }

  stream(id: string): StreamSummary | undefined {
    return this.streamList.find((stream) => stream.id === id);
  }

  history(streamId: string): StreamHistory | undefined {
    return this.stream(streamId) && { ...HISTORY };
  }

  recentLog(): RecentLog {
    return LOG;
  }

  clients(): Iterable<ClientSummary> {
    return this.clientList.values();
  }

  client(id: string): ClientSummary | undefined {
    return this.clientList.find((client) => client.id === id);
  }

  vhosts(): Iterable<VhostSummary> {
    return this.vhostList.values();
  }

  vhost(id: string): VhostSummary | undefined {
    return this.vhostList.find((vhost) => vhost.id === id);
  }

  kick(clientId: string): boolean {
    this.kicked.push(clientId);
    return clientId !== "waiter03";
  }

  totals(): ServerTotals {
    return this.totalsAnswer;
  }

  readiness(): Readiness {
    return this.readinessAnswer;
  }

  forwards(): Iterable<ForwardSummary> {
    return this.forwardList.values();
  }

  drain(): DrainSummary {
    return this.drainAnswer;
  }
}

const HISTORY: StreamHistory = {
  intervalMs: 1000,
  endMs: STARTED_AT_MS + 60_000,
  kbps: [null, 812.5, 790],
  fps: [null, 25, 25],
  keyFrames: [null, 1, 0],
};

const LOG: RecentLog = {
  lines: [{
    atMs: STARTED_AT_MS + 3000,
    level: "warning",
    category: "headwater.cluster",
    message: "Coworker is down",
    properties: { coworker: "10.0.0.2:1985", reason: "connection refused" },
  }],
  dropped: 0,
};

const VHOST: VhostSummary = {
  id: "vid-vhost01",
  name: "__defaultVhost__",
  isEnabled: true,
  clients: 3,
  streams: 2,
  sendBytes: 6_000_000,
  receiveBytes: 3_000_000,
  kbps: { recv30s: 800.4, send30s: 1600.6 },
};

const PUBLISHED: StreamSummary = {
  id: "vid-stream1",
  name: "livestream",
  vhostId: VHOST.id,
  vhost: VHOST.name,
  app: "live",
  tcUrl: "rtmp://user:secret@127.0.0.1/live?token=secret&vhost=__defaultVhost__",
  url: "/live/livestream",
  clients: 2,
  viewers: 1,
  frames: 1500,
  fps: 25.004,
  sendBytes: 6_000_000,
  receiveBytes: 3_000_000,
  kbps: { recv30s: 800.4, send30s: 1600.6 },
  publish: { active: true, clientId: "encoder1" },
  video: { codec: "H264", profile: "High", level: "3.1", width: 1280, height: 720 },
  audio: { codec: "AAC", sampleRate: 44_100, channels: 2, profile: "LC" },
};

const WAITED_FOR: StreamSummary = {
  ...PUBLISHED,
  id: "vid-stream2",
  name: "later",
  url: "/live/later",
  clients: 1,
  frames: 0,
  fps: 0,
  sendBytes: 0,
  receiveBytes: 0,
  kbps: { recv30s: 0, send30s: 0 },
  publish: { active: false },
  video: null,
  audio: null,
};

const PUBLISHER: ClientSummary = {
  id: "encoder1",
  vhostId: VHOST.id,
  streamId: PUBLISHED.id,
  ip: "192.0.2.7",
  pageUrl: "",
  swfUrl: "",
  tcUrl: PUBLISHED.tcUrl,
  url: PUBLISHED.url,
  name: PUBLISHED.name,
  type: "fmle-publish",
  isPublisher: true,
  connectedAtMs: STARTED_AT_MS + 1000,
  sendBytes: 3500,
  receiveBytes: 3_000_000,
  kbps: { recv30s: 800.4, send30s: 0 },
  jumps: 0,
};

const PLAYER: ClientSummary = {
  ...PUBLISHER,
  id: "player02",
  ip: "2001:db8::9",
  pageUrl: "https://example.com/watch?session=secret#top",
  type: "rtmp-play",
  isPublisher: false,
  connectedAtMs: STARTED_AT_MS + 32_500,
  sendBytes: 6_000_000,
  receiveBytes: 3400,
  kbps: { recv30s: 0, send30s: 1600.6 },
  jumps: 1,
};

const FORWARD: ForwardSummary = {
  vhost: "__defaultVhost__",
  app: "live",
  stream: "livestream",
  to: "youtube",
  url: "rtmps://a.rtmps.youtube.com:443/live2/***",
  state: "forwarding",
  stateSinceMs: STARTED_AT_MS + 2000,
  sentBytes: 1_500_000,
  retries: 1,
  lastError: "Cannot connect to a.rtmps.youtube.com:443: no answer within 5000 ms",
};
