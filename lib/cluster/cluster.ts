import { getLogger } from "@logtape/logtape";
import { inBackground } from "../base/background.ts";
import type { Clock } from "../base/clock.ts";
import { RtmpError } from "../base/errors.ts";
import { DEFAULT_VHOST, splitStreamKey, streamKey } from "../base/stream_address.ts";
import type { ClusterSettings, ClusterVhostSettings } from "./cluster_settings.ts";
import { busyError, claimHolds, lostClaimError } from "./conflict.ts";
import type { Coworker } from "./coworker.ts";
import type { Directory, ListedNode, NodeQuestion, NodeReply, OtherNode, PublishClaim } from "./directory.ts";
import { CoworkerClient, type Fetch } from "./coworker_client.ts";
import { Coworkers, type ResolveHost } from "./coworkers.ts";
import { type Location, Locator } from "./locator.ts";
import { type NodeDrain, type NodeIdentity } from "./node_state.ts";
import { type OwnedStream, OwnedStreams } from "./owned_streams.ts";
import type { StreamQuery } from "./stream_query.ts";
import { type AskableCoworker, Survey } from "./survey.ts";
import { unlessAborted } from "../base/unless_aborted.ts";

const log = getLogger(["headwater", "cluster"]);

export interface ClusterOptions {
  readonly identity: NodeIdentity;
  readonly settings: ClusterSettings;
  /** The web's `fetch`. */
  readonly fetch: Fetch;
  readonly resolveHost: ResolveHost;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** 32 hexadecimal digits, never the same. */
  readonly nonce: () => string;
  /** A coworker has begun to own a stream. */
  readonly onHeard?: (key: string) => void;
  /** A stream that is published here is another node's: its publisher has to end, with this reason. It is owned no longer. */
  readonly onLost: (stream: OwnedStream, reason: RtmpError) => void;
}

/** The coworkers that share a secret, with the shortest pause and the longest patience of their vhosts. */
interface Realm {
  readonly coworkers: Coworkers;
  pollIntervalMs: number;
  queryTimeoutMs: number;
}

/** What this node knows of its cluster, and what it tells it: the directory in which each node fetches the others' states. */
export class Cluster implements Directory {
  readonly identity: NodeIdentity;
  /** What this node owns. */
  readonly owned: OwnedStreams = new OwnedStreams();
  readonly #options: ClusterOptions;
  readonly #client: CoworkerClient;
  readonly #locator: Locator;
  readonly #survey: Survey;
  readonly #realms = new Map<string, Realm>();
  /** Conflicts that are being looked into. */
  readonly #settling = new Set<string>();
  #settings: ClusterSettings;
  #isStarted = false;
  #changes = 0;
  #isDraining = false;
  /** Keys of streams whose publishers have been asked to go on at another node. */
  readonly #moving = new Set<string>();

