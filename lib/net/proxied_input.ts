import { errorText, RtmpError } from "../base/errors.ts";
import { readProxyHeader } from "./proxy_header.ts";
import type { SocketAddress } from "./tcp.ts";

/** Little at a time, so that little of what follows the header is copied. */
const READ_BYTES = 1024;

/** What came with the header, and the connection's bytes from there on. */
export interface ProxiedInput {
  readonly client?: SocketAddress;
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/**
 * Reads the header off a connection.
 *
 * @throws {RtmpError} `proxy-header-malformed`; `connection-lost` when it ends before its header does.
 */
export async function takeProxyHeader(
  readable: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<ProxiedInput> {
  const reader = readable.getReader({ mode: "byob" });
  const held = new ByteBuffer();
  for (;;) {
    const { value, done } = await readSome(reader);
    if (done || value === undefined) {
      throw new RtmpError("connection-lost", "The connection ended before its first bytes were complete");
    }
    held.push(value);
    const header = readProxyHeader(held.bytes);
    if (header === undefined) continue;
    return {
      ...(header.client === undefined ? {} : { client: header.client }),
      readable: withFirst(held.bytes.slice(header.length), reader),
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

async function readSome(
  reader: ReadableStreamBYOBReader,
): Promise<{ value: Uint8Array<ArrayBuffer> | undefined; done: boolean }> {
  try {
    const { value, done } = await reader.read(new Uint8Array(READ_BYTES));
    return { value, done };
  } catch (error) {
    throw new RtmpError("connection-lost", errorText(error), { cause: error });
  }
}

/** A stream that begins with these bytes and goes on as the reader does. */
function withFirst(
  first: Uint8Array<ArrayBuffer>,
  reader: ReadableStreamBYOBReader,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let left = first;
  return new ReadableStream({
    type: "bytes",
    autoAllocateChunkSize: READ_BYTES,
    async pull(controller) {
      const request = controller.byobRequest;
      const view = request?.view as Uint8Array<ArrayBuffer>;
      if (left.length > 0) {
        const count = Math.min(left.length, view.length);
        view.set(left.subarray(0, count));
        left = left.subarray(count);
        request?.respond(count);
        return;
      }
      const { value, done } = await reader.read(view);
      if (done) controller.close();
      // The buffer was handed on, and has come back; also at the end, when it is empty.
      if (value !== undefined) request?.respondWithNewView(value);
    },
  });
}
