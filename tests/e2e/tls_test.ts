import { deepEqual, equal, match, ok } from "node:assert/strict";
import { until } from "../fakes/deadline.ts";
import { makeCertificate, type TestCertificate, tlsConfig } from "./certificates.ts";
import { ChromiumPage } from "./chromium.ts";
import { assertSameFrames, describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { findProgram } from "./programs.ts";
import { publishArguments, publishFile } from "./publish_file.ts";
import { RunningProgram } from "./running_program.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

async function startTlsServer(
  scope: TestScope,
  config: string = "",
): Promise<{ server: ServerProcess; certificate: TestCertificate }> {
  const certificate = await makeCertificate(scope, "first");
  return { server: await scope.startServer({ config: `${config}\n${tlsConfig(certificate)}` }), certificate };
}

function secureUrl(server: ServerProcess, path: string): string {
  return `rtmps://127.0.0.1:${server.port("rtmps")}/${path}`;
}

programTest(
  ["ffmpeg", "ffprobe", "rtmpdump", "openssl"],
  "ffmpeg publishes over RTMPS; ffmpeg and rtmpdump play over RTMPS, ffprobe over HTTPS",
  async (scope) => {
    const { server } = await startTlsServer(scope);
    const source = await mediaFile("av.flv");
    scope.start("ffmpeg", ...publishArguments(source, secureUrl(server, "live/a")));
    await server.line(({ message }) => message === "Publish started");
    const expected = await describeStreams(scope, source);
    const flv = (protocol: string, port: string) => `${protocol}://127.0.0.1:${server.port(port)}/live/a.flv`;
    deepEqual(await describeStreams(scope, flv("https", "httpsServer")), expected);
    const recorded = scope.path("recorded.flv");
    await scope.start(
      "ffmpeg",
      ..."-v error -i".split(" "),
      secureUrl(server, "live/a"),
      ..."-t 2 -c copy".split(" "),
      recorded,
    ).succeed();
    await assertSameFrames(scope, recorded, source, 30);
    const dumped = scope.path("dumped.flv");
    // librtmp over GnuTLS takes the tickets that TLS 1.3 sends by itself for an error.
    const settings = scope.path("gnutls.conf");
    await Deno.writeTextFile(settings, "[overrides]\ndisabled-version = tls1.3\n");
    await RunningProgram.start(
      findProgram("rtmpdump")?.path ?? "rtmpdump",
      ["-q", "--live", "-r", secureUrl(server, "live/a"), "-B", "2", "-o", dumped],
      { GNUTLS_SYSTEM_PRIORITY_FILE: settings },
    ).succeed();
    await assertSameFrames(scope, dumped, source, 40);
  },
);

programTest(["openssl"], "the API, the console and metrics answer over HTTPS as over HTTP", async (scope) => {
  const { server, certificate } = await startTlsServer(scope);
  const client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(certificate.cert)] });
  scope.onClose(() => client.close());
  const get = async (path: string) => {
    const response = await fetch(`https://localhost:${server.port("httpsApi")}${path}`, { client });
    return await response.text();
  };
  match(await get("/api/v1/versions"), /"major"/);
  match(await get("/console/"), new RegExp(`data-players-port="${server.port("httpsServer")}"`));
  equal(await get("/readyz"), '{"status":"ready"}');
  const metrics = await get("/metrics");
  const expiry = Number(
    /headwater_tls_certificate_expiry_seconds\{section="rtmps"\} (\d+)/.exec(metrics)?.[1],
  );
  const days = (expiry - Date.now() / 1000) / 86_400;
  ok(days > 29 && days <= 30, `${days} days`);
});

programTest(
  ["ffmpeg", "chromium", "openssl"],
  "a browser on the HTTPS page plays over WSS: the picture moves",
  async (scope) => {
    const { server } = await startTlsServer(scope);
    await publishFile(scope, server, await mediaFile("av.flv"));
    const url = `https://127.0.0.1:${server.port("httpsServer")}/players/?stream=live/a&protocol=ws`;
    const page = await ChromiumPage.open(scope, url);
    await page.until(`document.getElementById("status").textContent === "playing"`);
    await page.until(`document.querySelector("video").currentTime > 1`);
    const started = await server.line(({ message }) => message === "Play started");
    equal(started["transport"], "websocket");
    deepEqual(page.complaints, []);
  },
);

