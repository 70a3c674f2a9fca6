import { deepEqual, equal, match, throws } from "node:assert/strict";
import { Certificates, type CertificatesOptions } from "../../lib/app/certificates.ts";
import { loadKeyPair } from "../../lib/app/key_pair.ts";
import type { ServedCertificate } from "../../lib/app/tls_sections.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import type { TlsListener } from "../../lib/net/tls.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { LogRecords } from "../fakes/log_records.ts";
import { makeCertificate, type TestCertificate } from "./certificates.ts";
import { programTest } from "./program_test_case.ts";
import { findProgram, NGINX_STREAM_MODULE } from "./programs.ts";
import { RunningProgram } from "./running_program.ts";
import type { TestScope } from "./test_scope.ts";

const DAY_MS = 86_400_000;

/** Certificates that are looked at in a time of their own, and shown by nobody. */
class Bench {
  readonly clock = new FakeClock();
  wallMs = Date.now();
  readonly shown: string[] = [];
  readonly served: ServedCertificate;
  readonly certificates: Certificates;

  constructor(files: TestCertificate, read?: CertificatesOptions["read"]) {
    const config = loadConfig({
      path: "a.toml",
      environment: {},
      readTextFile: () =>
        `[rtmps]\nenabled = true\nlisten = 1443\ncert = "${files.cert}"\nkey = "${files.key}"`,
    }).config;
    const listener = { renew: ({ cert }) => void this.shown.push(cert) } as Pick<
      TlsListener,
      "renew"
    > as TlsListener;
    this.served = { section: "rtmps", listeners: [listener], keyPair: loadKeyPair("rtmps", files) };
    this.certificates = new Certificates({
      clock: this.clock,
      wallNow: () => this.wallMs,
      config: () => config,
      served: [this.served],
      ...(read === undefined ? {} : { read }),
    });
  }
}

async function pair(scope: TestScope): Promise<[TestCertificate, TestCertificate]> {
  return [await makeCertificate(scope, "first"), await makeCertificate(scope, "second", { days: 60 })];
}

programTest(["openssl"], "a certificate is renewed whichever way its files are replaced", async (scope) => {
  const [first, second] = await pair(scope);
  const [firstCert, firstKey] = await Promise.all(
    [first.cert, first.key].map((path) => Deno.readTextFile(path)),
  );
  // As certbot has them: links to the files of each renewal.
  const live = { cert: scope.path("live.crt"), key: scope.path("live.key") };
  const link = async (to: TestCertificate) => {
    for (const part of ["cert", "key"] as const) {
      await Deno.symlink(to[part], `${live[part]}.new`);
      await Deno.rename(`${live[part]}.new`, live[part]);
    }
  };
  await link(first);
  const bench = new Bench(live);
  await bench.certificates.look();
  equal(bench.shown.length, 0);
  await link(second);
  await bench.certificates.look();
  deepEqual(bench.shown, [await Deno.readTextFile(second.cert)]);
  // Written over, the certificate first: what does not fit is taken for half of a renewal.
  {
    using log = new LogRecords();
    const { records } = log;
    await Deno.writeTextFile(live.cert, firstCert ?? "");
    await bench.certificates.look();
    equal(bench.shown.length, 1);
    await Deno.writeTextFile(live.key, firstKey ?? "");
    await bench.certificates.look();
    equal(bench.shown.length, 2);
    deepEqual(records.map(({ level }) => level), ["info"]);
  }
});

