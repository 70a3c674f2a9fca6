import type { ByteDuplex, SocketAddress } from "../../lib/net/tcp.ts";
import { ByteInput } from "./byte_input.ts";

/** One connection in memory, seen by the server as `duplex`. What the server writes waits until the test reads it. */
export class MemoryDuplex {
  readonly duplex: ByteDuplex;
  isClosed = false;
  /** What the server wants of small writes. */
  noDelay = true;
  readonly #input = new ByteInput();
  #pending: { readonly bytes: Uint8Array; readonly taken: (count: number) => void } | undefined;
  #wanted: ((bytes: Uint8Array | undefined) => void) | undefined;

  constructor(remoteAddress: SocketAddress = { hostname: "192.0.2.7", port: 50_000 }) {
    this.duplex = {
      read: this.#input.read,
      write: (bytes) =>
        new Promise((resolve) => {
          this.#pending = { bytes, taken: resolve };
          this.#pass();
        }),
      close: () => this.#end(),
      setNoDelay: (isOn) => void (this.noDelay = isOn),
      localAddress: { hostname: "127.0.0.1", port: 8080 },
      remoteAddress,
    };
  }

  /** Gives the server bytes to read. */
  send(bytes: Uint8Array): void {
    if (!this.isClosed) this.#input.push(bytes);
  }

  /** Bytes that the server has not read yet. */
  get unreadBytes(): number {
    return this.#input.length;
  }

  /** The next bytes that the server writes, or undefined when it has closed; one call at a time. */
  read(): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      this.#wanted = resolve;
      this.#pass();
    });
  }

  /** The client leaves. */
  leave(): void {
    this.#end();
  }

  #pass(): void {
    const wanted = this.#wanted;
    if (wanted === undefined) return;
    const pending = this.#pending;
    if (pending === undefined && !this.isClosed) return;
    this.#wanted = this.#pending = undefined;
    wanted(pending?.bytes.slice());
    pending?.taken(pending.bytes.length);
  }

  #end(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.#pending = undefined;
    this.#input.end();
    this.#pass();
  }
}
