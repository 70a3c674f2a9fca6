import type { Child } from "./child.ts";
import type { LoadSnapshot, LoadTask, PlayersTask, PublishersTask } from "./load_task.ts";
import { snapshots, startLoad } from "./load_process.ts";
import { sleep } from "./numbers.ts";
import { machineTicks, type ProcessUsage, processUsage } from "./process_usage.ts";
import type { Row, Subject } from "./row.ts";
import { freePort, isListening, makeCertificate, startNginx, startServer } from "./servers.ts";

/** What everything has used and seen up to one moment. */
export interface Look {
  readonly machine: readonly [busy: number, all: number];
  /** Those that are measured. */
  readonly servers: readonly ProcessUsage[];
  readonly loads: readonly ProcessUsage[];
  /** Of the loads, in the same order. */
  readonly snapshots: readonly LoadSnapshot[];
}

/** Where things are reached in one row. */
interface Places {
  /** RTMP of each server that is measured. */
  readonly rtmp: readonly number[];
  /** Where the measured stream is published. */
  readonly origin: number;
  /** RTMP by TLS. */
  readonly rtmps: number;
  readonly flv: number;
  /** HTTP-FLV by TLS. */
  readonly flvs: number;
  readonly hooks: number;
}

/** How long all publishers take to have sent media, and nodes of a cluster to learn of each other's streams, in seconds. */
const SETTLE_SECONDS = 3;
/** More connections than this are made by more than one process. */
const MAX_PER_LOAD = 1000;

/** The processes of one row: what is measured, and what makes its load. */
export class Stage {
  readonly #row: Row;
  readonly #places: Places;
  /** Not measured. */
  readonly #others: Child[] = [];
  readonly #servers: Child[] = [];
  readonly #loads: Child[] = [];
  readonly #folder: string;
  #caCert: string | undefined;

