/**
 * TLS by the runtime's own listener, whose writes cost about what plain ones cost; through `node:tls` they cost twice as much, and
 * through any second pair of streams four times.
 *
 * It has its price elsewhere. The runtime gives the socket of a TLS connection back only when the peer has taken what is left for it, or
 * has left: a silent peer can be ignored, not cut. So who counts connections counts by {@linkcode ByteDuplex.released}.
 *
 * @module
 */
import { listenAnywhere } from "./listen_anywhere.ts";
import { ListenError } from "../base/listen_error.ts";
import {
  AcceptFailures,
  type ByteDuplex,
  type ConnectionListener,
  type ListenTarget,
  type SocketAddress,
  socketAddress,
} from "./tcp.ts";

/** A certificate, with those that lead to its authority behind it, and its key, in PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** How long a new certificate may wait for the next connection, behind which taking it costs no gap, in milliseconds. */
const RENEW_WITHIN_MS = 1000;
/** How often a port that is listened on anew is tried while the system still holds it, in milliseconds. */
const RELISTEN_PAUSE_MS = 1;

/**
 * A listening socket whose connections speak TLS. No protocol is agreed upon (ALPN): clients that name others than ours would be turned
 * away.
 */
export class TlsListener implements ConnectionListener {
  readonly address: SocketAddress;
  readonly #hostname: string;
  #listener: Deno.TlsListener;
  #next: KeyPair | undefined;
  #renewTimer: ReturnType<typeof setTimeout> | undefined;
  #isClosed = false;

  private constructor(listener: Deno.TlsListener, hostname: string) {
    this.#listener = listener;
    this.#hostname = hostname;
    this.address = socketAddress(listener.addr);
  }

  /** @throws {ListenError} When the port can't be had, or the key does not fit the certificate. */
  static listen(target: ListenTarget, keyPair: KeyPair): TlsListener {
    const { port } = target;
    try {
      return listenAnywhere(
        target.hostname,
        Deno.build.os !== "windows",
        (hostname) => new TlsListener(Deno.listenTls({ hostname, port, ...keyPair }), hostname),
      );
    } catch (error) {
      throw new ListenError({ hostname: target.hostname ?? "0.0.0.0", port }, error);
    }
  }

  /**
   * Shows another certificate to who connects from now on; connections that are there stay. The runtime has no way but to listen anew, so
   * it is done right after an accept, when no other is under way and the port is free at once, or a second later where nobody comes.
   *
   * @param keyPair That has been found to fit.
   */
  renew(keyPair: KeyPair): void {
    this.#next = keyPair;
    this.#renewTimer ??= setTimeout(() => this.#closeListener(), RENEW_WITHIN_MS);
  }

  async *connections(onError: (error: unknown) => void): AsyncGenerator<ByteDuplex> {
    const failures = new AcceptFailures(onError);
    while (!this.#isClosed) {
      try {
        if (this.#next !== undefined) await this.#listenAnew();
        const connection = await this.#listener.accept();
        failures.end();
        yield tlsDuplex(connection);
      } catch (error) {
        if (error instanceof Deno.errors.BadResource && (this.#isClosed || this.#next !== undefined)) {
          continue;
        }
        await failures.add(error);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#renewTimer);
    this.#closeListener();
  }

  async #listenAnew(): Promise<void> {
    clearTimeout(this.#renewTimer);
    this.#renewTimer = undefined;
    this.#closeListener();
    const { port } = this.address;
    while (!this.#isClosed && this.#next !== undefined) {
      const keyPair = this.#next;
      try {
        this.#listener = Deno.listenTls({ hostname: this.#hostname, port, ...keyPair });
        if (this.#next === keyPair) this.#next = undefined;
        return;
      } catch (error) {
        // The old socket is given back when the event loop comes round.
        if (!(error instanceof Deno.errors.AddrInUse)) throw error;
        await new Promise((resolve) => setTimeout(resolve, RELISTEN_PAUSE_MS));
      }
    }
  }

  #closeListener(): void {
    try {
      this.#listener.close();
    } catch {
      // Closed already.
    }
  }
}

/** A TLS connection of the runtime as bytes both ways. */
export function tlsDuplex(connection: Deno.TlsConn): ByteDuplex {
  let isClosed = false;
  let failRead: (reason: unknown) => void = () => {};
  const released = Promise.withResolvers<void>();
  const { localAddr, remoteAddr } = connection;
  return {
    read: (buffer) =>
      new Promise((resolve, reject) => {
        failRead = reject;
        if (isClosed) reject(closedError());
        else {
          connection.read(buffer).then(resolve, (error) => {
            // Most programs leave without TLS's own goodbye.
            if (error instanceof Deno.errors.UnexpectedEof) resolve(null);
            else reject(error);
          });
        }
      }),
    isSecure: true,
    released: released.promise,
    handshake: async () => {
      await connection.handshake();
    },
    write: (bytes) => connection.write(bytes),
    close() {
      if (isClosed) return;
      isClosed = true;
      // Whoever reads is told at once. The connection itself can't be closed before all is sent: nobody would learn when it is gone.
      failRead(closedError());
      connection.closeWrite().catch(() => {}).then(() => {
        try {
          connection.close();
        } catch {
          // Deno has closed it by itself.
        }
        released.resolve();
      });
    },
    localAddress: socketAddress(localAddr),
    remoteAddress: socketAddress(remoteAddr),
  };
}

function closedError(): Error {
  return new Deno.errors.Interrupted("The connection was closed");
}
