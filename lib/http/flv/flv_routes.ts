import { getLogger } from "@logtape/logtape";
import type { Context, Hono } from "hono";
import { RtmpError } from "../../base/errors.ts";
import { parseStreamAddress, type StreamAddress } from "../../base/stream_address.ts";
import { methodRefusal } from "../middleware/answer.ts";
import type { AppBindings } from "../app_handler.ts";
import type { FlvSource } from "./flv_source.ts";
import { matchMount } from "./mount.ts";

const log = getLogger(["headwater", "http", "flv"]);

/** What is told to a client that has left: nobody reads it. */
const CLIENT_GONE = 400;

export interface FlvRoutesOptions {
  readonly source: FlvSource;
  /** Longest app and stream name together, in bytes. */
  readonly maxNameBytes: () => number;
}

/** The headers of a stream: nobody may keep it, or gather it before passing it on. */
const STREAM_HEADERS = {
  "Content-Type": "video/x-flv",
  "Cache-Control": "no-store",
  "X-Accel-Buffering": "no",
};

/** A browser sends one of these with what a page's script asks for; over plain HTTP, to the page's own server, only the last. */
const PAGE_HEADERS = ["Origin", "Sec-Fetch-Mode", "Referer"];

/** `GET /app/stream.flv` as HTTP-FLV, and as WebSocket-FLV when the client asks to upgrade. */
export function addFlvRoutes(app: Hono, options: FlvRoutesOptions): void {
  app.all("/*", async (c, next) => {
    try {
      const addresses = findStreams(c, options);
      if (addresses.length === 0) return await next();
      if (c.req.method !== "GET" && c.req.method !== "HEAD") {
        return methodRefusal(c, "GET, HEAD");
      }
      return await answer(c, options.source, addresses);
    } catch (error) {
      if (!(error instanceof RtmpError)) throw error;
      log.debug("Request refused", { path: c.req.path, code: error.code, detail: error.message });
      const status = error.code === "connection-lost" ? CLIENT_GONE : error.httpStatus;
      return Response.json({ code: error.srsCode, message: error.message }, {
        status,
        headers: {
          "Cache-Control": "no-store",
          ...(error.code === "credentials-required" ? { "WWW-Authenticate": "Bearer" } : {}),
        },
      });
    }
  });
}

/** The streams that a request may name, the likeliest first; none: no stream can be at this URL. */
function findStreams(c: Context, { source, maxNameBytes }: FlvRoutesOptions): StreamAddress[] {
  const { host, hostname, pathname, search } = new URL(c.req.url);
  if (!pathname.includes(".flv")) return [];
  const parse = (app: string, stream: string) =>
    parseStreamAddress(`rtmp://${hostname}/${app}`, stream + search, maxNameBytes());
  // Which vhost is asked for says where its streams are.
  const name = parse("app", "stream").vhost;
  const vhost = source.findVhost(name);
  if (vhost === undefined) {
    throw new RtmpError("vhost-not-found", `Cannot find vhost '${name}': it is not configured`);
  }
  if (!vhost.flv.isEnabled) return [];
  return matchMount(vhost.flv.mount, vhost.name, host, pathname).map(({ app, stream }) => parse(app, stream));
}

async function answer(c: Context, source: FlvSource, addresses: readonly StreamAddress[]): Promise<Response> {
  const bindings = c.env as AppBindings;
  const { peer, isHead, isWebSocket, signal } = bindings;
  const answer = await source.play({
    addresses,
    ip: peer.hostname,
    pageUrl: pageOf(c),
    transport: isWebSocket ? "websocket" : "http",
    isPage: isWebSocket || PAGE_HEADERS.some((name) => c.req.header(name) !== undefined),
    signal,
    authorization: /^Bearer +(\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1],
  });
  if (answer.kind === "redirect") return c.redirect(flvUrl(answer.url, c.req.url), 302);
  const { player } = answer;
  bindings.isEndless = true;
  if (isHead) player.close();
  else bindings.play = player;
  return c.body(null, 200, STREAM_HEADERS);
}

/** The page that asked; for a WebSocket browsers name only its origin, and `null` stands for a page that has none. */
function pageOf(c: Context): string {
  const origin = c.req.header("Origin");
  return c.req.header("Referer") ?? (origin === "null" ? "" : origin ?? "");
}

/** Where another node has a stream over HTTP, as far as that can be known: at the port at which it was asked for here. */
function flvUrl(rtmpUrl: string, askedUrl: string): string {
  const { hostname, pathname, search } = new URL(
    // In a name it is a character like others.
    rtmpUrl.replace(/^rtmps?:/, "http:").replaceAll("#", "%23"),
  );
  const target = new URL(askedUrl);
  target.hostname = hostname;
  target.pathname = `${pathname}.flv`;
  target.search = search;
  return target.href;
}