  constructor(row: Row) {
    this.#row = row;
    const rtmp = row.kind === "cluster" ? [freePort(), freePort()] : [freePort()];
    this.#places = {
      rtmp,
      origin: row.kind === "edge" ? freePort() : rtmp[0] ?? 0,
      rtmps: freePort(),
      flv: freePort(),
      flvs: freePort(),
      hooks: freePort(),
    };
    this.#folder = Deno.makeTempDirSync();
  }

  /** Starts what is measured, and waits until it listens. */
  async startServers(subject: Subject, flags: readonly string[]): Promise<void> {
    const { kind, latency, isEncrypted, hasHooks } = this.#row;
    const { rtmp, origin, flv, flvs, rtmps, hooks } = this.#places;
    const port = rtmp[0] ?? 0;
    if (hasHooks) await this.#begin({ kind: "hooks", port: hooks }, this.#others);
    if (subject === "nginx-rtmp") {
      this.#servers.push(startNginx(port, this.#folder));
    } else if (kind === "cluster") {
      const apis = rtmp.map(() => freePort());
      rtmp.forEach((port, index) => {
        const coworkerPort = apis[1 - index];
        this.#servers.push(startServer({ port, apiPort: apis[index], coworkerPort, latency, flags }));
      });
      for (const [index, api] of apis.entries()) await isListening(api, this.#servers[index]);
    } else {
      if (origin !== port) {
        this.#others.push(startServer({ port: origin, latency: "auto", flags }));
        await isListening(origin);
      }
      const certificate = isEncrypted ? makeCertificate(this.#folder) : undefined;
      if (certificate !== undefined) this.#caCert = await Deno.readTextFile(certificate.certPath);
      this.#servers.push(startServer({
        port,
        flvPort: kind === "flv" ? flv : undefined,
        originPort: origin === port ? undefined : origin,
        tls: certificate && { ...certificate, rtmpPort: rtmps, flvPort: flvs },
        hooksPort: hasHooks ? hooks : undefined,
        recordings: kind === "recorded" ? `${this.#folder}/[stream].flv` : undefined,
        latency,
        flags,
      }));
      if (kind === "flv") await isListening(flv, this.#servers[0]);
      if (isEncrypted) await isListening(rtmps, this.#servers[0]);
    }
    for (const [index, each] of rtmp.entries()) await isListening(each, this.#servers[index]);
  }

  /** Starts the measured stream, where the row has one, and who is the first to play it. */
  async startStream(): Promise<void> {
    const { kind, kbps, isProbed } = this.#row;
    const isOfOne = kind === "players" || kind === "publishers" || kind === "flv" || kind === "edge";
    if (!isOfOne && kind !== "joins" && !isProbed) return;
    const { origin, rtmp } = this.#places;
    await this.#add({
      kind: "measured",
      port: origin,
      kbps,
      probePorts: kind === "flv" ? [] : [rtmp[0] ?? 0],
    });
  }

  /** Brings everybody else, and waits until they are there. */
  async startCrowd(): Promise<void> {
    const { kind, count, kbps, playersEach = 0, joinsPerSecond: rate = 200, isEncrypted, isProbed } =
      this.#row;
    const { rtmp, flv, flvs, rtmps } = this.#places;
    const port = rtmp[0] ?? 0;
    // Reading is the load's own cost, and must not starve the server.
    const readEveryMs = Math.max(50, count * Math.max(1, playersEach) / 20);
    const common = { rate, caCert: this.#caCert, readEveryMs };
    if (kind === "unwatched" || kind === "recorded" || kind === "publishers") {
      await this.#addShares({
        kind: "publishers",
        port,
        kbps,
        count: kind === "publishers" ? count - 1 : count,
        rate,
      });
    } else if (kind === "streams" || kind === "cluster") {
      const shares = rtmp.length;
      await Promise.all(
        rtmp.map((port, index) =>
          this.#add({
            kind: "publishers",
            port,
            kbps,
            count: count / shares,
            first: index * count / shares,
            rate,
          })
        ),
      );
      // Each publisher is at its own place of the stream, which the last one has yet to reach.
      await sleep(SETTLE_SECONDS);
      const players = count * playersEach / shares;
      await Promise.all(
        rtmp.map((port) =>
          this.#addShares({
            ...common,
            kind: "players",
            port,
            count: players,
            streams: count,
            rate: rate / shares,
          })
        ),
      );
    } else if (kind === "flv") {
      await this.#add({ ...common, kind: "flv", port: isEncrypted ? flvs : flv, count });
    } else if (count > 1) {
      // One probe is the first player, one the last; the crowd is between them.
      await this.#addShares({
        ...common,
        kind: "players",
        port: isEncrypted ? rtmps : port,
        count: count - 2,
      });
    }
    const hasLastProbe = kind === "players" || kind === "edge" || kind === "joins" || isProbed;
    if (hasLastProbe && count > 1) await this.#loads[0]?.ask(`probe ${port}`);
  }

  /** Brings players to streams that nobody has played, one after the other; tells how long each waited. */
  async visit(count: number): Promise<LoadSnapshot> {
    const port = this.#places.rtmp[0] ?? 0;
    const load = await this.#begin(
      { kind: "players", port, count, streams: count, rate: 10, readEveryMs: 50 },
      this.#others,
    );
    return (await snapshots([load]))[0] as LoadSnapshot;
  }

  /** Looks at everything at about the same time. */
  async look(): Promise<Look> {
    return {
      machine: machineTicks(),
      servers: this.#servers.map(({ pid }) => processUsage(pid)),
      loads: this.#loads.map(({ pid }) => processUsage(pid)),
      snapshots: await snapshots(this.#loads),
    };
  }

  /** Ends everything. */
  async stop(): Promise<void> {
    for (const child of [...this.#loads, ...this.#servers, ...this.#others]) await child.stop();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Starts a load, as one of `list` from its first moment, and waits until it is made. */
  async #begin(task: LoadTask, list: Child[]): Promise<Child> {
    const load = startLoad(task);
    list.push(load);
    await load.line();
    return load;
  }

  async #add(task: LoadTask): Promise<void> {
    await this.#begin(task, this.#loads);
  }

  async #addShares(task: PublishersTask | PlayersTask): Promise<void> {
    const shares = Math.ceil(task.count / MAX_PER_LOAD);
    const each = Math.ceil(task.count / shares);
    await Promise.all(Array.from({ length: shares }, (_, index) => {
      const first = index * each;
      return this.#add({
        ...task,
        first,
        count: Math.min(each, task.count - first),
        rate: task.rate / shares,
      });
    }));
  }
}