programTest(
  ["openssl"],
  "who speaks the wrong one of plain and TLS is named as that in the log",
  async (scope) => {
    const { server } = await startTlsServer(scope);
    const plain = async (port: number, bytes: Uint8Array): Promise<void> => {
      using connection = await Deno.connect({ hostname: "127.0.0.1", port });
      await connection.write(bytes);
      while (await connection.read(new Uint8Array(1024)) !== null);
    };
    const hello = async (port: number): Promise<void> => {
      const connection = await Deno.connectTls({ hostname: "127.0.0.1", port });
      await connection.handshake().catch(() => {});
      connection.close();
    };
    const rtmp = new Uint8Array(1537);
    rtmp[0] = 3;
    await plain(server.port("rtmps"), rtmp);
    await plain(server.port("httpsServer"), new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
    await hello(server.port("rtmp"));
    await hello(server.port("httpServer"));
    for (const port of ["rtmps", "httpsServer"]) {
      const line = await server.line((line) =>
        line.message.startsWith("Connection failed") && line["port"] === server.port(port)
      );
      match(String(line["detail"]), /the client does not speak TLS/);
    }
    await server.line(({ detail }) => /the client speaks TLS \(rtmps/.test(String(detail)));
    await server.line(({ message, port }) =>
      /the client speaks TLS \(https/.test(message) && port === server.port("httpServer")
    );
  },
);

programTest(
  ["openssl"],
  "a certificate is replaced under 100 players, and a bad one is not taken",
  async (scope) => {
    const { server, certificate } = await startTlsServer(scope);
    const second = await makeCertificate(scope, "second");
    const first = await Deno.readTextFile(certificate.cert);
    await publishFile(scope, server, await mediaFile("av.flv"), "live/a");
    const players = await Promise.all(
      Array.from({ length: 100 }, () => TlsPlayer.start(scope, server.port("httpsServer"), first)),
    );
    await Promise.all(players.map((player) => player.more()));

    await Deno.rename(second.key, certificate.key);
    server.signal("SIGHUP");
    const refused = await server.line(({ message }) => message.startsWith("Certificate not renewed"));
    match(String(refused["reason"]), /it is not the key of the certificate/);
    await (await TlsPlayer.start(scope, server.port("httpsServer"), first)).more();

    const next = await Deno.readTextFile(second.cert);
    await Deno.rename(second.cert, certificate.cert);
    server.signal("SIGHUP");
    await server.line(({ message, section }) =>
      message === "Certificate renewed" && section === "http_server.https"
    );
    await until(async () => {
      const connection = await Deno.connectTls({
        hostname: "localhost",
        port: server.port("httpsServer"),
        caCerts: [next],
      });
      const isNew = await connection.handshake().then(() => true, () => false);
      connection.close();
      return isNew;
    }, "a connection that is shown the new certificate");
    await (await TlsPlayer.start(scope, server.port("httpsServer"), next)).more();
    await Promise.all(players.map((player) => player.more()));
    equal(players.filter(({ isEnded }) => isEnded).length, 0);
  },
);

/** A player of HTTPS-FLV that only counts what comes. */
class TlsPlayer {
  bytes = 0;
  isEnded = false;

  static async start(scope: TestScope, port: number, ca: string): Promise<TlsPlayer> {
    const connection = await Deno.connectTls({ hostname: "localhost", port, caCerts: [ca] });
    await connection.handshake();
    await connection.write(new TextEncoder().encode("GET /live/a.flv HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    const player = new TlsPlayer();
    const reading = player.#read(connection);
    scope.onClose(async () => {
      try {
        connection.close();
      } catch {
        // The server has closed it.
      }
      await reading;
    });
    return player;
  }

  /** Waits until more than a header has come since. */
  async more(): Promise<void> {
    const { bytes } = this;
    await until(() => this.bytes > bytes + 1000, "more of the stream");
  }

  async #read(connection: Deno.TlsConn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await connection.read(buffer);
        if (count === null) break;
        this.bytes += count;
      }
    } catch {
      // Closed by the test.
    }
    this.isEnded = true;
  }
}
