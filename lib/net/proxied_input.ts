import { errorText, RtmpError } from "../base/errors.ts";
import { readProxyHeader } from "./proxy_header.ts";
import type { ByteDuplex, SocketAddress } from "./tcp.ts";

/** Little at a time, so that little of what follows the header is copied. */
const READ_BYTES = 1024;

/** What came with the header, and how to read the connection from there on. */
export interface ProxiedInput {
  readonly client?: SocketAddress;
  readonly read: ByteDuplex["read"];
}

/**
 * Reads the header off a connection.
 *
 * @throws {RtmpError} `proxy-header-malformed`; `connection-lost` when it ends before its header does.
 */
export async function takeProxyHeader(duplex: Pick<ByteDuplex, "read">): Promise<ProxiedInput> {
  const held = new ByteBuffer();
  const buffer = new Uint8Array(READ_BYTES);
  for (;;) {
    const count = await readSome(duplex, buffer);
    if (count === null) {
      throw new RtmpError("connection-lost", "The connection ended before its first bytes were complete");
    }
    held.push(buffer.subarray(0, count));
    const header = readProxyHeader(held.bytes);
    if (header === undefined) continue;
    return {
      ...(header.client === undefined ? {} : { client: header.client }),
      read: readFirst(held.bytes.slice(header.length), duplex),
    };
  }
}

/** Bytes one after the other, in an array that grows by doubling: a header may come byte by byte. */
class ByteBuffer {
  #array = new Uint8Array(READ_BYTES);
  #length = 0;

  get bytes(): Uint8Array<ArrayBuffer> {
    return this.#array.subarray(0, this.#length);
  }

  push(bytes: Uint8Array): void {
    if (this.#length + bytes.length > this.#array.length) {
      const larger = new Uint8Array(2 * this.#array.length);
      larger.set(this.bytes);
      this.#array = larger;
    }
    this.#array.set(bytes, this.#length);
    this.#length += bytes.length;
  }
}

async function readSome(duplex: Pick<ByteDuplex, "read">, buffer: Uint8Array): Promise<number | null> {
  try {
    return await duplex.read(buffer);
  } catch (error) {
    throw new RtmpError("connection-lost", errorText(error), { cause: error });
  }
}

/** Reads these bytes, then what the connection goes on with. */
function readFirst(first: Uint8Array, duplex: Pick<ByteDuplex, "read">): ByteDuplex["read"] {
  let left = first;
  return (buffer) => {
    if (left.length === 0) return duplex.read(buffer);
    const count = Math.min(left.length, buffer.length);
    buffer.set(left.subarray(0, count));
    left = left.subarray(count);
    return Promise.resolve(count);
  };
}