programTest(
  ["openssl"],
  "a certificate that can't be used is said once, by name, and never replaces one that can",
  async (scope) => {
    const [first, second] = await pair(scope);
    const other = await Deno.readTextFile(second.key);
    const cases:
      readonly (readonly [name: string, part: "cert" | "key", text: string | undefined, reason: RegExp])[] = [
        ["another key", "key", other, /rtmps\.key .*first\.key: it is not the key of the certificate in /],
        ["no key", "key", "", /rtmps\.key .*first\.key: it holds no private key in PEM/],
        [
          "garbage",
          "cert",
          "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
          /holds no certificate in PEM/,
        ],
        ["no file", "cert", undefined, /rtmps\.cert .*first\.crt: there is no such file/],
      ];
    for (const [name, part, text, reason] of cases) {
      const bench = new Bench(first, async (path) => {
        if (path !== first[part]) return await Deno.readTextFile(path);
        if (text === undefined) throw new Deno.errors.NotFound();
        return text;
      });
      {
        using log = new LogRecords();
        const { records } = log;
        for (let looks = 0; looks < 4; looks++) await bench.certificates.look();
        deepEqual(records.map(({ level }) => level), ["error"], name);
        match(String(records[0]?.properties["reason"]), reason);
      }
      equal(bench.shown.length, 0);
    }
  },
);

programTest(
  ["openssl"],
  "an expired certificate never replaces one that lasts, and an end is said once a day",
  async (scope) => {
    const [first, second] = await pair(scope);
    const bench = new Bench(
      second,
      (path) => Deno.readTextFile(path === second.cert ? first.cert : first.key),
    );
    bench.wallMs += 31 * DAY_MS;
    {
      using log = new LogRecords();
      const { records } = log;
      await bench.certificates.reload();
      match(String(records[0]?.properties["reason"]), /it has expired, on 20/);
      equal(bench.shown.length, 0);
      bench.wallMs += 20 * DAY_MS;
      records.length = 0;
      await bench.certificates.look();
      await bench.certificates.look();
      const soon = records.filter(({ level }) => level === "warning");
      deepEqual(soon.map(({ properties }) => properties["days"]), [8]);
      bench.wallMs += DAY_MS;
      await bench.certificates.look();
      equal(records.filter(({ level }) => level === "warning").length, 2);
    }
  },
);

programTest(
  ["openssl"],
  "a server does not start, and check fails, with a certificate that can't be used",
  async (scope) => {
    const [first, second] = await pair(scope);
    const mixed = { cert: first.cert, key: second.key };
    throws(() => loadKeyPair("rtmps", mixed), /not the key of the certificate/);
    const path = scope.path("bad.toml");
    await Deno.writeTextFile(
      path,
      `listen = "127.0.0.1:0"\nrtmps = { enabled = true, listen = "127.0.0.1:0", cert = "${mixed.cert}", key = "${mixed.key}" }`,
    );
    for (const words of [["check", "-c", path], ["-c", path]]) {
      const { code, stderr } = await RunningProgram.start(Deno.execPath(), ["run", "-A", "main.ts", ...words])
        .finish();
      equal(code, 1);
      match(
        stderr,
        /^Cannot use rtmps\.key .*second\.key: it is not the key of the certificate in .*first\.crt\n$/,
      );
    }
  },
);

programTest(
  ["openssl", "nginx-stream"],
  "the commands and the nginx configuration of docs/security.md work",
  async (scope) => {
    const page = await Deno.readTextFile(new URL("../../docs/security.md", import.meta.url));
    const [, openssl = ""] = /```sh\n(openssl req .*?)```/s.exec(page) ?? [];
    const folder = scope.path("");
    const printed = await RunningProgram.start("sh", ["-ec", `cd ${folder}; ${openssl}`]).succeed();
    match(
      printed,
      /subject=CN = media\.example\.com\n.*\n.*DNS:media\.example\.com, IP Address:10\.0\.0\.5\nnotAfter=/,
    );
    loadKeyPair("rtmps", { cert: scope.path("server.crt"), key: scope.path("server.key") });
    const [, nginx = ""] = /```nginx\n(.*?)```/s.exec(page) ?? [];
    const path = scope.path("nginx.conf");
    await Deno.writeTextFile(
      path,
      `load_module ${NGINX_STREAM_MODULE};\npid ${scope.path("pid")};\nevents {}\n${nginx}`,
    );
    await RunningProgram.start(findProgram("nginx-stream")?.path ?? "nginx", [
      "-t",
      "-q",
      "-e",
      "stderr",
      "-p",
      folder,
      "-c",
      path,
    ])
      .succeed();
  },
);
