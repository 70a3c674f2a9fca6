import type { Hono } from "hono";
import { addAboutRoutes } from "../api/about_routes.ts";
import { envelope, page, resource } from "../middleware/answer.ts";
import type { FlvSource } from "../flv/flv_source.ts";
import { mountedPath } from "../flv/mount.ts";
import type { AudioJson, StreamJson, VideoJson } from "../api/streams_routes.ts";
import type { ClusterStreamJson } from "../cluster_view.ts";
import type { ServerView, StreamSummary } from "../server_view.ts";
import { LIBRARY_GZIP_BASE64, LIBRARY_VERSION, LICENSES_GZIP_BASE64 } from "./players_library.ts";
import { playersPage } from "./players_page.ts";

const LIBRARY_PATH = `/players/mpegts-${LIBRARY_VERSION}.js`;
const LICENSES_PATH = `/players/mpegts-${LIBRARY_VERSION}.licenses.txt`;
const FOREVER = "public, max-age=31536000, immutable";

/** A stream as those may know it who may play: of the API's, and where it is. */
export interface PlayableStreamJson
  extends Pick<StreamJson, "id" | "name" | "vhost" | "app" | "url" | "clients"> {
  readonly publish: Pick<StreamJson["publish"], "active">;
  readonly video: Pick<VideoJson, "codec" | "width" | "height"> | null;
  readonly audio: Pick<AudioJson, "codec"> | null;
  /** Its path here; absent where it can't be played so. */
  readonly flv?: string;
  /** The node of the cluster where it is published, by its name here; absent where it comes in here. */
  readonly node?: string;
}

/** What `/api/v1/streams` holds for players besides the envelope. */
export interface PlayableStreamsJson {
  readonly streams: readonly PlayableStreamJson[];
}

/** `/players/`, the page that plays, and the library that it plays with; nothing comes from elsewhere. */
export function addPlayersRoutes(app: Hono): void {
  resource(app, "/players", {
    GET: (c) => {
      const nonce = crypto.randomUUID();
      return c.html(playersPage(nonce, LIBRARY_PATH), 200, {
        // Other servers may be played from, so any address may be connected to; but only what is ours may run.
        "Content-Security-Policy":
          `default-src 'none'; script-src 'self' 'nonce-${nonce}'; style-src 'nonce-${nonce}'; img-src data:; ` +
          `media-src blob:; connect-src http: https: ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
        "X-Content-Type-Options": "nosniff",
      });
    },
  });
  addFile(app, LIBRARY_PATH, "text/javascript; charset=utf-8", LIBRARY_GZIP_BASE64);
  addFile(app, LICENSES_PATH, "text/plain; charset=utf-8", LICENSES_GZIP_BASE64);
}

/**
 * `/api/v1/streams` for the page, and `/api/v1/versions`: what may be known to those who may play, in the API's shapes, and with the
 * path of each stream.
 *
 * @param elsewhere Streams that come in at other nodes of the cluster, which this one relays to whoever plays them.
 */
export function addPlayersApi(
  app: Hono,
  view: ServerView,
  source: FlvSource,
  elsewhere: () => Promise<readonly ClusterStreamJson[]>,
): void {
  resource(app, "/api/v1/streams", {
    GET: async (c) => {
      const here = [...view.streams()].map((stream) => streamJson(stream, source));
      const known = new Set(here.flatMap(({ url, publish }) => publish.active ? [url] : []));
      const others = (await elsewhere()).filter(({ url }) => !known.has(url));
      const found = new Set(others.map(({ url }) => url));
      const all = [
        // What is only waited for here may come in at another node.
        ...here.filter(({ url }) => !found.has(url)),
        ...others.map((stream) => streamElsewhereJson(stream, source)),
      ];
      const streams = page(c, all);
      return c.json(envelope<PlayableStreamsJson>(view, { streams }), 200, { "Cache-Control": "no-store" });
    },
  });
  addAboutRoutes(app, view);
}

function streamJson(stream: StreamSummary, source: FlvSource): PlayableStreamJson {
  const { id, name, vhostId, app, url, clients, publish, video, audio } = stream;
  const flv = pathOf(stream, source);
  return {
    id,
    name,
    vhost: vhostId,
    app,
    url,
    clients,
    publish: { active: publish.active },
    video: video && { codec: video.codec, width: video.width, height: video.height },
    audio: audio && { codec: audio.codec },
    ...(flv === undefined ? {} : { flv }),
  };
}

function streamElsewhereJson(stream: ClusterStreamJson, source: FlvSource): PlayableStreamJson {
  const { vhost, app, stream: name, url, viewers, live, owner, video, audio } = stream;
  const flv = pathOf({ vhost, app, name, url }, source);
  return {
    id: url,
    name,
    vhost,
    app,
    url,
    clients: viewers,
    publish: { active: live },
    video,
    audio,
    ...(flv === undefined ? {} : { flv }),
    ...(owner === null ? {} : { node: owner }),
  };
}

/** Where a stream is on this server; undefined (left out) where it can't be played so. */
function pathOf(
  { vhost, app, name, url }: Pick<StreamSummary, "vhost" | "app" | "name" | "url">,
  source: FlvSource,
): string | undefined {
  const found = source.findVhost(vhost);
  if (found === undefined || !found.flv.isEnabled) return undefined;
  const path = mountedPath(found.flv.mount, found.name, { app, stream: name });
  // By its vhost, whatever host the page was opened at; a vhost may serve others than itself.
  const named = url.slice(0, url.indexOf("/"));
  return named === "" ? path : `${path}?vhost=${encodeURIComponent(named)}`;
}

function addFile(app: Hono, path: string, type: string, gzipBase64: string): void {
  let gzip: Uint8Array<ArrayBuffer> | undefined;
  resource(app, path, {
    GET: (c) => {
      gzip ??= Uint8Array.from(atob(gzipBase64), (character) => character.charCodeAt(0));
      const headers = { "Content-Type": type, "Cache-Control": FOREVER, "Vary": "Accept-Encoding" };
      const isGzipTaken = /\bgzip\b/.test(c.req.header("Accept-Encoding") ?? "");
      if (isGzipTaken) return c.body(gzip, 200, { ...headers, "Content-Encoding": "gzip" });
      return c.body(new Blob([gzip]).stream().pipeThrough(new DecompressionStream("gzip")), 200, headers);
    },
  });
}
