import { type SrsExchangeName, srsRequests } from "../fixtures/srs.ts";
import { ReplayedServer } from "../fakes/replayed_server.ts";
import type { TestScope } from "./test_scope.ts";

/** The ports of the recordings that are followed to: five digits, as those that a test gets. */
const RECORDED_RTMP_PORT = 19_352;

/** An SRS origin on real sockets that says what was recorded, but for its ports. */
export class ReplayedSrs {
  readonly rtmpPort: number;
  readonly apiPort: number;
  /** The RTMP connections so far. */
  readonly servers: ReplayedServer[] = [];
  /** The first lines of the HTTP requests so far. */
  readonly requests: string[] = [];

  private constructor(rtmpPort: number, apiPort: number) {
    this.rtmpPort = rtmpPort;
    this.apiPort = apiPort;
  }

  /**
   * @param exchanges What to say, connection by connection.
   * @param ownerPort Where it says that `live/onc` is; its own port when left out, nowhere when null.
   */
  static start(
    scope: TestScope,
    exchanges: readonly SrsExchangeName[],
    ownerPort?: number | null,
  ): ReplayedSrs {
    const rtmp = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const api = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const srs = new ReplayedSrs(portOf(rtmp), portOf(api));
    const port = ownerPort === undefined ? srs.rtmpPort : ownerPort;
    const edit = (bytes: Uint8Array) =>
      fromLatin1(latin1(bytes).replaceAll(`127.0.0.1:${RECORDED_RTMP_PORT}`, `127.0.0.1:${port}`));
    serve(scope, rtmp, (connection) => {
      const name = exchanges[srs.servers.length];
      if (name === undefined) return Promise.resolve();
      const server = new ReplayedServer(name, edit);
      srs.servers.push(server);
      return talk(connection, server);
    });
    serve(scope, api, async (connection) => {
      let request = "";
      const buffer = new Uint8Array(4096);
      while (!request.includes("\r\n\r\n")) {
        const count = await connection.read(buffer);
        if (count === null) return;
        request += latin1(buffer.subarray(0, count));
      }
      const [firstLine = ""] = request.split("\r\n");
      srs.requests.push(firstLine);
      await write(connection, fromLatin1(answerTo(firstLine, port)));
    });
    return srs;
  }
}

/** SRS's answer: to the question for `live/onc`, to that for other streams, and to any other path. */
function answerTo(firstLine: string, ownerPort: number | null): string {
  const isQuestion = firstLine.includes("/api/v1/clusters?");
  const isOwner = firstLine.includes("&stream=onc&") && ownerPort !== null;
  const name = !isQuestion
    ? "a path that SRS does not have"
    : isOwner
    ? "a stream that the coworker owns"
    : "a stream that the coworker does not own";
  const answer = srsRequests().find((request) => request.name === name)?.answer ?? "";
  return answer.replace(`"port":${RECORDED_RTMP_PORT}`, `"port":${ownerPort}`);
}

async function talk(connection: Deno.Conn, server: ReplayedServer): Promise<void> {
  const buffer = new Uint8Array(65_536);
  while (!server.isClosed) {
    const count = await connection.read(buffer);
    if (count === null) return;
    await write(connection, server.receive(buffer.slice(0, count)));
  }
}

/** Serves connections until the test ends; each is closed when `handle` is done. */
function serve(
  scope: TestScope,
  listener: Deno.Listener,
  handle: (connection: Deno.Conn) => Promise<void>,
): void {
  const open = new Map<Deno.Conn, Promise<void>>();
  const accepting = (async () => {
    for await (const connection of listener) {
      const handled = handle(connection).catch(() => {}).finally(() => {
        open.delete(connection);
        close(connection);
      });
      open.set(connection, handled);
    }
  })();
  scope.onClose(async () => {
    listener.close();
    await accepting;
    for (const connection of open.keys()) close(connection);
    await Promise.all(open.values());
  });
}

function close(connection: Deno.Conn): void {
  try {
    connection.close();
  } catch {
    // Closed already.
  }
}

export async function write(connection: Deno.Conn, bytes: Uint8Array): Promise<void> {
  for (let rest = bytes; rest.length > 0;) rest = rest.subarray(await connection.write(rest));
}

/** Each byte a character. */
export function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

export function fromLatin1(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

function portOf(listener: Deno.Listener): number {
  return (listener.addr as Deno.NetAddr).port;
}
