import { deepEqual, rejects } from "node:assert/strict";
import { SYSTEM_CLOCK } from "../../lib/base/clock.ts";
import { type ByteDuplex, TcpListener } from "../../lib/net/tcp.ts";
import { TlsListener } from "../../lib/net/tls.ts";
import { dialTls, type TlsTrust } from "../../lib/net/tls_dial.ts";
import { withDeadline } from "../fakes/deadline.ts";
import { makeCertificate, tlsConfig } from "./certificates.ts";
import { describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { publishFile } from "./publish_file.ts";

programTest(
  ["ffmpeg", "ffprobe", "openssl"],
  "an edge pulls and pushes by rtmps:// with a certificate of an authority of its own",
  async (scope) => {
    const certificate = await makeCertificate(scope, "origin");
    const origin = await scope.startServer({ config: tlsConfig(certificate) });
    const edge = await scope.startServer({
      config: `upstream_tls = { ca = "${certificate.cert}" }
[vhost.__defaultVhost__.cluster]
mode = "remote"
origin = ["rtmps://localhost:${origin.port("rtmps")}"]`,
    });
    const source = await mediaFile("av.flv");
    await publishFile(scope, origin, source);
    const expected = await describeStreams(scope, source);
    deepEqual(await describeStreams(scope, edge.url("live/a")), expected);
    await publishFile(scope, edge, source, "live/b");
    deepEqual(await describeStreams(scope, origin.url("live/b")), expected);
  },
);

programTest(["openssl"], "dialTls says why it can't connect, and leaves nothing open", async (scope) => {
  const here = await makeCertificate(scope, "here");
  const elsewhere = await makeCertificate(scope, "elsewhere", { names: "DNS:elsewhere.example" });
  const read = (path: string) => Deno.readTextFileSync(path);
  const listen = (files: { cert: string; key: string }) => {
    const listener = TlsListener.listen({ hostname: "127.0.0.1", port: 0 }, {
      cert: read(files.cert),
      key: read(files.key),
    });
    accept(listener, async (duplex) => {
      // Until the client closes.
      const buffer = new Uint8Array(1000);
      while (await duplex.read(buffer).catch(() => null) !== null);
      duplex.close();
    });
    scope.onClose(() => listener.close());
    return listener.address.port;
  };
  const plain = TcpListener.listen({ hostname: "127.0.0.1", port: 0 });
  accept(plain, async (duplex) => {
    await duplex.write(new Uint8Array(2000).fill(3));
    duplex.close();
  });
  const silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  scope.onClose(() => plain.close());
  scope.onClose(() => silent.close());
  const herePort = listen(here);
  const elsewherePort = listen(elsewhere);
  const dial = async (port: number, trust: TlsTrust, { timeoutMs = 5000, accepted }: Patience = {}) => {
    const released = Promise.withResolvers<void>();
    try {
      const duplex = await dialTls(
        { hostname: "localhost", port },
        timeoutMs,
        trust,
        SYSTEM_CLOCK,
        released.resolve,
      );
      duplex.close();
    } finally {
      (await accepted)?.close();
      await withDeadline(released.promise, "the descriptor");
    }
  };
  await dial(herePort, { caCerts: [read(here.cert)] });
  await rejects(dial(herePort, { caCerts: [] }), /comes from nobody who is trusted here \(upstream_tls\.ca/);
  const trustElsewhere = { caCerts: [read(elsewhere.cert)] };
  await rejects(dial(elsewherePort, trustElsewhere), /is for another name, only for .*elsewhere\.example/);
  await dial(elsewherePort, { ...trustElsewhere, isNameUnchecked: true });
  await rejects(dial(plain.address.port, { caCerts: [] }), /the other end does not speak TLS/);
  plain.close();
  await rejects(dial(plain.address.port, { caCerts: [] }), /refused/i);
  const { port } = silent.addr as Deno.NetAddr;
  await rejects(
    dial(port, { caCerts: [] }, { timeoutMs: 100, accepted: silent.accept() }),
    /no answer to the TLS handshake within 100 ms/,
  );
});

interface Patience {
  readonly timeoutMs?: number;
  /** What a server that never answers has accepted: only it can end it. */
  readonly accepted?: Promise<Deno.Conn>;
}

async function accept(
  listener: TlsListener | TcpListener,
  serve: (duplex: ByteDuplex) => unknown,
): Promise<void> {
  for await (const duplex of listener.connections(() => {})) serve(duplex);
}
