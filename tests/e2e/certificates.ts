import { findProgram } from "./programs.ts";
import { RunningProgram } from "./running_program.ts";
import type { TestScope } from "./test_scope.ts";

/** Files of a certificate that signs itself, for the names of this machine. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** `subjectAltName`, in openssl's words. */
  readonly names?: string;
  /** How long it lasts, from now. */
  readonly days?: number;
}

/** Makes a certificate with openssl, as docs/security.md tells operators to. */
export async function makeCertificate(
  scope: TestScope,
  name: string,
  { names = "DNS:localhost,IP:127.0.0.1", days = 30 }: CertificateOptions = {},
): Promise<TestCertificate> {
  const files = { cert: scope.path(`${name}.crt`), key: scope.path(`${name}.key`) };
  const openssl = findProgram("openssl")?.path ?? "openssl";
  await RunningProgram.start(openssl, [
    ..."req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -subj".split(" "),
    `/CN=${name}`,
    ..."-addext basicConstraints=critical,CA:FALSE -addext".split(" "),
    `subjectAltName=${names}`,
    "-days",
    String(days),
    "-keyout",
    files.key,
    "-out",
    files.cert,
  ]).succeed();
  return files;
}

/** Every part of a server over TLS, with one certificate, on free ports. */
export function tlsConfig({ cert, key }: TestCertificate): string {
  return ["rtmps", "http_api.https", "http_server.https"].map((section) =>
    `[${section}]\nenabled = true\nlisten = "127.0.0.1:0"\ncert = "${cert}"\nkey = "${key}"`
  ).join("\n");
}