  /** @throws {RangeError} When a coworker is not `host:port`. */
  constructor(options: ClusterOptions) {
    this.#options = options;
    this.identity = options.identity;
    this.#settings = options.settings;
    this.#client = new CoworkerClient({ ...options, signature: `Headwater/${options.identity.version}` });
    this.#locator = new Locator({
      clock: options.clock,
      coworkers: (vhost) => this.#liveCoworkers(vhost),
      queryTimeoutMs: (vhost) => this.#settings.vhosts.get(vhost)?.queryTimeoutMs ?? 0,
    });
    this.#survey = new Survey({
      client: this.#client,
      clock: options.clock,
      coworkers: () => this.#askable(),
    });
    this.#setRealms();
  }

  get settings(): ClusterSettings {
    return this.#settings;
  }

  /** Grows with whatever changes in what is known of coworkers. */
  get changes(): number {
    return this.#changes;
  }

  /** What coworkers are told of this node's end. */
  get drain(): NodeDrain {
    return { isDraining: this.#isDraining, moving: this.#moving };
  }

  /** This node is about to stop, or is not any more: coworkers send nobody here meanwhile. */
  setDraining(isDraining: boolean): void {
    if (this.#isDraining === isDraining) return;
    this.#isDraining = isDraining;
    this.#moving.clear();
    this.owned.forgetHistory();
  }

  /** The publisher of a stream of this node has been asked to go on at another node, which may let it in. */
  letMove(key: string): void {
    this.#moving.add(key);
    this.owned.forgetHistory();
  }

  /** The coworker with the fewest clients that takes new ones of a vhost; undefined when there is none. */
  findOther(vhost: string): OtherNode | undefined {
    const settings = this.#settings.vhosts.get(vhost);
    const realm = settings && this.#realms.get(settings.secret);
    if (settings === undefined || realm === undefined) return undefined;
    let best: Coworker | undefined;
    for (const coworker of realm.coworkers.live(settings.coworkers)) {
      if (coworker.kind !== "headwater" || coworker.isUp !== true || coworker.isDraining) continue;
      if (loadOf(coworker) < loadOf(best)) best = coworker;
    }
    const rtmp = best?.node?.rtmp;
    return best === undefined || rtmp === undefined
      ? undefined
      : { host: rtmp.host ?? best.address.host, port: rtmp.port };
  }

  /** Whether a node id is that of a coworker. */
  isCoworker(nodeId: string): boolean {
    for (const entry of this.listCoworkers()) {
      if ("coworker" in entry && entry.coworker.node?.nodeId === nodeId) return true;
    }
    return false;
  }

  start(): void {
    this.#isStarted = true;
    for (const { coworkers } of this.#realms.values()) coworkers.start();
  }

  stop(): void {
    this.#isStarted = false;
    for (const { coworkers } of this.#realms.values()) coworkers.stop();
  }

  /**
   * Takes new settings; what is known of coworkers that stay is kept.
   *
   * @throws {RangeError} When a coworker is not `host:port`.
   */
  reload(settings: ClusterSettings): void {
    this.#settings = settings;
    this.#setRealms();
    this.#changes += 1;
    // Who may know which stream, and where this node is reached, may have changed with no stream having changed.
    this.owned.forgetHistory();
    for (const { key } of [...this.owned.list()]) this.#settleKey(key);
  }

  /**
   * Where a stream is, within `query_timeout_ms`; at once where no coworker has to be asked.
   *
   * @throws {unknown} `signal`'s reason.
   */
  async locate(query: StreamQuery, signal?: AbortSignal): Promise<Location> {
    signal?.throwIfAborted();
    for (;;) {
      if (this.owned.get(streamKey(query.vhost, query.app, query.stream)) !== undefined) {
        return { kind: "mine" };
      }
      if (!this.#isClustered(query.vhost)) return { kind: "nowhere" };
      const location = await this.#locator.locate(query, signal);
      if (location !== undefined) return location;
    }
  }

  /**
   * Asks the cluster before a stream is published here.
   *
   * @throws {RtmpError} `stream-busy` when a coworker owns it and `on_conflict` is `reject`.
   * @throws {unknown} `signal`'s reason.
   */
  async checkPublish(query: StreamQuery, signal?: AbortSignal): Promise<PublishClaim> {
    const { wallNow } = this.#options;
    if (!this.#isClustered(query.vhost)) return { publishedAtMs: wallNow() };
    const owner = await unlessAborted(this.#locator.findOwner(query), signal);
    if (owner === undefined) return { publishedAtMs: wallNow() };
    const { coworker } = owner;
    const key = streamKey(query.vhost, query.app, query.stream);
    if (coworker.kind === "headwater") {
      // That it is about to stop may be news, and its clock may be ahead of ours: our claim has to be the later one all the same.
      await unlessAborted(coworker.refresh(), signal);
      if (coworker.lets(key)) return { publishedAtMs: this.#laterThan(coworker, key) };
    }
    if (this.#settings.vhosts.get(query.vhost)?.onConflict !== "takeover") {
      throw busyError(key, coworker.name);
    }
    // SRS can't be told to give it up: both have it then, as in a cluster of SRS's.
    if (coworker.kind !== "headwater") return { publishedAtMs: wallNow() };
    return { publishedAtMs: this.#laterThan(coworker, key) };
  }

  #laterThan(coworker: Coworker, key: string): number {
    return Math.max(this.#options.wallNow(), (coworker.streams.get(key) ?? 0) + 1);
  }

  /** From now on this node owns a stream, which a publisher has begun to feed. */
  own(stream: Omit<OwnedStream, "key">): void {
    const key = streamKey(stream.vhost, stream.app, stream.stream);
    this.owned.add({ ...stream, key });
    this.#locator.hear(key);
    this.#settleKey(key);
  }

  /** The publisher of a stream has left. Of a stream that another connection publishes now, nothing changes. */
  disown(key: string, connectionId: string): void {
    if (this.owned.remove(key, connectionId)) this.#moving.delete(key);
  }

  /** The settings of a vhost by SRS's rule: its own, else those of the default one. */
  findVhost(name: string): { readonly name: string; readonly settings: ClusterVhostSettings } | undefined {
    for (const candidate of [name, DEFAULT_VHOST]) {
      const settings = this.#settings.vhosts.get(candidate);
      if (settings !== undefined) return { name: candidate, settings };
    }
    return undefined;
  }

  /** All coworkers with the vhosts that name them, and names that can't be looked up. */
  *listCoworkers(): Iterable<ListedNode> {
    for (const [secret, { coworkers }] of this.#realms) {
      const vhosts = [...this.#settings.vhosts].filter(([, vhost]) =>
        isClustered(vhost) && vhost.secret === secret
      );
      const names = [...new Set(vhosts.flatMap(([, vhost]) => vhost.coworkers))];
      for (const coworker of coworkers.of(names)) {
        yield {
          coworker,
          vhosts: vhosts.filter(([, vhost]) => coworkers.of(vhost.coworkers).includes(coworker)).map((
            [name],
          ) => name),
        };
      }
      yield* coworkers.unresolved(names);
    }
  }

  /** What the other nodes say when they are asked; see `Survey`. */
  async ask(question: NodeQuestion, node?: string): Promise<readonly NodeReply[]> {
    return await this.#survey.ask(question, node);
  }

  *#askable(): Iterable<AskableCoworker | { readonly name: string; readonly error: string }> {
    for (const [secret, { coworkers, queryTimeoutMs: timeoutMs }] of this.#realms) {
      const names = this.#namesOf(secret);
      for (const coworker of coworkers.of(names)) yield { coworker, secret, timeoutMs };
      yield* coworkers.unresolved(names);
    }
  }

  #namesOf(secret: string): string[] {
    const vhosts = [...this.#settings.vhosts.values()].filter((vhost) =>
      isClustered(vhost) && vhost.secret === secret
    );
    return [...new Set(vhosts.flatMap(({ coworkers }) => coworkers))];
  }

  #isClustered(vhost: string): boolean {
    const settings = this.#settings.vhosts.get(vhost);
    return settings !== undefined && isClustered(settings);
  }

  async #liveCoworkers(vhost: string): Promise<Coworker[]> {
    const settings = this.#settings.vhosts.get(vhost);
    const realm = settings && this.#realms.get(settings.secret);
    if (settings === undefined || realm === undefined) return [];
    await realm.coworkers.whenResolved(settings.coworkers, settings.queryTimeoutMs);
    return realm.coworkers.live(settings.coworkers);
  }

  #setRealms(): void {
    const bySecret = Map.groupBy(
      [...this.#settings.vhosts.values()].filter(isClustered),
      ({ secret }) => secret,
    );
    for (const [secret, vhosts] of bySecret) {
      const realm = this.#realms.get(secret) ?? this.#newRealm(secret);
      realm.pollIntervalMs = Math.min(...vhosts.map(({ pollIntervalMs }) => pollIntervalMs));
      realm.queryTimeoutMs = Math.max(...vhosts.map(({ queryTimeoutMs }) => queryTimeoutMs));
      realm.coworkers.setCoworkers(vhosts.flatMap(({ coworkers }) => coworkers));
      if (this.#isStarted && !this.#realms.has(secret)) realm.coworkers.start();
      this.#realms.set(secret, realm);
    }
    for (const [secret, { coworkers }] of this.#realms) {
      if (bySecret.has(secret)) continue;
      coworkers.stop();
      this.#realms.delete(secret);
    }
  }

  #newRealm(secret: string): Realm {
    const realm: Realm = {
      pollIntervalMs: 0,
      queryTimeoutMs: 0,
      coworkers: new Coworkers({
        ...this.#options,
        client: this.#client,
        secret,
        pollIntervalMs: () => realm.pollIntervalMs,
        queryTimeoutMs: () => realm.queryTimeoutMs,
        onChange: (coworker, added) => this.#noteChange(coworker, added),
        onUpOrDown: logUpOrDown,
      }),
    };
    return realm;
  }

  #noteChange(coworker: Coworker, added: Iterable<string>): void {
    this.#changes += 1;
    for (const key of added) {
      this.#locator.hear(key);
      this.#options.onHeard?.(key);
      if (this.owned.get(key) !== undefined) this.#beginSettling(key, coworker);
    }
  }

  #settleKey(key: string): void {
    const vhost = this.#settings.vhosts.get(splitStreamKey(key).vhost);
    if (vhost === undefined || !isClustered(vhost)) return;
    for (const coworker of this.#realms.get(vhost.secret)?.coworkers.live(vhost.coworkers) ?? []) {
      if (coworker.streams.has(key)) this.#beginSettling(key, coworker);
    }
  }

  #beginSettling(key: string, coworker: Coworker): void {
    inBackground(this.#settle(key, coworker), "settling a conflict between two owners");
  }

  /**
   * Decides between this node's claim to a stream and a coworker's. The coworker is asked anew first: what is known of it may be from
   * before it said that it does not own the stream. The other node does the same with the same two claims.
   */
  async #settle(key: string, coworker: Coworker): Promise<void> {
    const id = `${coworker.name} ${key}`;
    if (this.#settling.has(id)) return;
    this.#settling.add(id);
    try {
      await coworker.refresh();
    } finally {
      this.#settling.delete(id);
    }
    const mine = this.owned.get(key);
    const publishedAtMs = coworker.streams.get(key);
    const { node } = coworker;
    if (mine === undefined || publishedAtMs === undefined || node === undefined || coworker.isUp !== true) {
      return;
    }
    const vhost = this.#settings.vhosts.get(mine.vhost);
    if (vhost === undefined || !isClustered(vhost)) return;
    const { nodeId, bootId } = this.identity;
    const theirs = { publishedAtMs, nodeId: node.nodeId, bootId: node.bootId };
    const isMoving = this.#moving.has(key);
    const holds = !isMoving && (coworker.lets(key) ||
      claimHolds(vhost.onConflict, { publishedAtMs: mine.publishedAtMs, nodeId, bootId }, theirs));
    log.info("Stream has two owners", {
      key,
      nodeId: node.nodeId,
      policy: vhost.onConflict,
      keptHere: holds,
    });
    if (holds) return;
    this.owned.remove(key);
    this.#moving.delete(key);
    const reason = isMoving
      ? new RtmpError("redirected", `The publisher of '${key}' has moved to ${coworker.name}`)
      : lostClaimError(vhost.onConflict, key, coworker.name);
    this.#options.onLost(mine, reason);
  }
}

function isClustered(vhost: ClusterVhostSettings): boolean {
  return vhost.isOriginCluster && vhost.coworkers.length > 0;
}

function loadOf(coworker: Coworker | undefined): number {
  return coworker?.node?.load.clients ?? Infinity;
}

function logUpOrDown(coworker: Coworker): void {
  const properties = { coworker: coworker.name, kind: coworker.kind, nodeId: coworker.node?.nodeId };
  if (coworker.isUp === true) log.info("Coworker is up", properties);
  else log.warn("Coworker is down", { ...properties, reason: coworker.lastError });
}
