/** What has gone through taps. */
export interface Traffic {
  readonly requests: number;
  /** HTTP as TCP carries it, without the headers of TCP and IP. */
  readonly requestBytes: number;
  readonly responseBytes: number;
}

/** Stands before a node's HTTP API and counts what its coworkers ask. */
export class ClusterTap {
  readonly #listener: Deno.TcpListener;
  readonly #port: number;
  readonly #connections = new Set<Deno.TcpConn>();
  #requests = 0;
  #requestBytes = 0;
  #responseBytes = 0;

  /** @param port Where the API is, on the loopback. */
  constructor(port: number) {
    this.#port = port;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void this.#accept();
  }

  /** As coworkers are to name the node. */
  get address(): string {
    return `127.0.0.1:${this.#listener.addr.port}`;
  }

  get traffic(): Traffic {
    return {
      requests: this.#requests,
      requestBytes: this.#requestBytes,
      responseBytes: this.#responseBytes,
    };
  }

  close(): void {
    this.#listener.close();
    for (const connection of this.#connections) closeQuietly(connection);
  }

  async #accept(): Promise<void> {
    try {
      for await (const inner of this.#listener) {
        const outer = await Deno.connect({ hostname: "127.0.0.1", port: this.#port });
        inner.setNoDelay(true);
        outer.setNoDelay(true);
        this.#connections.add(inner).add(outer);
        void this.#copy(inner, outer, (bytes) => {
          this.#requestBytes += bytes.length;
          // Questions of nodes have no body and fit into one segment: what begins with a method is one.
          if (bytes[0] === 0x47 || bytes[0] === 0x50) this.#requests++;
        });
        void this.#copy(outer, inner, (bytes) => this.#responseBytes += bytes.length);
      }
    } catch {
      // Closed, or its node is gone.
    }
  }

  async #copy(from: Deno.TcpConn, to: Deno.TcpConn, count: (bytes: Uint8Array) => void): Promise<void> {
    const buffer = new Uint8Array(64 * 1024);
    try {
      for (let length = await from.read(buffer); length !== null; length = await from.read(buffer)) {
        const bytes = buffer.subarray(0, length);
        count(bytes);
        for (let done = 0; done < length;) done += await to.write(bytes.subarray(done));
      }
    } catch {
      // Either side has closed.
    }
    closeQuietly(from);
    closeQuietly(to);
    this.#connections.delete(from);
    this.#connections.delete(to);
  }
}

function closeQuietly(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}
