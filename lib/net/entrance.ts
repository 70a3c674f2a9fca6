import { inBackground } from "../base/background.ts";
import type { Clock } from "../base/clock.ts";
import { errorText, RtmpError } from "../base/errors.ts";
import type { ConnectionLimits } from "./connection_limits.ts";
import { takeProxyHeader } from "./proxied_input.ts";
import type { ByteDuplex, SocketAddress } from "./tcp.ts";

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** How long a proxy may take to say whom it speaks for, in milliseconds. */
const HEADER_TIMEOUT_MS = 5000;
/** Clients of one address that never agreed upon TLS and hold their connection open, before others from there are refused. */
const MAX_SILENT_PER_ADDRESS = 16;
/** Clients of all addresses together that have not agreed upon TLS, and are not gone, before no more are accepted. */
const MAX_UNAGREED = 256;
/** Those among them that were refused: there was no room for them, and each takes of what is kept back for others. */
const MAX_REFUSED = 16;
/** How often it is said that no more are accepted, in milliseconds. */
const SAY_AGAIN_MS = 60_000;

export interface EntranceOptions {
  readonly clock: Clock;
  /** The account of all connections of the process. */
  readonly limits: ConnectionLimits;
  /** How long a client may take to agree upon TLS, in milliseconds; absent: 10 s. */
  readonly handshakeTimeoutMs?: () => number;
  /** How many clients may be connected that have not agreed upon TLS; absent: 256. */
  readonly maxUnagreed?: () => number;
  /** TLS ports accept nobody for now: so many clients have not agreed upon TLS. Told once a minute. */
  readonly onTlsFull?: (unagreed: number) => void;
  /** Whether a peer is a proxy whose word about its clients counts; absent: nobody is. */
  readonly isTrustedProxy?: (ip: string) => boolean;
  /** A connection has ended before its first word; `peer` is who opened it. */
  readonly onFailed?: (error: RtmpError, peer: SocketAddress, local: SocketAddress) => void;
}

/** A connection that may be spoken to. */
export interface EnteredConnection {
  /** Its remote address is the client's, also behind a proxy. */
  readonly duplex: ByteDuplex;
  /** Ends its counting; to be called when it is over. */
  readonly release: () => void;
  /**
   * Counts it for another address: a proxy's connection turned out to be one client's.
   *
   * @throws {RtmpError} `too-many-connections` when that address has too many.
   */
  readonly moveTo: (ip: string) => void;
  /** Why it can't be served: it is there to be told so. */
  readonly refusal?: RtmpError;
}

/** How full it may be for a connection. */
export interface EnterOptions {
  /** How many more than others may be connected, for those who must get in when it is full. */
  readonly reserved?: number;
  /** How many more are let in to be told that they can't be served. */
  readonly turnedAway?: number;
}

/**
 * What lies between the accept of a connection and its protocol, the same for every port: it is counted, TLS is agreed upon, and a
 * proxy that is trusted says whom it speaks for. All in bounded time, and without keeping the next connection waiting.
 */
export class Entrance {
  readonly #options: EntranceOptions;
  /** Ends those that are not through. */
  readonly #entering = new Set<(reason: RtmpError) => void>();
  /** By address, connections that were ended before TLS was agreed upon and that are not gone. */
  readonly #silent = new Map<string, number>();
  /** Connections that have not agreed upon TLS, whatever has become of them, as long as the system holds them. */
  #unagreed = 0;
  #refused = 0;
  #room: PromiseWithResolvers<void> | undefined;
  #isClosed = false;
  #saidAtMs = -Infinity;

  constructor(options: EntranceOptions) {
    this.#options = options;
  }

  /** Whether a peer is a proxy whose word about its clients counts. */
  isTrustedProxy(ip: string): boolean {
    return this.#options.isTrustedProxy?.(ip) ?? false;
  }

