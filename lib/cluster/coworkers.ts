import { inBackground } from "../base/background.ts";
import type { Clock, Timer } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { type CoworkerAddress, hostAndPort, isIpAddress, parseCoworkerAddress } from "../base/host_port.ts";
import { Coworker, type CoworkerOptions, withJitter } from "./coworker.ts";

/** Every address of a host name; rejects when it has none or nobody knows. */
export type ResolveHost = (name: string) => Promise<readonly string[]>;

export interface CoworkersOptions extends CoworkerOptions {
  readonly resolveHost: ResolveHost;
}

/** A coworker as it was named in the configuration. */
interface Entry {
  readonly name: string;
  readonly address: CoworkerAddress;
  /** In the order of the resolver; empty until the name was looked up. */
  coworkers: readonly Coworker[];
  /** Of the last look-up. */
  error: string | undefined;
  /** The look-up that is under way. */
  resolving: Promise<void> | undefined;
}

/** How often names are looked up again, in milliseconds. */
const RESOLVE_INTERVAL_MS = 5000;
const MAX_ADDRESSES = 256;

/** The coworkers that share one secret: looks up their names and keeps one `Coworker` for each address. */
export class Coworkers {
  readonly #options: CoworkersOptions;
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** By address and port: two names for one address are one coworker. */
  readonly #byAddress = new Map<string, Coworker>();
  #resolveTimer: Timer | undefined;
  #beatTimer: Timer | undefined;
  #isStarted = false;

  constructor(options: CoworkersOptions) {
    this.#options = options;
    this.#clock = options.clock;
  }

  /**
   * Takes a new list. Coworkers that stay keep their state.
   *
   * @throws {RangeError} When one is not `host:port`.
   */
  setCoworkers(names: Iterable<string>): void {
    const wanted = new Map([...names].map((name) => [name, parseCoworkerAddress(name)]));
    for (const name of this.#entries.keys()) {
      if (!wanted.has(name)) this.#entries.delete(name);
    }
    for (const [name, address] of wanted) {
      const known = this.#entries.get(name);
      const entry: Entry = known ??
        { name, address, coworkers: [], error: undefined, resolving: undefined };
      this.#entries.set(name, entry);
      // Again for one that is known: it may have gone by another name that is no longer in the list.
      if (isIpAddress(address.host)) this.#assign(entry, [address.host]);
      else if (this.#isStarted && known === undefined) this.#resolveSoon(entry);
    }
    this.#stopUnused();
    // The pause between turns may have become shorter.
    if (this.#isStarted) this.#awaitBeat();
  }

  start(): void {
    this.#isStarted = true;
    for (const coworker of this.#byAddress.values()) coworker.start();
    this.#resolveAll();
    this.#beat();
  }

  stop(): void {
    this.#isStarted = false;
    if (this.#resolveTimer !== undefined) this.#clock.clearTimer(this.#resolveTimer);
    if (this.#beatTimer !== undefined) this.#clock.clearTimer(this.#beatTimer);
    for (const coworker of this.#byAddress.values()) coworker.stop();
  }

  /** Waits for the first look-up of names, which is a moment after the start, but no longer than `timeoutMs`. */
  async whenResolved(names: readonly string[], timeoutMs: number): Promise<void> {
    const resolving = names.flatMap((name) => {
      const entry = this.#entries.get(name);
      return entry?.resolving !== undefined && entry.coworkers.length === 0 ? [entry.resolving] : [];
    });
    if (resolving.length === 0) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = this.#clock.setTimer(resolve, timeoutMs);
    await Promise.race([Promise.all(resolving), late]);
    this.#clock.clearTimer(timer);
  }

  /** Every coworker of the names, one an address; names that can't be looked up have none. */
  of(names: readonly string[]): Coworker[] {
    return [...new Set(names.flatMap((name) => this.#entries.get(name)?.coworkers ?? []))];
  }

  /** Those worth asking: not this node, not known to be down, and each node once, whatever names it goes by. */
  live(names: readonly string[]): Coworker[] {
    const boots = new Set<string>();
    return this.of(names).filter((coworker) => {
      if (coworker.kind === "self" || coworker.isUp === false) return false;
      const bootId = coworker.node?.bootId;
      if (bootId === undefined) return true;
      if (boots.has(bootId)) return false;
      boots.add(bootId);
      return true;
    });
  }

  /** Names that stand for no address now, and why. */
  unresolved(names: readonly string[]): { name: string; error: string }[] {
    return names.flatMap((name) => {
      const entry = this.#entries.get(name);
      if (entry?.error === undefined || entry.coworkers.length > 0) return [];
      return [{ name, error: entry.error }];
    });
  }

  #resolveAll(): void {
    for (const entry of this.#entries.values()) {
      if (!isIpAddress(entry.address.host)) this.#resolveSoon(entry);
    }
    this.#resolveTimer = this.#clock.setTimer(() => this.#resolveAll(), RESOLVE_INTERVAL_MS);
  }

  /** All in one go: measured with 49 coworkers and real sockets, a quarter of the CPU that 49 timers of their own cost. */
  #beat(): void {
    for (const coworker of this.#byAddress.values()) coworker.beat();
    this.#awaitBeat();
  }

  #awaitBeat(): void {
    if (this.#beatTimer !== undefined) this.#clock.clearTimer(this.#beatTimer);
    const { pollIntervalMs, random } = this.#options;
    this.#beatTimer = this.#clock.setTimer(() => this.#beat(), withJitter(pollIntervalMs(), random()));
  }

  #resolveSoon(entry: Entry): void {
    if (entry.resolving !== undefined) return;
    entry.resolving = this.#lookUp(entry).finally(() => entry.resolving = undefined);
    inBackground(entry.resolving, "resolving a coworker");
  }

  async #lookUp(entry: Entry): Promise<void> {
    try {
      const addresses = await this.#options.resolveHost(entry.address.host);
      if (addresses.length === 0) throw new Error("it has no address");
      entry.error = undefined;
      if (this.#entries.get(entry.name) === entry && this.#isStarted) this.#assign(entry, addresses);
      this.#stopUnused();
    } catch (error) {
      // Those that were found before may still be there: a name server that is away takes nobody down.
      entry.error = `cannot look up '${entry.address.host}': ${errorText(error)}`;
    }
  }

  #assign(entry: Entry, addresses: readonly string[]): void {
    const { host, port } = entry.address;
    const isOne = addresses.length === 1;
    entry.coworkers = addresses.slice(0, MAX_ADDRESSES).map((address) => {
      const key = hostAndPort(address, port);
      // A name that stands for one address is asked by its name, as SRS does: a service may answer to that alone, and a node behind
      // NAT gives it to players. Of several addresses, only the address says which one is meant.
      const name = isOne ? entry.name : key;
      const where = isOne ? { host, port } : { host: address, port };
      let coworker = this.#byAddress.get(key);
      if (coworker === undefined) {
        coworker = new Coworker(name, where, this.#options);
        this.#byAddress.set(key, coworker);
        if (this.#isStarted) coworker.start();
      } else if (!this.#isNamed(coworker)) {
        coworker.name = name;
        coworker.address = where;
      }
      return coworker;
    });
  }

  /** Whether a coworker still goes by a name of the list. */
  #isNamed(coworker: Coworker): boolean {
    return this.#entries.has(coworker.name);
  }

  #stopUnused(): void {
    const used = new Set([...this.#entries.values()].flatMap(({ coworkers }) => coworkers));
    for (const [key, coworker] of this.#byAddress) {
      if (used.has(coworker)) continue;
      coworker.stop();
      this.#byAddress.delete(key);
    }
  }
}
