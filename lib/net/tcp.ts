import { plainAddress } from "../base/ip_address.ts";
import { listenAnywhere } from "./listen_anywhere.ts";
import { type Clock, SYSTEM_CLOCK } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import { ListenError } from "../base/listen_error.ts";
import { isOutOfDescriptors } from "./descriptors.ts";

/** One connection as bytes both ways. What sessions are pumped over; a test can make one of two arrays. */
export interface ByteDuplex {
  /** Reads some bytes into `buffer`; resolves to how many, or to null when there are no more. One call at a time. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes`; resolves to how many. One call at a time. */
  write(bytes: Uint8Array): Promise<number>;
  /** Ends both directions. May be called again. */
  close(): void;
  /** Ends ours: the peer sees an end in good order, also while it is still sending. Absent: `close` is all there is. */
  finish?(): Promise<void>;
  /** Whether small writes go out at once, which they do at first, or wait for the acknowledgement of earlier ones. */
  setNoDelay?(isOn: boolean): void;
  /** Whether it is over TLS. */
  readonly isSecure?: boolean;
  /** Resolves when TLS is agreed upon, before which nothing can be read or written; absent: there is none. */
  handshake?(): Promise<void>;
  /** Resolves when the system has its descriptor back, which may be long after `close`; absent: at once. */
  readonly released?: Promise<void>;
  readonly localAddress: SocketAddress;
  readonly remoteAddress: SocketAddress;
}

export interface SocketAddress {
  readonly hostname: string;
  readonly port: number;
}

/** Where to dial, and whether by TLS. */
export interface DialAddress extends SocketAddress {
  readonly isSecure?: boolean;
}

/** Where to listen; without a host name: on every address of the machine. `port` 0 takes a free one. */
export interface ListenTarget {
  readonly hostname?: string;
  readonly port: number;
}

/** Where connections come from. */
export interface ConnectionListener {
  readonly address: SocketAddress;
  /**
   * Connections as they come, until `close`. Failing accepts do not end it; they are told to `onError`. A peer that
   * was gone before it was accepted keeps nobody waiting, and is not told of.
   */
  connections(onError: (error: unknown) => void): AsyncGenerator<ByteDuplex>;
  close(): void;
}

/** After an accept that failed for want of descriptors the next is tried so much later, in milliseconds. */
const ACCEPT_PAUSE_MS = 50;
/** After so many accepts that failed one after another there is a pause too. */
const MANY_FAILURES = 1000;

/** A listening TCP socket. */
export class TcpListener implements ConnectionListener {
  readonly #listener: Deno.Listener;

  private constructor(listener: Deno.Listener) {
    this.#listener = listener;
  }

  /** @throws {ListenError} When the port can't be had. */
  static listen(target: ListenTarget): TcpListener {
    const { port } = target;
    try {
      return new TcpListener(
        listenAnywhere(
          target.hostname,
          Deno.build.os !== "windows",
          (hostname) => Deno.listen({ hostname, port }),
        ),
      );
    } catch (error) {
      throw new ListenError({ hostname: target.hostname ?? "0.0.0.0", port }, error);
    }
  }

  get address(): SocketAddress {
    return socketAddress(this.#listener.addr);
  }

  async *connections(onError: (error: unknown) => void): AsyncGenerator<ByteDuplex> {
    const failures = new AcceptFailures(onError);
    for (;;) {
      try {
        const connection = await this.#listener.accept();
        failures.end();
        yield tcpDuplex(connection);
      } catch (error) {
        if (error instanceof Deno.errors.BadResource) return;
        await failures.add(error);
      }
    }
  }

  close(): void {
    try {
      this.#listener.close();
    } catch {
      // Closed already.
    }
  }
}

/** Accepts that failed one after another. */
export class AcceptFailures {
  readonly #onError: (error: unknown) => void;
  #count = 0;

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** One failed; it is told of unless its peer is what failed. Resolves when the next may be tried. */
  async add(error: unknown): Promise<void> {
    if (!isPeerGone(error)) this.#onError(error);
    // Others must end first; or the system refuses for a reason that will not pass by itself.
    if (isOutOfDescriptors(error) || ++this.#count % MANY_FAILURES === 0) {
      await new Promise((resolve) => setTimeout(resolve, ACCEPT_PAUSE_MS));
    }
  }

