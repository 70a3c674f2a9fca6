/**
 * TCP sockets through the C library, each call a system call and nothing else: a crowd of publishers makes more writes a second than the
 * runtime's own connections could without being what is measured.
 *
 * @module
 */

import type { ByteDuplex } from "../lib/net/tcp.ts";

/** Of Linux, on every architecture that Deno runs on. */
const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const TCP_NODELAY = 1;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const EINTR = 4;
const EAGAIN = 11;

/** How long a reader waits before it looks again, in milliseconds. */
const LOOK_MS = 2;

const C = Deno.dlopen("libc.so.6", {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  connect: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
}).symbols;

/** One connection to this machine. */
export class LibcSocket {
  readonly #descriptor: number;

  /** @throws {Error} When nothing accepts it. */
  constructor(port: number) {
    this.#descriptor = C.socket(AF_INET, SOCK_STREAM, 0);
    const address = new DataView(new ArrayBuffer(16));
    // The family is in the machine's byte order, which is little-endian wherever Deno runs.
    address.setUint16(0, AF_INET, true);
    address.setUint16(2, port);
    address.setUint8(4, 127);
    address.setUint8(7, 1);
    if (C.connect(this.#descriptor, new Uint8Array(address.buffer), 16) !== 0) {
      const error = new Error(`Cannot connect to port ${port}: system error ${errno()}`);
      this.close();
      throw error;
    }
    C.setsockopt(this.#descriptor, IPPROTO_TCP, TCP_NODELAY, Uint8Array.of(1, 0, 0, 0), 4);
  }

  /** Sends what the socket takes now; returns how many bytes that are. */
  send(bytes: Uint8Array): number {
    return counted(
      "write",
      C.send(this.#descriptor, owned(bytes), BigInt(bytes.length), MSG_DONTWAIT | MSG_NOSIGNAL),
    ) ??
      0;
  }

  /** What has come, or undefined when nothing has; null at the end. */
  receive(buffer: Uint8Array): number | null | undefined {
    const count = counted(
      "read",
      C.recv(this.#descriptor, owned(buffer), BigInt(buffer.length), MSG_DONTWAIT),
    );
    return count === 0 ? null : count;
  }

  /**
   * The connection as a client speaks over it, looking for bytes only every few milliseconds.
   *
   * @param isOver Whether somebody else reads by now: the client is left waiting.
   */
  asDuplex(port: number, isOver: () => boolean): ByteDuplex {
    const address = { hostname: "127.0.0.1", port };
    return {
      read: async (buffer) => {
        while (!isOver()) {
          const count = this.receive(buffer);
          if (count !== undefined) return count;
          await pause();
        }
        return await new Promise<never>(() => {});
      },
      write: async (bytes) => {
        for (;;) {
          const count = this.send(bytes);
          if (count > 0 || bytes.length === 0) return count;
          await pause();
        }
      },
      close: () => this.close(),
      localAddress: address,
      remoteAddress: address,
    };
  }

  close(): void {
    C.close(this.#descriptor);
  }
}

/** Nothing here is in memory that threads share. */
function owned(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return bytes as Uint8Array<ArrayBuffer>;
}

function counted(what: string, result: number): number | undefined {
  if (result >= 0) return result;
  const error = errno();
  if (error === EAGAIN || error === EINTR) return undefined;
  throw new Error(`Cannot ${what}: system error ${error}`);
}

function errno(): number {
  const place = C.__errno_location();
  return place === null ? 0 : new Deno.UnsafePointerView(place).getInt32();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}
