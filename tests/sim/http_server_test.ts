import assert from "node:assert/strict";
import { ConnectionLimits } from "../../lib/net/connection_limits.ts";
import { Entrance } from "../../lib/net/entrance.ts";
import { HttpServer } from "../../lib/http/server/http_server.ts";
import type { HttpAnswer, HttpExchange, HttpHandler } from "../../lib/http/server/http_handler.ts";
import type { MediaSink } from "../../lib/net/media_sink.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { MemoryDuplex } from "../fakes/memory_duplex.ts";

const GET = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";
const UPGRADE =
  "GET /a HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n" +
  "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/** A server in memory and in a time of its own, whose requests are noted. */
class Bench {
  readonly clock = new FakeClock();
  readonly limits: { maxConnections: number; maxConnectionsPerIp: number };
  readonly connections: ConnectionLimits;
  readonly server: HttpServer;
  readonly requests: Request[] = [];
  readonly exchanges: HttpExchange[] = [];
  readonly faults: unknown[] = [];
  readonly #answer: (request: Request) => Promise<HttpAnswer>;

  constructor(answer: HttpHandler = echo, maxConnections: number = 10) {
    this.limits = { maxConnections, maxConnectionsPerIp: 0 };
    this.connections = new ConnectionLimits(() => this.limits);
    this.server = new HttpServer({
      clock: this.clock,
      entrance: new Entrance({ limits: this.connections, clock: this.clock }),
      limits: () => ({ maxBodyBytes: 100, sendTimeoutMs: 5000 }),
      onFault: (error) => this.faults.push(error),
      onRefused: () => {},
    });
    this.#answer = (request) => answer(request, this.exchanges.at(-1) as HttpExchange);
  }

  connect({ ip = "192.0.2.7", isFrozen = false } = {}): Client {
    const client = new Client(ip, isFrozen);
    this.server.accept(client.connection.duplex, (request, exchange) => {
      this.requests.push(request);
      this.exchanges.push(exchange);
      return this.#answer(request);
    });
    return client;
  }
}

/** A client that reads all that comes, unless it is frozen. */
class Client {
  readonly connection: MemoryDuplex;
  text = "";
  isFrozen: boolean;
  isClosed = false;

  constructor(ip: string, isFrozen: boolean) {
    this.isFrozen = isFrozen;
    this.connection = new MemoryDuplex({ hostname: ip, port: 50_000 });
    this.#read();
  }

  /** Sends characters as bytes, and lets what follows from it happen. */
  async send(text: string): Promise<this> {
    this.connection.send(Uint8Array.from(text, (character) => character.charCodeAt(0)));
    await settle();
    return this;
  }

  async #read(): Promise<void> {
    while (!this.isFrozen) {
      const bytes = await this.connection.read();
      if (bytes === undefined) {
        this.isClosed = true;
        return;
      }
      this.text += String.fromCharCode(...bytes);
    }
  }

  /** Status codes of the answers that came. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => Number(status));
  }
}

async function echo(request: Request): Promise<HttpAnswer> {
  const { method, url } = request;
  return { response: new Response(`${method} ${url} ${await request.text()}`) };
}

/** Lets time pass for the server, which only one that listens does by itself. */
async function pass(bench: Bench, ms: number): Promise<void> {
  await bench.clock.advance(ms);
  bench.server.tick();
  await settle();
}

Deno.test("requests of one connection are answered one after another, however their bytes come", async () => {
  const requests = `${GET}POST /b?c=d HTTP/1.1\r\nHost: [::1]:80\r\nContent-Length: 5\r\n\r\nhello${GET}`;
  for (const step of [1, 7, requests.length]) {
    const bench = new Bench();
    const client = bench.connect();
    for (let at = 0; at < requests.length; at += step) await client.send(requests.slice(at, at + step));
    await settle();
    assert.deepEqual(client.statuses, [200, 200, 200]);
    assert.match(client.text, /POST http:\/\/\[::1\]\/b\?c=d hello/);
    assert.equal(client.isClosed, false);
    client.connection.leave();
    await settle();
    assert.equal(bench.connections.clients, 0);
  }
});

