import type { Config } from "../config/config.ts";
import type { NodeAddresses } from "./ports.ts";
import { versionText } from "./version_text.ts";

type Address = NodeAddresses["rtmp"][number];

/**
 * The five lines that a newcomer reads after the first start: what listens where, how to publish and play, and where
 * the pages are. Each ends its line; parts that are switched off are left out.
 *
 * @param source Where the configuration came from.
 */
export function welcome(config: Config, source: string, addresses: NodeAddresses): string {
  const { rtmp: [rtmp], httpApi: [api], httpServer: [server] } = addresses;
  const tls = [...addresses.rtmps, ...addresses.httpsServer, ...addresses.httpsApi];
  const rtmpUrl = `rtmp://${urlHost(rtmp, 1935)}/live/stream`;
  const web = server === undefined ? undefined : `http://${urlHost(server, 80)}`;
  const isEdge = Object.values(config.vhost).some(({ cluster }) => cluster.mode === "remote");
  const listens = [
    `RTMP on ${listenText(addresses.rtmp)}`,
    ...(web === undefined ? [] : [`HTTP-FLV on ${listenText(addresses.httpServer)}`]),
    ...(api === undefined ? [] : [`HTTP API on ${listenText(addresses.httpApi)}`]),
    ...(addresses.exporter.length === 0 ? [] : [`metrics on ${listenText(addresses.exporter)}`]),
    ...(tls.length === 0 ? [] : [`TLS: ${tlsText(addresses)}`]),
  ];
  const pages = [
    ...(web === undefined ? [] : [`players ${web}/players/`]),
    ...(api === undefined ? [] : [`console http://${urlHost(api, 80)}/console/`]),
  ];
  const lines = [
    `${versionText()}${isEdge ? " (edge)" : ""} is running with ${source}`,
    `  listens  ${listens.join(", ")}`,
    `  publish  ffmpeg -re -i video.mp4 -c copy -f flv ${rtmpUrl}`,
    `  play     ffplay ${rtmpUrl}${web === undefined ? "" : `   or   ffplay ${web}/live/stream.flv`}`,
    ...(pages.length === 0 ? [] : [`  pages    ${pages.join("   ")}`]),
  ];
  return lines.map((line) => `${line}\n`).join("");
}

function urlHost(address: Address | undefined, defaultPort: number): string {
  if (address === undefined) return "localhost";
  const host = isEverywhere(address) ? "localhost" : bracketed(address.hostname);
  return address.port === defaultPort ? host : `${host}:${address.port}`;
}

function listenText(addresses: readonly Address[]): string {
  return addresses.map((address) =>
    isEverywhere(address) ? `port ${address.port}` : `${bracketed(address.hostname)}:${address.port}`
  ).join(" and ");
}

function tlsText({ rtmps, httpsServer, httpsApi }: NodeAddresses): string {
  const isShared = httpsServer.length > 0 && httpsServer[0]?.port === httpsApi[0]?.port;
  return [
    ...(rtmps.length === 0 ? [] : [`RTMPS on ${listenText(rtmps)}`]),
    ...(httpsServer.length === 0 ? [] : [`HTTPS-FLV on ${listenText(httpsServer)}`]),
    ...(httpsApi.length === 0 || isShared ? [] : [`HTTPS API on ${listenText(httpsApi)}`]),
  ].join(", ");
}

function isEverywhere({ hostname }: Address): boolean {
  return hostname === "0.0.0.0" || hostname === "::";
}

function bracketed(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
