import { MemoryDuplex } from "./memory_duplex.ts";

/** What one connection is asked and answers, in memory; each request is a connection of its own. */
export interface HttpCall {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** The client leaves. */
  readonly signal?: AbortSignal;
}

/**
 * Asks over a connection that `accept` is given, and reads the answer as it comes, its body only as it is asked for.
 *
 * @throws {Error} When the connection ends before the head of an answer.
 */
export async function fetchInMemory(
  accept: (connection: MemoryDuplex) => void,
  url: string,
  { method = "GET", headers = {}, body: sent = "", signal }: HttpCall = {},
): Promise<Response> {
  const connection = new MemoryDuplex();
  accept(connection);
  signal?.addEventListener("abort", () => connection.leave(), { once: true });
  const { host, pathname, search } = new URL(url);
  const bytes = new TextEncoder().encode(sent);
  const length = bytes.length > 0 ? { "Content-Length": String(bytes.length) } : {};
  const lines = Object.entries({ Host: host, ...length, ...headers }).map(([name, value]) =>
    `${name}: ${value}\r\n`
  );
  connection.send(
    new TextEncoder().encode(`${method} ${pathname}${search} HTTP/1.1\r\n${lines.join("")}\r\n`),
  );
  let received = new Uint8Array();
  let headEnd = -1;
  while (headEnd < 0) {
    const bytes = await connection.read();
    if (bytes === undefined) throw new Error("Cannot read answer: the connection was closed");
    received = Uint8Array.of(...received, ...bytes);
    headEnd = new TextDecoder("latin1").decode(received).indexOf("\r\n\r\n");
  }
  const [statusLine = "", ...fields] = new TextDecoder("latin1").decode(received.subarray(0, headEnd)).split(
    "\r\n",
  );
  const answered = new Headers(fields.map((field) => {
    const colon = field.indexOf(":");
    return [field.slice(0, colon), field.slice(colon + 1).trim()] as [string, string];
  }));
  const status = Number(statusLine.split(" ")[1]);
  const rest = received.slice(headEnd + 4);
  if (method === "HEAD" || status === 204) {
    connection.leave();
    return new Response(null, { status, headers: answered });
  }
  let left = Number(answered.get("Content-Length") ?? Infinity) - rest.length;
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      if (rest.length > 0) controller.enqueue(rest);
    },
    async pull(controller) {
      const bytes = left > 0 ? await connection.read() : undefined;
      if (bytes === undefined) {
        connection.leave();
        return controller.close();
      }
      left -= bytes.length;
      controller.enqueue(bytes);
    },
    cancel: () => connection.leave(),
  }, { highWaterMark: 0 });
  return new Response(body as ReadableStream<Uint8Array<ArrayBuffer>>, { status, headers: answered });
}
