import { readPublicKey } from "../base/public_key.ts";
import { DEFAULT_VHOST } from "../base/stream_address.ts";
import type { CheckResult } from "./check_result.ts";
import type { Config, VhostConfig } from "./config.ts";
import { addressesClash, type ListenAddress } from "./listen_address.ts";
import { nearestName } from "./nearest_name.ts";
import type { RawPath } from "./raw_config.ts";
import { checkTokens } from "./token_checks.ts";

/** Whether one port serves both the HTTP API and HTTP-FLV, as SRS does when their `listen` are the same. */
export function sharesPort(config: Config): boolean {
  const { http_api: api, http_server: server } = config;
  if (!api.enabled || !server.enabled || api.listen.length !== server.listen.length) return false;
  return api.listen.every((a) => a.port !== 0 && server.listen.some((b) => isSameAddress(a, b)));
}

/** Where HTTPS listens: one list for API and players where one port serves both. */
export interface HttpsListens {
  readonly api: readonly ListenAddress[];
  readonly server: readonly ListenAddress[];
}

/** The listens of HTTPS that are switched on. */
export function httpsListens(config: Config): HttpsListens {
  const { http_api: api, http_server: server } = config;
  const listens = {
    api: api.enabled && api.https.enabled ? api.https.listen : [],
    server: server.enabled && server.https.enabled ? server.https.listen : [],
  };
  if (!sharesPort(config)) return listens;
  return { api: listens.server.length > 0 ? listens.server : listens.api, server: [] };
}

/** Checks what needs more than one key to see. */
export function checkConfig(config: Config): CheckResult {
  const result: CheckResult = { errors: [], warnings: [] };
  checkListens(config, result);
  checkServer(config, result);
  for (const [name, vhost] of Object.entries(config.vhost)) {
    checkVhost(name, vhost, config, result);
    checkTokens(name, vhost, result);
    checkForward(name, vhost, result);
    if (vhost.dvr.enabled && vhost.cluster.mode === "remote") {
      result.warnings.push(`vhost ${name} records nothing: it is an edge, whose origins do that`);
    }
  }
  checkTls(config, result);
  checkWhoIsLetIn(config, result);
  return result;
}

function checkListens(config: Config, { errors }: CheckResult): void {
  const { http_api: api, http_server: server } = config;
  const https = httpsListens(config);
  const users = [
    { path: ["listen"], listen: config.listen },
    ...(config.rtmps.enabled ? [{ path: ["rtmps", "listen"], listen: config.rtmps.listen }] : []),
    ...(api.enabled ? [{ path: ["http_api", "listen"], listen: api.listen }] : []),
    ...(server.enabled && !sharesPort(config)
      ? [{ path: ["http_server", "listen"], listen: server.listen }]
      : []),
    ...(config.exporter.enabled ? [{ path: ["exporter", "listen"], listen: config.exporter.listen }] : []),
    { path: ["http_server", "https", "listen"], listen: https.server },
    { path: ["http_api", "https", "listen"], listen: https.api },
  ];
  const taken: { path: RawPath; name: string; address: ListenAddress }[] = [];
  for (const { path, listen } of users) {
    const name = path.join(".");
    for (const address of listen) {
      const other = taken.find((earlier) => addressesClash(earlier.address, address));
      if (other !== undefined) {
        const message = `Cannot use ${name}: port ${address.port} is taken by ${other.name}`;
        errors.push({ path, message, others: [other.path] });
      }
      taken.push({ path, name, address });
    }
  }
}

function checkServer(config: Config, { errors }: CheckResult): void {
  const { limits, http_api: { auth } } = config;
  if (limits.buffered_max_bytes < limits.message_max_bytes) {
    errors.push({
      path: ["limits", "buffered_max_bytes"],
      message: `Cannot use limits.buffered_max_bytes: value is ${limits.buffered_max_bytes}, ` +
        `must be at least limits.message_max_bytes, which is ${limits.message_max_bytes}`,
      others: [],
    });
  }
  if (auth.enabled && (auth.username === "") !== (auth.password === "")) {
    const missing = auth.username === "" ? "username" : "password";
    errors.push({
      path: ["http_api", "auth", "enabled"],
      message: `Cannot use http_api.auth: ${missing} is empty`,
      others: [],
    });
  } else if (auth.enabled && auth.username === "" && auth.token === "") {
    errors.push({
      path: ["http_api", "auth", "enabled"],
      message: "Cannot use http_api.auth: enabled without a username and a password, or a token",
      others: [],
    });
  }
}

function checkTls(config: Config, { errors, warnings }: CheckResult): void {
  const { rtmps, http_api: api, http_server: server, trusted_proxies: proxies } = config;
  const refuse = (path: RawPath, reason: string, others: readonly RawPath[] = []) =>
    errors.push({ path, message: `Cannot use ${path.join(".")}: ${reason}`, others });
  if (rtmps.enabled && rtmps.listen.length === 0) {
    refuse(["rtmps", "enabled"], "value is true, needs rtmps.listen");
  }
  for (const [name, { enabled, https }] of [["http_api", api], ["http_server", server]] as const) {
    if (https.enabled && !enabled) refuse([name, "https", "enabled"], `value is true, needs ${name}.enabled`);
  }
  if (sharesPort(config) && api.https.enabled && server.https.enabled) {
    const isSame = (a: ListenAddress) => server.https.listen.some((b) => isSameAddress(a, b));
    const isDefault = api.https.listen.length === 1 && api.https.listen[0]?.literal === "1990";
    if (!isDefault && !api.https.listen.every(isSame)) {
      refuse(
        ["http_api", "https", "listen"],
        "one port serves API and players, so it must be the same as http_server.https.listen",
        [["http_server", "https", "listen"]],
      );
    }
  }
  if (proxies.length > 0 && (rtmps.enabled || api.https.enabled || server.https.enabled)) {
    warnings.push(
      "trusted_proxies: a PROXY header is not read on TLS ports; let the proxy end TLS and use the plain ports",
    );
  }
}

