import { RtmpError } from "../base/errors.ts";

/** How many connections may be open. */
export interface ConnectionBounds {
  /** Of clients, whatever they speak. */
  readonly maxConnections: number;
  /** Of clients at one address; 0: no limit. */
  readonly maxConnectionsPerIp: number;
}

/**
 * The account of every connection of the process: clients from accept to close, whatever they speak, and what it opened itself. All
 * together never need more descriptors than the process has.
 */
export class ConnectionLimits {
  readonly #bounds: () => ConnectionBounds;
  #maxDescriptors = Infinity;
  readonly #perIp = new Map<string, number>();
  #clients = 0;
  #outgoing = 0;
  /** Of connections that are over or were refused, and that the system still holds. */
  #held = 0;

  /** @param bounds As configured now. */
  constructor(bounds: () => ConnectionBounds) {
    this.#bounds = bounds;
  }

  /** Clients that are connected. */
  get clients(): number {
    return this.#clients;
  }

  /** How many clients may be connected: as configured, or as there are descriptors for. */
  get max(): number {
    return Math.min(this.#bounds().maxConnections, this.#maxDescriptors);
  }

  /**
   * Says for how many more connections, beside those that are open, the process has descriptors. Where the configuration asks for
   * more clients, no more than these get in.
   */
  setFreeDescriptors(count: number): void {
    this.#maxDescriptors = this.#descriptors + count;
  }

  /**
   * Counts a client that has connected.
   *
   * @param ip Its address; undefined: one that speaks for others, to whom the limit of an address does not apply.
   * @param reserved How many more than others may be connected, for those who must get in when it is full.
   * @returns Ends the counting; may be called again.
   * @throws {RtmpError} `too-many-connections`.
   */
  admit(ip: string | undefined, reserved: number = 0): () => void {
    const { maxConnections, maxConnectionsPerIp } = this.#bounds();
    const open = this.#clients;
    if (open >= maxConnections + reserved) {
      throw tooMany(`${open} are open, limit is ${maxConnections}`);
    }
    if (this.#descriptors >= this.#maxDescriptors + reserved) {
      throw tooMany(
        `${open} are open and ${this.#outgoing} to other servers, the process has file descriptors for ${this.#maxDescriptors}`,
      );
    }
    const fromIp = ip === undefined ? 0 : this.#perIp.get(ip) ?? 0;
    if (maxConnectionsPerIp > 0 && fromIp >= maxConnectionsPerIp) {
      throw tooMany(`${fromIp} from ${ip} are open, limit per address is ${maxConnectionsPerIp}`);
    }
    this.#clients++;
    if (ip !== undefined) this.#perIp.set(ip, fromIp + 1);
    return once(() => {
      this.#clients--;
      if (ip === undefined) return;
      const left = (this.#perIp.get(ip) ?? 1) - 1;
      if (left > 0) this.#perIp.set(ip, left);
      else this.#perIp.delete(ip);
    });
  }

  /**
   * Counts a connection that this process is about to open.
   *
   * @returns Ends the counting; may be called again.
   * @throws {RtmpError} `unreachable` when the process has no descriptor for it.
   */
  admitOutgoing(): () => void {
    if (this.#descriptors >= this.#maxDescriptors) {
      throw new RtmpError(
        "unreachable",
        `Cannot connect: the process has file descriptors for ${this.#maxDescriptors} connections, and all are in use`,
      );
    }
    this.#outgoing++;
    return once(() => this.#outgoing--);
  }

  /**
   * Counts the descriptor of a connection that is no client's, whether there is room for it or not.
   *
   * @returns Ends the counting; may be called again.
   */
  hold(): () => void {
    this.#held++;
    return once(() => this.#held--);
  }

  get #descriptors(): number {
    return this.#clients + this.#outgoing + this.#held;
  }
}

function tooMany(reason: string): RtmpError {
  return new RtmpError("too-many-connections", `Cannot accept connection: ${reason}`);
}

function once(callback: () => void): () => void {
  let isDone = false;
  return () => {
    if (isDone) return;
    isDone = true;
    callback();
  };
}
