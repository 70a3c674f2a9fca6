import { deepEqual, equal, match, rejects, throws } from "node:assert/strict";
import { AddressSet } from "../../lib/base/ip_address.ts";
import type { RtmpError } from "../../lib/base/errors.ts";
import { ConnectionLimits } from "../../lib/net/connection_limits.ts";
import { type EnteredConnection, type EnterOptions, Entrance } from "../../lib/net/entrance.ts";
import type { ByteDuplex } from "../../lib/net/tcp.ts";
import { FakeClock, settle } from "../fakes/fake_clock.ts";
import { MemoryDuplex } from "../fakes/memory_duplex.ts";

const PROXY = "10.0.0.1";

class Bench {
  readonly full: number[] = [];
  readonly clock = new FakeClock();
  readonly bounds = { maxConnections: 100, maxConnectionsPerIp: 0 };
  readonly limits = new ConnectionLimits(() => this.bounds);
  readonly failures: RtmpError[] = [];
  readonly entrance: Entrance;

  constructor({ maxUnagreed = 256 } = {}) {
    this.entrance = this.#make(maxUnagreed);
  }

  #make(maxUnagreed: number): Entrance {
    return new Entrance({
      clock: this.clock,
      maxUnagreed: () => maxUnagreed,
      onTlsFull: (count) => this.full.push(count),
      limits: this.limits,
      isTrustedProxy: (ip) => new AddressSet(["10.0.0.0/8"]).has(ip),
      onFailed: (error) => this.failures.push(error),
    });
  }

  enter(connection: MemoryDuplex, options?: EnterOptions): Promise<EnteredConnection | undefined> {
    return Promise.resolve(this.entrance.enter(connection.duplex, options));
  }
}