  /** One succeeded. */
  end(): void {
    this.#count = 0;
  }
}

/** Whether a connection was reset before it could be accepted, as a port scan does: nothing that an operator could mend. */
function isPeerGone(error: unknown): boolean {
  return error instanceof Deno.errors.NotConnected || error instanceof Deno.errors.ConnectionAborted ||
    error instanceof Deno.errors.ConnectionReset;
}

/**
 * Connects within a time.
 *
 * @throws {Error} Naming the address and the reason.
 */
export async function dialTcp(
  address: SocketAddress,
  timeoutMs: number,
  clock: Clock = SYSTEM_CLOCK,
): Promise<ByteDuplex> {
  return tcpDuplex(await connectTcp(address, timeoutMs, clock));
}

/**
 * Connects within a time, to a connection that is not configured yet.
 *
 * @throws {Error} Naming the address and the reason.
 */
export async function connectTcp(
  address: SocketAddress,
  timeoutMs: number,
  clock: Clock,
): Promise<Deno.TcpConn> {
  const controller = new AbortController();
  const timer = clock.setTimer(() => controller.abort(), timeoutMs);
  const dialling = Deno.connect({ hostname: address.hostname, port: address.port, transport: "tcp" });
  try {
    const connection = await Promise.race([
      dialling,
      new Promise<never>((_, reject) => {
        controller.signal.addEventListener(
          "abort",
          () => reject(new Error(`no answer within ${timeoutMs} ms`)),
        );
      }),
    ]);
    return connection;
  } catch (error) {
    // A connection that comes too late is of no use.
    dialling.then((connection) => connection.close(), () => {});
    throw new Error(`Cannot connect to ${address.hostname}:${address.port}: ${errorText(error)}`, {
      cause: error,
    });
  } finally {
    clock.clearTimer(timer);
  }
}

/** A connection that is open, as what sessions are pumped over. */
export function tcpDuplex(connection: Deno.Conn): ByteDuplex {
  configureTcp(connection);
  let isClosed = false;
  return {
    read: (buffer) => connection.read(buffer),
    write: (bytes) => connection.write(bytes),
    close() {
      if (isClosed) return;
      isClosed = true;
      try {
        connection.close();
      } catch {
        // It failed, and is gone already.
      }
    },
    finish: () => connection.closeWrite(),
    setNoDelay: (isOn) => changeTcp(connection, (tcp) => tcp.setNoDelay(isOn)),
    localAddress: socketAddress(connection.localAddr),
    remoteAddress: socketAddress(connection.remoteAddr),
  };
}

/** Sets what every connection of ours has. */
export function configureTcp(connection: Deno.Conn): void {
  changeTcp(connection, (tcp) => {
    // Small messages must not wait for the acknowledgement of earlier ones.
    tcp.setNoDelay(true);
    tcp.setKeepAlive(true);
  });
}

function changeTcp(connection: Deno.Conn, change: (tcp: Deno.TcpConn) => void): void {
  if (!("setNoDelay" in connection)) return;
  try {
    change(connection as Deno.TcpConn);
  } catch {
    // The peer is gone already; the first read says so.
  }
}

/** An address of the runtime's. */
export function socketAddress(address: Deno.Addr): SocketAddress {
  const { hostname, port } = address as Deno.NetAddr;
  return { hostname: plainAddress(hostname), port };
}

/** Whether reading or writing a connection failed because the peer or the network is gone, and not by a fault of ours. */
export function isConnectionLoss(error: unknown): boolean {
  return error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe ||
    error instanceof Deno.errors.ConnectionAborted || error instanceof Deno.errors.BadResource ||
    error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.TimedOut ||
    error instanceof Deno.errors.UnexpectedEof || error instanceof Deno.errors.InvalidData;
}
