import assert from "node:assert/strict";
import { HttpPoster } from "../../lib/net/http_post.ts";
import { HookClient } from "../../lib/access/hook_client.ts";
import type { HookVerdict } from "../../lib/access/hook_verdict.ts";
import { SYSTEM_CLOCK } from "../../lib/base/clock.ts";
import { HookServer } from "../fakes/hook_server.ts";
import { makeCertificate } from "./certificates.ts";
import { programTest } from "./program_test_case.ts";
import { withDeadline } from "../fakes/deadline.ts";

const TIMEOUT_MS = 300;
const TLS = { isUnverified: false };

/** Serves each connection with `serve`, after what it asks has been read. */
async function withServer(
  serve: (connection: Deno.Conn) => Promise<void>,
  use: (url: string) => Promise<void>,
): Promise<void> {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections: Deno.Conn[] = [];
  const serving: Promise<void>[] = [];
  const accepting = (async () => {
    for await (const connection of listener) {
      connections.push(connection);
      const request = connection.read(new Uint8Array(65_536));
      serving.push(request.then(() => serve(connection)).catch(() => {}));
    }
  })();
  try {
    await use(`http://127.0.0.1:${listener.addr.port}/hook`);
  } finally {
    listener.close();
    await accepting;
    // The caller has closed its end.
    await withDeadline(Promise.all(serving), "the end of the connections", 5000);
    for (const connection of connections) {
      try {
        connection.close();
      } catch {
        // The server has.
      }
    }
  }
}

async function call(url: string): Promise<string> {
  const poster = new HttpPoster();
  const client = new HookClient({
    post: (...request) => poster.post(...request),
    clock: SYSTEM_CLOCK,
    userAgent: "test",
  });
  try {
    const verdict: HookVerdict = await withDeadline(
      client.call(url, { action: "on_play" }, { timeoutMs: TIMEOUT_MS, tls: TLS }),
      "the hook's verdict",
      5000,
    );
    return verdict.kind === "accepted" ? "accepted" : `${verdict.kind}: ${verdict.reason}`;
  } finally {
    poster.close();
  }
}

async function write(connection: Deno.Conn, text: string): Promise<void> {
  const bytes = new TextEncoder().encode(text);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}

const OK = "HTTP/1.1 200 OK\r\n";
/** Until the caller closes. */
async function hang(connection: Deno.Conn): Promise<void> {
  while (await connection.read(new Uint8Array(1024)) !== null);
}

const SERVERS: Readonly<
  Record<string, readonly [serve: (connection: Deno.Conn) => Promise<void>, expected: RegExp]>
> = {
  "takes the request and says nothing": [hang, /^failed: no answer within 300 ms$/],
  "closes the connection": [(connection) => Promise.resolve(connection.close()), /^failed: /],
  "speaks another protocol": [(connection) => write(connection, "220 mail.example ESMTP\r\n"), /^failed: /],
  "sends half a head and no more": [
    async (connection) => {
      await write(connection, `${OK}Content-Le`);
      await hang(connection);
    },
    /^failed: no answer within 300 ms$/,
  ],
  "sends headers without end": [async (connection) => {
    await write(connection, OK);
    for (;;) await write(connection, `X-${"a".repeat(60)}: ${"b".repeat(1000)}\r\n`);
  }, /^failed: /],
  "announces more than it sends": [
    async (connection) => {
      await write(connection, `${OK}Content-Length: 10\r\n\r\n0`);
      await hang(connection);
    },
    /^failed: no answer within 300 ms$/,
  ],
  "sends its answer a byte at a time": [async (connection) => {
    await write(connection, `${OK}Content-Length: 1000\r\n\r\n`);
    for (;;) {
      await write(connection, " ");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }, /^failed: no answer within 300 ms$/],
  "answers 2 GB": [async (connection) => {
    await write(connection, `${OK}Content-Length: 2147483648\r\n\r\n`);
    for (;;) await write(connection, "0".repeat(65_536));
  }, /^failed: the answer is longer than 65536 bytes$/],
  "answers without an end, in chunks": [async (connection) => {
    await write(connection, `${OK}Transfer-Encoding: chunked\r\n\r\n`);
    for (;;) await write(connection, `1000\r\n${"0".repeat(4096)}\r\n`);
  }, /^failed: the answer is longer than 65536 bytes$/],
  "closes in the middle of its answer": [async (connection) => {
    await write(connection, `${OK}Content-Length: 10\r\n\r\n0`);
    connection.close();
  }, /^failed: /],
  "answers HTML": [
    (connection) =>
      write(connection, `${OK}Content-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>OK</html>`),
    /^refused: it answered '<html>OK<\/html>', not 0/,
  ],
  "can't judge": [
    (connection) => write(connection, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 1\r\n\r\n0"),
    /^failed: it answered with status 502$/,
  ],
};

for (const [name, [serve, expected]] of Object.entries(SERVERS)) {
  Deno.test(`a hook server that ${name}`, () =>
    withServer(serve, async (url) => assert.match(await call(url), expected)));
}

Deno.test("a hook server that is not there", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.close();
  assert.match(await call(`http://127.0.0.1:${listener.addr.port}/`), /^failed: .*refused/i);
});

Deno.test("a hook server that redirects is not followed", async () => {
  await using other = new HookServer();
  await using hooks = new HookServer();
  for (const status of [301, 302, 303, 307, 308]) {
    hooks.reply = () => new Response("0", { status, headers: { Location: other.url() } });
    assert.equal(await call(hooks.url()), `refused: it answered with status ${status}, not 200 or 201`);
  }
  assert.equal(other.calls.length, 0);
});

Deno.test("a connection that a hook server closed while it was idle is not a failure", async () => {
  let requests = 0;
  await withServer(async (connection) => {
    // Keep-alive by its words, and gone right after.
    await write(connection, `${OK}Content-Length: 1\r\n\r\n0`);
    requests++;
    await connection.read(new Uint8Array(65_536));
    connection.close();
  }, async (url) => {
    const poster = new HttpPoster();
    const client = new HookClient({
      post: (...request) => poster.post(...request),
      clock: SYSTEM_CLOCK,
      userAgent: "test",
    });
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await client.call(url, {}, { timeoutMs: 5000, tls: TLS }), { kind: "accepted" });
    }
    poster.close();
  });
  assert.equal(requests, 3);
});

programTest(
  ["openssl"],
  "an https hook server is verified, by its certificate or not at all",
  async (scope) => {
    const { cert, key } = await makeCertificate(scope, "hooks");
    const [ca, keyText] = await Promise.all([cert, key].map((file) => Deno.readTextFile(file)));
    const other = await Deno.readTextFile((await makeCertificate(scope, "other")).cert);
    await using hooks = new HookServer({ cert: ca ?? "", key: keyText ?? "" });
    const poster = new HttpPoster();
    const client = new HookClient({
      post: (...request) => poster.post(...request),
      clock: SYSTEM_CLOCK,
      userAgent: "test",
    });
    const url = `https://localhost:${hooks.port}/`;
    const verdict = async (tls: { ca?: string; isUnverified: boolean }) =>
      (await client.call(url, {}, { timeoutMs: 5000, tls })).kind;
    assert.equal(await verdict({ isUnverified: false }), "failed");
    assert.equal(await verdict({ ca: other, isUnverified: false }), "failed");
    assert.equal(hooks.calls.length, 0);
    assert.equal(await verdict({ ca: ca ?? "", isUnverified: false }), "accepted");
    assert.equal(await verdict({ isUnverified: true }), "accepted");
    assert.equal(await verdict({ isUnverified: false }), "failed", "no connection is shared");
    poster.close();
  },
);