function from(hostname: string): MemoryDuplex {
  return new MemoryDuplex({ hostname, port: 50_000 });
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** The next bytes that a server reads. */
async function read(entered: EnteredConnection | undefined): Promise<string> {
  const buffer = new Uint8Array(100);
  const count = await entered?.duplex.read(buffer) ?? 0;
  return new TextDecoder().decode(buffer.subarray(0, count));
}

Deno.test("Entrance: a trusted proxy's header gives the client's address, to limits too, and the rest is read on", async () => {
  const bench = new Bench();
  bench.bounds.maxConnectionsPerIp = 1;
  const header = "PROXY TCP4 192.0.2.1 127.0.0.1 4711 1935\r\n";
  const proxies = [from(PROXY), from(PROXY), from(PROXY)];
  const [first, second, third] = proxies.map((proxy) => bench.enter(proxy));
  for (const byte of bytes(header)) proxies[0]?.send(Uint8Array.of(byte));
  proxies[0]?.send(bytes("abc"));
  const entered = await first;
  deepEqual(entered?.duplex.remoteAddress, { hostname: "192.0.2.1", port: 4711 });
  equal(await read(entered), "abc");
  proxies[0]?.send(bytes("more"));
  equal(await read(entered), "more");
  proxies[1]?.send(bytes(header.replace("192.0.2.1", "192.0.2.2")));
  equal((await second)?.duplex.remoteAddress.hostname, "192.0.2.2");
  proxies[2]?.send(bytes(header));
  await rejects(third as Promise<unknown>, /1 from 192\.0\.2\.1 are open, limit per address is 1/);
  equal(proxies[2]?.isClosed, true);
  equal(bench.limits.clients, 2);
  proxies[0]?.leave();
  equal(await entered?.duplex.read(new Uint8Array(10)), null);
  entered?.release();
  equal(bench.limits.clients, 1);
});

Deno.test("Entrance: nobody else's header counts", async () => {
  const bench = new Bench();
  const stranger = from("192.0.2.9");
  const entered = bench.enter(stranger);
  stranger.send(bytes("PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n"));
  equal((await entered)?.duplex.remoteAddress.hostname, "192.0.2.9");
  match(await read(await entered), /^PROXY TCP4/);
});

Deno.test("Entrance: a trusted peer without a header is served as itself", async () => {
  const bench = new Bench();
  const peer = from(PROXY);
  const entered = bench.enter(peer);
  peer.send(bytes("GET / HTTP/1.1\r\n"));
  equal((await entered)?.duplex.remoteAddress.hostname, PROXY);
  equal(await read(await entered), "GET / HTTP/1.1\r\n");
});

Deno.test("Entrance: a header that is malformed, or does not come, costs its connection and is told once", async () => {
  const bench = new Bench();
  const [wrong, silent, left] = [from(PROXY), from(PROXY), from(PROXY)];
  const results = [wrong, silent, left].map((peer) => bench.enter(peer));
  wrong.send(bytes("PROXY TCP4 a b\r\n"));
  silent.send(bytes("PRO"));
  left.leave();
  await settle();
  await bench.clock.advance(5001);
  deepEqual(await Promise.all(results), [undefined, undefined, undefined]);
  deepEqual(bench.failures.map(({ code }) => code).sort(), [
    "connection-lost",
    "handshake-timeout",
    "proxy-header-malformed",
  ]);
  equal(wrong.isClosed && silent.isClosed, true);
  equal(bench.limits.clients, 0);
});

/** A TLS connection whose handshake ends as the test wants, and that is gone when the test says so. */
class FakeTls {
  readonly handshake = Promise.withResolvers<void>();
  readonly gone = Promise.withResolvers<void>();
  readonly inner = from("192.0.2.7");
  readonly duplex: ByteDuplex = {
    ...this.inner.duplex,
    isSecure: true,
    handshake: () => this.handshake.promise,
    released: this.gone.promise,
  };
}

Deno.test("Entrance: a client that is silent where TLS is spoken is left after 10 s, and counted until it is gone", async () => {
  const bench = new Bench();
  const tls = new FakeTls();
  const entered = bench.entrance.enter(tls.duplex);
  await bench.clock.advance(10_001);
  equal(await entered, undefined);
  deepEqual(bench.failures.map(({ code }) => code), ["handshake-timeout"]);
  equal(bench.limits.clients, 1);
  tls.gone.resolve();
  await settle();
  equal(bench.limits.clients, 0);
});

Deno.test("Entrance: an address that keeps many such connections open gets no more of them, others do", async () => {
  const bench = new Bench();
  const silent = Array.from({ length: 16 }, () => new FakeTls());
  const entered = silent.map(({ duplex }) => bench.entrance.enter(duplex));
  await bench.clock.advance(10_001);
  await Promise.all(entered);
  throws(() => bench.entrance.enter(new FakeTls().duplex), /16 from 192\.0\.2\.7 never began with TLS/);
  const other = new FakeTls();
  other.handshake.resolve();
  const { duplex } = other;
  equal(
    (await bench.entrance.enter({ ...duplex, remoteAddress: { hostname: "192.0.2.8", port: 1 } })) !==
      undefined,
    true,
  );
  for (const { gone } of silent) gone.resolve();
  await settle();
  const again = new FakeTls();
  again.handshake.resolve();
  equal((await bench.entrance.enter(again.duplex))?.duplex, again.duplex);
});

Deno.test("Entrance: a handshake that fails says why", async () => {
  for (
    const [thrown, code, text] of [
      ["received corrupt message of type InvalidContentType", "tls-handshake", /does not speak TLS/],
      ["received fatal alert: UnknownCA", "tls-handshake", /does not accept the certificate/],
      ["unexpected end of file", "connection-lost", /left during the TLS handshake/],
    ] as const
  ) {
    const bench = new Bench();
    const tls = new FakeTls();
    const entered = bench.entrance.enter(tls.duplex);
    tls.handshake.reject(new Error(thrown));
    equal(await entered, undefined);
    deepEqual(bench.failures.map((failure) => failure.code), [code]);
    match(bench.failures[0]?.message ?? "", text);
  }
});

Deno.test("Entrance: where TLS is spoken no more are accepted while too many have not agreed upon it", async () => {
  const bench = new Bench({ maxUnagreed: 3 });
  const clients = Array.from({ length: 3 }, () => new FakeTls());
  const entered = clients.map(({ duplex }) => bench.entrance.enter(duplex));
  let isRoom = false;
  const room = bench.entrance.roomForTls().then(() => isRoom = true);
  await bench.clock.advance(10_001);
  await Promise.all(entered);
  equal(isRoom, false);
  deepEqual(bench.full, [3]);
  equal(bench.limits.clients, 3);
  clients[0]?.gone.resolve();
  await room;
  const agreed = new FakeTls();
  agreed.handshake.resolve();
  await bench.entrance.enter(agreed.duplex);
  await bench.entrance.roomForTls();
});

Deno.test("Entrance: what is refused where TLS is spoken counts for the process's descriptors until it is gone", async () => {
  const bench = new Bench();
  bench.bounds.maxConnections = 0;
  bench.limits.setFreeDescriptors(17);
  const refused = Array.from({ length: 16 }, () => new FakeTls());
  for (const { duplex } of refused) throws(() => bench.entrance.enter(duplex), /limit is 0/);
  let isRoom = false;
  const room = bench.entrance.roomForTls().then(() => isRoom = true);
  await settle();
  equal(isRoom, false);
  const release = bench.limits.admitOutgoing();
  throws(() => bench.limits.admitOutgoing(), /file descriptors/);
  release();
  refused[0]?.gone.resolve();
  await room;
});

Deno.test("Entrance: what is on its way in ends with the server", async () => {
  const bench = new Bench();
  const tls = new FakeTls();
  const entered = bench.entrance.enter(tls.duplex);
  bench.entrance.close();
  equal(await entered, undefined);
  deepEqual(bench.failures.map(({ code }) => code), ["shutting-down"]);
});
