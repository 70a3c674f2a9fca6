import assert from "node:assert/strict";
import { matchMount, mountedPath } from "../../lib/http/flv/mount.ts";

const DEFAULT_VHOST = "__defaultVhost__";
const DEFAULT_MOUNT = "[vhost]/[app]/[stream].flv";

const CASES: {
  name: string;
  mount: string;
  vhost?: string;
  host?: string;
  path: string;
  /** Those that the path may name, the likeliest first. */
  found: { app: string; stream: string }[];
}[] = [
  { name: "the default", mount: DEFAULT_MOUNT, path: "/live/a.flv", found: [{ app: "live", stream: "a" }] },
  { name: "nested apps", mount: DEFAULT_MOUNT, path: "/a/b/c/s.flv", found: [{ app: "a/b/c", stream: "s" }] },
  { name: "dots", mount: DEFAULT_MOUNT, path: "/live/a.b.flv", found: [{ app: "live", stream: "a.b" }] },
  {
    name: "no app",
    mount: DEFAULT_MOUNT,
    path: "/a.flv",
    found: [{ app: "__defaultApp__", stream: "a" }],
  },
  {
    name: "no app where a folder stands before",
    mount: "[vhost]/flv/[app]/[stream].flv",
    path: "/flv/a.flv",
    found: [{ app: "__defaultApp__", stream: "a" }],
  },
  { name: "no stream", mount: DEFAULT_MOUNT, path: "/live/.flv", found: [] },
  { name: "an empty segment", mount: DEFAULT_MOUNT, path: "/live//a.flv", found: [] },
  { name: "another extension", mount: DEFAULT_MOUNT, path: "/live/a.ts", found: [] },
  {
    name: "encoded",
    mount: DEFAULT_MOUNT,
    path: "/live/%C3%A4.flv",
    found: [{ app: "live", stream: "ä" }, { app: "live", stream: "%C3%A4" }],
  },
  {
    name: "an encoded number sign",
    mount: DEFAULT_MOUNT,
    path: "/live/room%231.flv",
    found: [{ app: "live", stream: "room#1" }, { app: "live", stream: "room%231" }],
  },
  {
    name: "an encoded space: what encoders publish is as likely encoded",
    mount: DEFAULT_MOUNT,
    path: "/live/my%20cam.flv",
    found: [{ app: "live", stream: "my%20cam" }, { app: "live", stream: "my cam" }],
  },
  {
    name: "encoded twice",
    mount: DEFAULT_MOUNT,
    path: "/live/my%2520cam.flv",
    found: [{ app: "live", stream: "my%20cam" }, { app: "live", stream: "my%2520cam" }],
  },
  {
    name: "an encoded slash: no other segment",
    mount: DEFAULT_MOUNT,
    path: "/live/a%2Fb.flv",
    found: [{ app: "live", stream: "a%2Fb" }],
  },
  {
    name: "an encoded question mark: no parameter",
    mount: DEFAULT_MOUNT,
    path: "/live/a%3Fb.flv",
    found: [{ app: "live", stream: "a%3Fb" }],
  },
  {
    name: "a percent sign that encodes nothing",
    mount: DEFAULT_MOUNT,
    path: "/live/8%XjU.flv",
    found: [{ app: "live", stream: "8%XjU" }],
  },
  {
    name: "wrongly encoded",
    mount: DEFAULT_MOUNT,
    path: "/live/%E0.flv",
    found: [{ app: "live", stream: "%E0" }],
  },
  {
    name: "slashes at the end",
    mount: DEFAULT_MOUNT,
    path: "/live/a.flv//",
    found: [{ app: "live", stream: "a" }],
  },
  {
    name: "more than any name makes",
    mount: DEFAULT_MOUNT,
    path: `/live/${"a".repeat(4096)}.flv`,
    found: [],
  },
  {
    name: "a folder before",
    mount: "[vhost]/flv/[app]/[stream].flv",
    path: "/flv/live/a.flv",
    found: [{ app: "live", stream: "a" }],
  },
  {
    name: "a folder that is not there",
    mount: "[vhost]/flv/[app]/[stream].flv",
    path: "/live/a.flv",
    found: [],
  },
  {
    name: "special characters",
    mount: "/x+(y)/[app]/[stream].live.flv",
    path: "/x+(y)/live/a.live.flv",
    found: [{ app: "live", stream: "a" }],
  },
  {
    name: "the vhost in the path",
    mount: "/[vhost]/[app]/[stream].flv",
    vhost: "a.example",
    path: "/a.example/live/a.flv",
    found: [{ app: "live", stream: "a" }],
  },
  {
    name: "the default vhost in the path",
    mount: "/[vhost]/[app]/[stream].flv",
    path: "/live/a.flv",
    found: [{ app: "live", stream: "a" }],
  },
  {
    name: "a host of its own",
    mount: "flv.example/[app]/[stream].flv",
    host: "flv.example",
    path: "/live/a.flv",
    found: [{ app: "live", stream: "a" }],
  },
  {
    name: "another host",
    mount: "flv.example/[app]/[stream].flv",
    host: "b.example",
    path: "/live/a.flv",
    found: [],
  },
];

for (const { name, mount, vhost = DEFAULT_VHOST, host = "localhost:8080", path, found } of CASES) {
  Deno.test(`mount: ${name}`, () => assert.deepEqual(matchMount(mount, vhost, host, path), found));
}

for (const stream of ["a", "a.b", "room#1", "my%20cam", "ä ö", "8%XjU", "%E0"]) {
  Deno.test(`mount: the path of '${stream}' leads to it`, () => {
    for (const mount of [DEFAULT_MOUNT, "[vhost]/flv/[app]/[stream].live.flv"]) {
      const names = { app: "live/a", stream };
      const found = matchMount(mount, DEFAULT_VHOST, "h", mountedPath(mount, DEFAULT_VHOST, names));
      assert.ok(found.some(({ app, stream }) => app === names.app && stream === names.stream), `${found}`);
    }
  });
}
