import type { ListenError } from "../base/listen_error.ts";
import type { Config } from "../config/config.ts";
import { variableName } from "../config/config_environment.ts";
import type { ListenAddress } from "../config/listen_address.ts";

/** What the operator reads when a port can't be had: one sentence that names the port and the way to another. */
export function portAdvice(error: ListenError, config: Config): string {
  const { hostname, port } = error;
  const users: [path: string[], listen: readonly ListenAddress[]][] = [
    [["listen"], config.listen],
    [["http_api", "listen"], config.http_api.listen],
    [["http_server", "listen"], config.http_server.listen],
    [["exporter", "listen"], config.exporter.listen],
    [["rtmps", "listen"], config.rtmps.listen],
    [["http_api", "https", "listen"], config.http_api.https.listen],
    [["http_server", "https", "listen"], config.http_server.https.listen],
  ];
  const path = users.find(([, listen]) =>
    listen.some((address) => address.port === port && (address.hostname ?? hostname) === hostname)
  )?.[0];
  const reason = error.problem === "in-use"
    ? `Cannot listen on port ${port}: it is already in use`
    : error.message;
  if (path === undefined) return reason;
  const keys = `${path.join(".")} in the configuration or ${variableName(path)}`;
  switch (error.problem) {
    case "in-use":
    case "not-allowed":
      return `${reason}; set ${keys} to another port`;
    case "other-machine":
    case "unknown-host":
      return `${reason}; set ${keys} to an address of this machine, or to the port alone for all of them`;
    case "other":
      return `${reason}; check ${keys}`;
  }
}