  /**
   * Lets a connection in, at once where there is nothing to wait for. What does not get in is closed.
   *
   * @returns Undefined when the connection has ended before its first word.
   * @throws {RtmpError} `too-many-connections`, also as a rejection.
   */
  enter(
    duplex: ByteDuplex,
    options: EnterOptions = {},
  ): EnteredConnection | Promise<EnteredConnection | undefined> {
    const ip = duplex.remoteAddress.hostname;
    const isProxy = this.isTrustedProxy(ip);
    const onAgreed = duplex.isSecure ? this.#countUnagreed(duplex) : () => {};
    let entered: EnteredConnection;
    try {
      this.#checkSilent(duplex);
      // A proxy's clients are many, and none of them is known yet.
      entered = this.#admit(duplex, isProxy ? undefined : ip, options);
    } catch (error) {
      this.#holdRefused(duplex);
      duplex.close();
      throw error;
    }
    if (duplex.handshake !== undefined) return this.#agreeOnTls(entered, duplex.handshake, onAgreed);
    return isProxy ? this.#readHeader(entered, options) : entered;
  }

  /**
   * Resolves when another client may be accepted where TLS is spoken. Those that say nothing can't be cut, so they are bounded before they
   * are accepted: the rest of the server is to have descriptors, whatever comes to these ports.
   */
  async roomForTls(): Promise<void> {
    const { clock, maxUnagreed, onTlsFull } = this.#options;
    while (!this.#isClosed) {
      if (this.#unagreed < (maxUnagreed?.() ?? MAX_UNAGREED) && this.#refused < MAX_REFUSED) return;
      if (clock.now() - this.#saidAtMs >= SAY_AGAIN_MS) {
        this.#saidAtMs = clock.now();
        onTlsFull?.(this.#unagreed);
      }
      await (this.#room ??= Promise.withResolvers()).promise;
    }
  }

  /** Ends those that are not through. */
  close(): void {
    this.#isClosed = true;
    this.#makeRoom();
    for (const end of [...this.#entering]) end(new RtmpError("shutting-down", "The server is stopping"));
  }

  #admit(duplex: ByteDuplex, ip: string | undefined, options: EnterOptions): EnteredConnection {
    const { reserved = 0, turnedAway = 0 } = options;
    try {
      return this.#count(duplex, ip, reserved);
    } catch (error) {
      if (turnedAway === 0 || !(error instanceof RtmpError)) throw error;
      return { ...this.#count(duplex, ip, reserved + turnedAway), refusal: error };
    }
  }

  #count(duplex: ByteDuplex, ip: string | undefined, reserved: number): EnteredConnection {
    const { limits } = this.#options;
    let uncount = limits.admit(ip, reserved);
    const moveTo = (ip: string) => {
      // For a moment it is counted twice.
      const next = limits.admit(ip, reserved + 1);
      uncount();
      uncount = next;
    };
    return { duplex, release: releaseWhenGone(duplex, () => uncount()), moveTo };
  }

  async #agreeOnTls(
    entered: EnteredConnection,
    handshake: () => Promise<void>,
    onAgreed: () => void,
  ): Promise<EnteredConnection | undefined> {
    const { duplex } = entered;
    try {
      const timeoutMs = this.#options.handshakeTimeoutMs?.() ?? HANDSHAKE_TIMEOUT_MS;
      await this.#inTime(timeoutMs, "TLS handshake", handshake());
      onAgreed();
      return entered;
    } catch (error) {
      const failure = error instanceof RtmpError ? error : tlsFailure(error);
      if (failure.code === "handshake-timeout") this.#noteSilent(duplex);
      this.#fail(entered, failure);
      return undefined;
    }
  }

  async #readHeader(
    entered: EnteredConnection,
    options: EnterOptions,
  ): Promise<EnteredConnection | undefined> {
    const { duplex, release } = entered;
    let input;
    try {
      const taken = takeProxyHeader(duplex);
      input = await this.#inTime(HEADER_TIMEOUT_MS, "first bytes from a trusted proxy", taken);
    } catch (error) {
      this.#fail(
        entered,
        error instanceof RtmpError ? error : new RtmpError("connection-lost", errorText(error)),
      );
      return undefined;
    }
    const { client: remoteAddress = duplex.remoteAddress, read } = input;
    const known = { ...entered, duplex: { ...duplex, read, remoteAddress } };
    if (input.client === undefined) return known;
    try {
      entered.moveTo(remoteAddress.hostname);
      return known;
    } catch (error) {
      if (options.turnedAway !== undefined && error instanceof RtmpError) return { ...known, refusal: error };
      duplex.close();
      release();
      throw error;
    }
  }

  #fail({ duplex, release }: EnteredConnection, error: RtmpError): void {
    duplex.close();
    release();
    this.#options.onFailed?.(error, duplex.remoteAddress, duplex.localAddress);
  }

