// deno-lint-ignore-file camelcase -- the names in the JSON are SRS's
import type { Hono } from "hono";
import type { ServerView } from "../server_view.ts";
import { envelope, resource } from "../middleware/answer.ts";

/** SRS's list of what a server can do, for programs that ask before they use it. */
const FEATURES = {
  ssl: true,
  hls: false,
  hds: false,
  callback: false,
  api: true,
  httpd: true,
  dvr: false,
  transcode: false,
  ingest: false,
  stat: true,
  caster: false,
  // In SRS's words: many messages in one write, TCP_NODELAY, a send buffer that can be set, merged reads.
  complex_send: true,
  tcp_nodelay: true,
  so_sendbuf: false,
  mr: true,
};

/** `/api/v1/versions`, `/api/v1/authors` and `/api/v1/features`: what this program is. */
export function addAboutRoutes(app: Hono, view: ServerView): void {
  const [major = 0, minor = 0, revision = 0] = view.version.split(".").map((part) =>
    Number.parseInt(part, 10)
  );
  const version = { major, minor, revision, version: view.version };
  resource(app, "/api/v1/versions", { GET: (c) => c.json(envelope(view, { data: version })) });
  resource(app, "/api/v1/authors", {
    GET: (c) => c.json(envelope(view, { data: { license: "MIT", contributors: "The Headwater authors" } })),
  });
  resource(app, "/api/v1/features", {
    GET: (c) =>
      c.json(
        envelope(view, { data: { options: "", options2: "", build: "", build2: "", features: FEATURES } }),
      ),
  });
}