Deno.test("a chunked body is put together", async () => {
  const client = await new Bench().connect().send(
    "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
  );
  assert.match(client.text, /POST http:\/\/a\/ hello$/);
});

Deno.test("HEAD has the headers of GET, and no body", async () => {
  const bench = new Bench();
  const got = (await bench.connect().send(GET)).text;
  const headed = (await bench.connect().send(GET.replace("GET", "HEAD"))).text;
  assert.equal(headed, got.slice(0, got.indexOf("\r\n\r\n") + 4));
  assert.match(headed, /\r\ncontent-length: 23\r\n/);
  assert.deepEqual(bench.exchanges.map(({ isHead }) => isHead), [false, true]);
});

for (
  const [what, request, isKept] of [
    ["HTTP/1.1", GET, true],
    ["HTTP/1.1 that says close", GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"), false],
    ["HTTP/1.0", "GET /a HTTP/1.0\r\n\r\n", false],
    ["HTTP/1.0 that says keep-alive", "GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true],
  ] as const
) {
  Deno.test(`after an answer to ${what} the connection is ${isKept ? "kept" : "closed"}`, async () => {
    const bench = new Bench();
    const client = await bench.connect().send(request);
    await settle();
    assert.deepEqual(client.statuses, [200]);
    assert.equal(client.isClosed, !isKept);
    assert.equal(bench.connections.clients, isKept ? 1 : 0);
  });
}

/** Requests that are no requests; the answer, and a connection that ends. */
const REFUSED: readonly (readonly [what: string, request: string, status: number])[] = [
  ["TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400],
  ["HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505],
  ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
  ["two hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400],
  ["a host with a blank", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400],
  ["a host of half an address", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400],
  ["a host with two ports", "GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", 400],
  ["a host of percent signs", "GET / HTTP/1.1\r\nHost: %%%\r\n\r\n", 400],
  ["a port that is none", "GET / HTTP/1.1\r\nHost: a:99999\r\n\r\n", 400],
  ["a URL that is none", "GET http://[/x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a target that is no path", "GET x HTTP/1.1\r\nHost: a\r\n\r\n", 400],
  ["a tunnel", "CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", 405],
  ["a trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405],
  [
    "two lengths",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    400,
  ],
  ["a length that is no number", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400],
  ["a chunk below nothing", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n-4\r\n", 400],
  ["a folded header", "GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400],
  ["a URL without end", `GET /${"a".repeat(17_000)}`, 414],
  ["a header without end", `GET / HTTP/1.1\r\nX: ${"a".repeat(17_000)}`, 431],
  ["headers without end", `GET / HTTP/1.1\r\n${"A:b\r\n".repeat(3000)}`, 431],
  ["a body that is announced too long", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n", 413],
  [
    "a body that becomes too long",
    `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n${"a".repeat(101)}\r\n`,
    413,
  ],
  ["a WebSocket of an old version", UPGRADE.replace("Version: 13", "Version: 8"), 426],
  ["a WebSocket without a key", UPGRADE.replace(/Sec-WebSocket-Key: .*\r\n/, ""), 400],
  ["a WebSocket by POST", UPGRADE.replace("GET", "POST"), 400],
];

for (const [what, request, status] of REFUSED) {
  Deno.test(`${what} is answered ${status}, with a reason, and the connection ends`, async () => {
    const bench = new Bench();
    const client = await bench.connect().send(request);
    assert.deepEqual(client.statuses, [status]);
    const { code, message } = JSON.parse(client.text.slice(client.text.indexOf("\r\n\r\n") + 4));
    assert.equal(code, status);
    assert.match(message, /^Cannot /);
    // What follows is read and dropped, for a moment.
    await client.send("x".repeat(100_000));
    assert.equal(client.isClosed, false);
    await bench.clock.advance(1000);
    assert.equal(client.isClosed, true);
    assert.equal(bench.connections.clients, 0);
    assert.deepEqual(bench.requests, []);
    assert.deepEqual(bench.faults, []);
  });
}

Deno.test("a client that waits for 100 Continue gets it, unless its body is refused", async () => {
  const head = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: ";
  const client = await new Bench().connect().send(`${head}3\r\n\r\n`);
  assert.deepEqual(client.statuses, [100]);
  assert.deepEqual((await client.send("abc")).statuses, [100, 200]);
  assert.deepEqual((await new Bench().connect().send(`${head}101\r\n\r\n`)).statuses, [413]);
});

Deno.test("a number sign in a path is part of it", async () => {
  const bench = new Bench();
  await bench.connect().send(GET.replace("/a", "/live/room#1.flv"));
  assert.equal(bench.requests[0]?.url, "http://localhost/live/room%231.flv");
});

for (
  const [what, sent, ms, statuses] of [
    ["says nothing", "", 10_000, []],
    ["sends half a head", "GET / HTTP/1.1\r\nHo", 10_000, [408]],
    ["sends half a body", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nab", 30_000, [408]],
    ["asks for nothing more", GET, 60_000, [200]],
    ["begins another request and stops", `${GET}GET`, 10_000, [200, 408]],
  ] as const
) {
  Deno.test(`a client that ${what} is given up after ${ms} ms`, async () => {
    const bench = new Bench();
    const client = bench.connect();
    if (sent !== "") await client.send(sent);
    await pass(bench, ms - 1);
    assert.equal(bench.connections.clients, 1);
    await pass(bench, 1);
    await pass(bench, 1000);
    assert.deepEqual(client.statuses, statuses);
    assert.equal(client.isClosed, true);
    assert.equal(bench.connections.clients, 0);
  });
}

Deno.test("bytes that trickle in do not move the deadline", async () => {
  const bench = new Bench();
  const client = bench.connect();
  await client.send("GET / HTTP/1.1\r\n");
  for (let second = 0; second < 10; second++) {
    await client.send("X: y\r\n");
    await pass(bench, 1000);
  }
  assert.deepEqual(client.statuses, [408]);
});

Deno.test("a client that does not take its answer is cut off, and its answer let go of", async () => {
  const bench = new Bench(() => Promise.resolve({ response: new Response("x".repeat(1000)) }));
  const client = bench.connect({ isFrozen: true });
  await client.send(GET);
  await pass(bench, 0);
  await pass(bench, 5000);
  assert.equal(bench.connections.clients, 1);
  await pass(bench, 1);
  assert.equal(bench.connections.clients, 0);
});

Deno.test("answers that nobody takes are bounded for all clients together", async () => {
  const bench = new Bench(() =>
    Promise.resolve({ response: new Response(new Uint8Array(33 * 1024 * 1024)) })
  );
  for (let i = 0; i < 2; i++) {
    const frozen = bench.connect({ isFrozen: true });
    await frozen.send(GET);
    // The body is copied in the background.
    await bench.clock.advance(0);
  }
  const third = await bench.connect().send(GET);
  assert.deepEqual(third.statuses, [503]);
  for (const _ of [1, 2]) await pass(bench, 5001);
  assert.equal(bench.connections.clients, 0);
});

Deno.test("one connection too many is told so, and many too many are closed", async () => {
  const bench = new Bench(echo, 2);
  const first = bench.connect();
  bench.connect();
  const extra = Array.from({ length: 20 }, () => bench.connect());
  for (const client of extra) await client.send(GET);
  assert.deepEqual(extra.map(({ statuses }) => statuses[0]), [
    ...Array(16).fill(503),
    ...Array(4).fill(undefined),
  ]);
  assert.deepEqual(extra.map(({ isClosed }) => isClosed), [...Array(16).fill(false), ...Array(4).fill(true)]);
  await bench.clock.advance(1000);
  assert.equal(bench.connections.clients, 2);
  first.connection.leave();
  await settle();
  assert.deepEqual((await bench.connect().send(GET)).statuses, [200]);
});

Deno.test("connections of one address are bounded", async () => {
  const bench = new Bench();
  bench.limits.maxConnectionsPerIp = 1;
  const first = bench.connect({ ip: "192.0.2.1" });
  const second = bench.connect({ ip: "192.0.2.1" });
  const other = await bench.connect({ ip: "192.0.2.2" }).send(GET);
  assert.equal(second.isClosed || second.connection.isClosed, true);
  assert.deepEqual(other.statuses, [200]);
  first.connection.leave();
  await settle();
  assert.deepEqual((await bench.connect({ ip: "192.0.2.1" }).send(GET)).statuses, [200]);
});

Deno.test("a client that leaves before its answer is known to the one who answers", async () => {
  const answer = Promise.withResolvers<HttpAnswer>();
  const bench = new Bench(() => answer.promise);
  const client = await bench.connect().send(GET);
  assert.equal(bench.exchanges[0]?.signal.aborted, false);
  client.connection.leave();
  await settle();
  assert.equal(bench.exchanges[0]?.signal.aborted, true);
  let isClosed = false;
  const play = {
    open: () => assert.fail("opened"),
    markBehind: () => {},
    close: () => void (isClosed = true),
  };
  answer.resolve({ response: new Response(), play });
  await settle();
  assert.equal(isClosed, true);
  assert.equal(bench.connections.clients, 0);
});

Deno.test("what a client sends ahead of its answer is read only so far", async () => {
  const answer = Promise.withResolvers<HttpAnswer>();
  const bench = new Bench(() => answer.promise);
  const client = await bench.connect().send(GET);
  for (let i = 0; i < 100; i++) await client.send("GET /b HTTP/1.1\r\nHost: a\r\nX: " + "x".repeat(1000));
  assert.ok(client.connection.unreadBytes > 50_000, `${client.connection.unreadBytes} bytes are unread`);
  answer.resolve({ response: new Response("ok") });
  await settle();
  assert.equal(client.statuses[0], 200);
});

Deno.test("a fault of an answer costs this request a 500", async () => {
  const bench = new Bench(() => Promise.reject(new Error("a fault")));
  const client = await bench.connect().send(GET);
  assert.deepEqual(client.statuses, [500]);
  assert.doesNotMatch(client.text, /a fault/);
  assert.deepEqual(bench.faults.map(String), ["Error: a fault"]);
});

Deno.test("the server's close ends idle connections at once, and waits for answers", async () => {
  const answer = Promise.withResolvers<HttpAnswer>();
  const bench = new Bench((request) => request.url.endsWith("/slow") ? answer.promise : echo(request));
  const idle = await bench.connect().send(GET);
  const slow = await bench.connect().send(GET.replace("/a", "/slow"));
  await bench.connect({ isFrozen: true }).send(GET.replace("/a", "/slow"));
  const closing = bench.server.close();
  await settle();
  assert.equal(idle.isClosed, true);
  assert.equal(slow.isClosed, false);
  answer.resolve({ response: new Response("done") });
  await settle();
  assert.match(slow.text, /done/);
  await bench.clock.advance(1000);
  await closing;
  assert.equal(bench.connections.clients, 0);
});

/** A play that notes what happens to it. */
function play(): { answer: HttpHandler; sink: () => MediaSink; isClosed: () => boolean } {
  let sink: MediaSink | undefined;
  let isClosed = false;
  return {
    answer: () =>
      Promise.resolve({
        response: new Response(null, { headers: { "Content-Type": "video/x-flv" } }),
        play: {
          open: (opened) => {
            sink = opened;
            opened.send(Uint8Array.of(0x46, 0x4c, 0x56));
          },
          markBehind: () => {},
          close: () => void (isClosed = true),
        },
      }),
    sink: () => sink as MediaSink,
    isClosed: () => isClosed,
  };
}

Deno.test("a play has the headers of its response, and goes on until it ends", async () => {
  const { answer, sink, isClosed } = play();
  const bench = new Bench(answer);
  const client = await bench.connect().send(GET);
  await pass(bench, 1_000_000);
  assert.match(
    client.text,
    /^HTTP\/1\.1 200 OK\r\ncontent-type: video\/x-flv\r\n.*\r\nconnection: close\r\n\r\nFLV$/s,
  );
  sink().end();
  await settle();
  assert.equal(client.isClosed, true);
  assert.equal(isClosed(), true);
  assert.equal(bench.connections.clients, 0);
});

Deno.test("a play that ends while its client reads nothing is cut after a moment", async () => {
  const { answer, sink } = play();
  const bench = new Bench(answer);
  const client = bench.connect({ isFrozen: true });
  await client.send(GET);
  sink().end();
  await bench.clock.advance(999);
  assert.equal(bench.connections.clients, 1);
  await bench.clock.advance(1);
  assert.equal(bench.connections.clients, 0);
});

/** A frame as a client sends it. */
function frame(first: number, payload: string, mask: readonly number[] = [1, 2, 3, 4]): string {
  const header = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff];
  const masked = [...payload].map((character, at) => character.charCodeAt(0) ^ (mask[at & 3] as number));
  const bytes = [first, 0x80 | (header[0] as number), ...header.slice(1), ...mask, ...masked];
  return String.fromCharCode(...bytes);
}

async function openWebSocket(): Promise<{ bench: Bench; client: Client; isClosed: () => boolean }> {
  const { answer, isClosed } = play();
  const bench = new Bench(answer);
  const client = await bench.connect().send(UPGRADE);
  await settle();
  // RFC 6455, section 1.3: the answer to this key.
  assert.match(client.text, /^HTTP\/1\.1 101 Switching Protocols\r\n.*: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/s);
  assert.ok(client.text.endsWith("\r\n\r\n\x82\x03FLV"), client.text);
  client.text = "";
  return { bench, client, isClosed };
}

Deno.test("a WebSocket's pings are answered, its messages are not", async () => {
  const { client } = await openWebSocket();
  await client.send(
    frame(0x82, "x".repeat(4096)) + frame(0x89, "hello") + frame(0x01, "a") + frame(0x89, ""),
  );
  await client.send(frame(0x80, "b") + frame(0x8a, "pong"));
  assert.equal(client.text, "\x8a\x05hello\x8a\x00");
});

for (
  const [what, sent, code] of [
    ["says goodbye", frame(0x88, "\x03\xe8"), 1000],
    ["sends a message that is too long", frame(0x82, "x".repeat(4097)), 1009],
    [
      "sends fragments that are too long together",
      frame(0x02, "x".repeat(4000)) + frame(0x80, "x".repeat(97)),
      1009,
    ],
    ["announces 2^63 bytes", "\x82\xff\x80\0\0\0\0\0\0\0\x01\x02\x03\x04", 1009],
    ["does not mask", "\x82\x01a", 1002],
    ["goes on with a message that it has not begun", frame(0x80, "a"), 1002],
    ["sends a long ping", frame(0x89, "x".repeat(126)), 1002],
    ["sends bits that mean nothing", frame(0xc2, "a"), 1002],
  ] as const
) {
  Deno.test(`a WebSocket that ${what} is closed with ${code}`, async () => {
    const { bench, client, isClosed } = await openWebSocket();
    await client.send(sent);
    await settle();
    assert.equal(client.text, `\x88\x02${String.fromCharCode(code >> 8, code & 0xff)}`);
    assert.equal(client.isClosed, true);
    assert.equal(isClosed(), true);
    assert.equal(bench.connections.clients, 0);
  });
}

Deno.test("pings of a WebSocket that reads nothing are not kept for ever", async () => {
  const { bench, client } = await openWebSocket();
  client.isFrozen = true;
  await client.send(frame(0x89, "x"));
  for (let i = 0; i < 100; i++) await client.send(frame(0x89, "x".repeat(125)).repeat(10));
  assert.equal(bench.connections.clients, 0);
});
