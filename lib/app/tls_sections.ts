import type { Config } from "../config/config.ts";
import type { TlsListener } from "../net/tls.ts";
import type { CheckedKeyPair, KeyPairFiles } from "./checked_key_pair.ts";

/** The parts of a configuration that speak TLS. */
export type TlsSection = "rtmps" | "http_api.https" | "http_server.https";

/** Where a part's certificate lies. */
export function keyPairFiles(config: Config, section: TlsSection): KeyPairFiles {
  switch (section) {
    case "rtmps":
      return config.rtmps;
    case "http_api.https":
      return config.http_api.https;
    case "http_server.https":
      return config.http_server.https;
    default:
      return section satisfies never;
  }
}

/** The parts that speak TLS, by the configuration. */
export function tlsSections(config: Config): TlsSection[] {
  const { rtmps, http_api: api, http_server: server } = config;
  return [
    ...(rtmps.enabled ? ["rtmps"] as const : []),
    ...(api.enabled && api.https.enabled ? ["http_api.https"] as const : []),
    ...(server.enabled && server.https.enabled ? ["http_server.https"] as const : []),
  ];
}

/** One certificate in use, and who shows it. */
export interface ServedCertificate {
  readonly section: TlsSection;
  readonly listeners: readonly TlsListener[];
  keyPair: CheckedKeyPair;
}

/**
 * The certificates of a configuration, for its ports. What checks them is loaded only where there are some: it takes a third of what a
 * start without TLS may take.
 *
 * @throws {KeyPairError} Naming every one that can't be used, a line each.
 */
export async function readKeyPairs(config: Config): Promise<ReadonlyMap<TlsSection, CheckedKeyPair>> {
  const sections = tlsSections(config);
  if (sections.length === 0) return new Map();
  const { loadKeyPairs } = await import("./key_pair.ts");
  return loadKeyPairs(sections.map((section) => [section, keyPairFiles(config, section)]));
}
