import { connect } from "./dial.ts";

/** Longer than a response's header can be. */
const MAX_HEADER_BYTES = 8 * 1024;
/** More than FLV header, metadata and codec headers have together, and less than a key frame with them. */
const BEFORE_MEDIA_BYTES = 2000;

/** A reader of HTTP-FLV over a plain socket, which counts the body's bytes and does not look at them. */
export class FlvClient {
  readonly #connection: Deno.Conn;
  /** Bytes of the body, with what frames it where it comes in chunks. */
  receivedBytes = 0;
  /** Reads that brought bytes. */
  reads = 0;
  /** When the connection was begun, by performance.now(). */
  readonly begunMs: number;

  private constructor(connection: Deno.Conn, begunMs: number) {
    this.#connection = connection;
    this.begunMs = begunMs;
  }

  /**
   * Asks for a stream, and reads until media has come.
   *
   * @throws {Error} When the answer is not 200.
   */
  static async play(port: number, name: string, caCert?: string): Promise<FlvClient> {
    const begunMs = performance.now();
    const connection = await connect(port, caCert);
    const client = new FlvClient(connection, begunMs);
    const request = `GET /live/${name}.flv HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    await client.#header();
    const buffer = new Uint8Array(16 * 1024);
    while (client.receivedBytes < BEFORE_MEDIA_BYTES) await client.read(buffer);
    return client;
  }

  /** Some bytes. */
  async read(buffer: Uint8Array): Promise<number> {
    const count = await this.#connection.read(buffer);
    if (count === null) throw new Error("Cannot read: the server has closed the connection");
    this.receivedBytes += count;
    this.reads++;
    return count;
  }

  async #header(): Promise<void> {
    const buffer = new Uint8Array(MAX_HEADER_BYTES);
    let text = "";
    while (!text.includes("\r\n\r\n")) {
      const count = await this.read(buffer);
      // A byte a character, so that the header's length in the one is that in the other.
      text += String.fromCharCode(...buffer.subarray(0, count));
      if (text.length > MAX_HEADER_BYTES) break;
    }
    const status = text.slice(0, text.indexOf("\r\n"));
    if (!status.startsWith("HTTP/1.1 200")) throw new Error(`Cannot play: the server answers ${status}`);
    this.receivedBytes -= text.indexOf("\r\n\r\n") + 4;
  }
}