  async #inTime<T>(timeoutMs: number, what: string, work: Promise<T>): Promise<T> {
    const { clock } = this.#options;
    const late = Promise.withResolvers<never>();
    const timer = clock.setTimer(() => {
      late.reject(new RtmpError("handshake-timeout", `Cannot read ${what}: nothing within ${timeoutMs} ms`));
    }, timeoutMs);
    this.#entering.add(late.reject);
    // What comes too late is of no use.
    work.catch(() => {});
    try {
      return await Promise.race([work, late.promise]);
    } finally {
      clock.clearTimer(timer);
      this.#entering.delete(late.reject);
    }
  }

  /** Counts it until TLS is agreed upon, which the result is to be called for, or until it is gone. */
  #countUnagreed({ released }: ByteDuplex): () => void {
    this.#unagreed++;
    let isCounted = true;
    const uncount = () => {
      if (!isCounted) return;
      isCounted = false;
      this.#unagreed--;
      this.#makeRoom();
    };
    if (released !== undefined) inBackground(released.then(uncount), "releasing a connection");
    return uncount;
  }

  #holdRefused({ released }: ByteDuplex): void {
    if (released === undefined) return;
    const letGo = this.#options.limits.hold();
    this.#refused++;
    const end = () => {
      letGo();
      this.#refused--;
      this.#makeRoom();
    };
    inBackground(released.then(end), "releasing a connection");
  }

  #makeRoom(): void {
    this.#room?.resolve();
    this.#room = undefined;
  }

  /** They cost whoever opens them nothing, and are not gone before it wants them to be. */
  #checkSilent({ isSecure, remoteAddress: { hostname } }: ByteDuplex): void {
    const count = this.#silent.get(hostname) ?? 0;
    if (!isSecure || count < MAX_SILENT_PER_ADDRESS) return;
    throw new RtmpError(
      "too-many-connections",
      `Cannot accept connection: ${count} from ${hostname} never began with TLS and are still open, limit is ${MAX_SILENT_PER_ADDRESS}`,
    );
  }

  #noteSilent({ released, remoteAddress: { hostname } }: ByteDuplex): void {
    if (released === undefined) return;
    const add = (change: number) => {
      const count = (this.#silent.get(hostname) ?? 0) + change;
      if (count > 0) this.#silent.set(hostname, count);
      else this.#silent.delete(hostname);
    };
    add(1);
    inBackground(released.then(() => add(-1)), "releasing a connection");
  }
}

/** Ends the counting of a connection that is over when the system has its descriptor back. */
function releaseWhenGone({ released }: ByteDuplex, release: () => void): () => void {
  return released === undefined
    ? release
    : () => inBackground(released.then(release), "releasing a connection");
}

function tlsFailure(error: unknown): RtmpError {
  const text = errorText(error);
  // It was gone before it said anything: a port scan, a health check.
  if (/unexpected end of file|connection reset|broken pipe|not connected|os error/i.test(text)) {
    return new RtmpError("connection-lost", `The client left during the TLS handshake: ${text}`, {
      cause: error,
    });
  }
  const reason = /InvalidContentType|corrupt message/i.test(text)
    ? "the client does not speak TLS (plain RTMP or HTTP, or a PROXY header, which cannot be read before TLS)"
    : /alert.*(CA|Certificate)/i.test(text)
    ? `the client does not accept the certificate: ${text}`
    : text;
  return new RtmpError("tls-handshake", `TLS handshake failed: ${reason}`, { cause: error });
}