function checkVhost(
  name: string,
  vhost: VhostConfig,
  config: Config,
  { errors, warnings }: CheckResult,
): void {
  const { cluster } = vhost;
  const path = ["vhost", name, "cluster"];
  if (cluster.mode === "remote" && cluster.origin.length === 0) {
    errors.push({
      path: [...path, "mode"],
      message: `Cannot use vhost.${name}.cluster.mode: value is "remote", needs cluster.origin`,
      others: [],
    });
  }
  if (cluster.mode === "remote" && cluster.origin_cluster) {
    errors.push({
      path: [...path, "origin_cluster"],
      message:
        `Cannot use vhost.${name}.cluster.origin_cluster: value is true, not possible in mode "remote"`,
      others: [],
    });
  }
  if (cluster.coworkers.length > 0 && !cluster.origin_cluster && cluster.mode === "local") {
    warnings.push(`vhost ${name} has coworkers but not origin_cluster: it serves its own streams only`);
  }
  if (vhost.security.enabled && vhost.security.rules.length === 0) {
    warnings.push(`vhost ${name} has security enabled without any rule: nobody can publish or play`);
  }
  checkHooks(name, vhost, warnings);
  if (cluster.origin_cluster && !config.http_api.enabled) {
    warnings.push(
      `vhost ${name} is in an origin cluster but http_api is off: coworkers cannot ask this node`,
    );
  }
}

function checkForward(
  name: string,
  { cluster, forward }: VhostConfig,
  { errors, warnings }: CheckResult,
): void {
  const path = ["vhost", name, "forward"];
  for (const [target, { url, enabled }] of Object.entries(forward.targets)) {
    if (url !== "" || !enabled) continue;
    errors.push({
      path: [...path, "targets", target],
      message: `Cannot use vhost.${name}.forward.targets.${target}: it has no url`,
      others: [[...path, "targets", target, "url"]],
    });
  }
  if (!forward.enabled) return;
  if (cluster.mode === "remote") {
    warnings.push(`vhost ${name} forwards nothing: it is an edge, whose origins do that`);
  } else if (forward.backend !== "" && forward.destination.length > 0) {
    warnings.push(`vhost ${name} has forward.backend, so forward.destination is not used`);
  }
}

const HOOK_NAMES = [
  "on_connect",
  "on_close",
  "on_publish",
  "on_unpublish",
  "on_play",
  "on_stop",
  "on_dvr",
] as const;

function checkHooks(name: string, { http_hooks: hooks, refer }: VhostConfig, warnings: string[]): void {
  if (refer.enabled && [refer.all, refer.publish, refer.play].flat().length === 0) {
    warnings.push(`vhost ${name} has refer enabled without any domain: every page may publish and play`);
  }
  if (!hooks.enabled) return;
  if (HOOK_NAMES.every((hook) => hooks[hook].length === 0)) {
    warnings.push(`vhost ${name} has http_hooks enabled without any hook: nobody is asked or told`);
  }
  const urls = [hooks.on_connect, hooks.on_publish, hooks.on_play].flat();
  if (!hooks.tls_verify && urls.some((url) => /^https:/i.test(url))) {
    warnings.push(
      `vhost ${name} takes any certificate of its https hooks, whoever answers there decides: set http_hooks.tls_verify and ca`,
    );
  }
}

/** A file that a configuration names and that must be there. */
export interface NamedFile {
  readonly path: RawPath;
  readonly file: string;
  /** Throws RangeError when it does not hold what it must; says what is wrong, to follow its name. */
  readonly check?: (text: string) => void;
}

/** The files that a configuration names and that must be there. */
export function* namedFiles(config: Config): Iterable<NamedFile> {
  for (const [name, { http_hooks: hooks, tokens }] of Object.entries(config.vhost)) {
    if (hooks.enabled && hooks.ca !== "") yield { path: ["vhost", name, "http_hooks", "ca"], file: hooks.ca };
    if (tokens.enabled && tokens.public_key !== "") {
      yield { path: ["vhost", name, "tokens", "public_key"], file: tokens.public_key, check: readPublicKey };
    }
  }
}

/** A vhost that was meant to take every name and does not is seen nowhere but here: all are refused. */
function checkWhoIsLetIn(config: Config, { warnings }: CheckResult): void {
  const names = Object.keys(config.vhost);
  if (!Object.values(config.vhost).some(({ enabled }) => enabled)) {
    warnings.push("no client can connect: every vhost has enabled = false");
  }
  if (Object.hasOwn(config.vhost, DEFAULT_VHOST)) return;
  for (const name of names) {
    if (nearestName(name, [DEFAULT_VHOST]) === undefined && !/^_*default(?:_*vhost)?_*$/i.test(name)) {
      continue;
    }
    const others = names.length === 1 ? "no client" : "only a client of the other vhosts";
    warnings.push(
      `vhost ${name} matches that name only, so ${others} can connect: the vhost that matches any name is ${DEFAULT_VHOST}`,
    );
  }
}

function isSameAddress(a: ListenAddress, b: ListenAddress): boolean {
  return a.port === b.port && a.hostname === b.hostname;
}
