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
  found: { app: string; stream: string } | undefined;
}[] = [
  { name: "the default", mount: DEFAULT_MOUNT, path: "/live/a.flv", found: { app: "live", stream: "a" } },
  { name: "nested apps", mount: DEFAULT_MOUNT, path: "/a/b/c/s.flv", found: { app: "a/b/c", stream: "s" } },
  { name: "dots", mount: DEFAULT_MOUNT, path: "/live/a.b.flv", found: { app: "live", stream: "a.b" } },
  { name: "no app", mount: DEFAULT_MOUNT, path: "/a.flv", found: undefined },
  { name: "no stream", mount: DEFAULT_MOUNT, path: "/live/.flv", found: undefined },
  { name: "an empty segment", mount: DEFAULT_MOUNT, path: "/live//a.flv", found: undefined },
  { name: "another extension", mount: DEFAULT_MOUNT, path: "/live/a.ts", found: undefined },
  { name: "encoded", mount: DEFAULT_MOUNT, path: "/l%20v/%C3%A4.flv", found: { app: "l v", stream: "ä" } },
  { name: "wrongly encoded", mount: DEFAULT_MOUNT, path: "/live/%E0.flv", found: undefined },
  {
    name: "a folder before",
    mount: "[vhost]/flv/[app]/[stream].flv",
    path: "/flv/live/a.flv",
    found: { app: "live", stream: "a" },
  },
  {
    name: "a folder that is not there",
    mount: "[vhost]/flv/[app]/[stream].flv",
    path: "/live/a.flv",
    found: undefined,
  },
  {
    name: "special characters",
    mount: "/x+(y)/[app]/[stream].live.flv",
    path: "/x+(y)/live/a.live.flv",
    found: { app: "live", stream: "a" },
  },
  {
    name: "the vhost in the path",
    mount: "/[vhost]/[app]/[stream].flv",
    vhost: "a.example",
    path: "/a.example/live/a.flv",
    found: { app: "live", stream: "a" },
  },
  {
    name: "the default vhost in the path",
    mount: "/[vhost]/[app]/[stream].flv",
    path: "/live/a.flv",
    found: { app: "live", stream: "a" },
  },
  {
    name: "a host of its own",
    mount: "flv.example/[app]/[stream].flv",
    host: "flv.example",
    path: "/live/a.flv",
    found: { app: "live", stream: "a" },
  },
  {
    name: "another host",
    mount: "flv.example/[app]/[stream].flv",
    host: "b.example",
    path: "/live/a.flv",
    found: undefined,
  },
];

for (const { name, mount, vhost = DEFAULT_VHOST, host = "localhost:8080", path, found } of CASES) {
  Deno.test(`mount: ${name}`, () => {
    assert.deepEqual(matchMount(mount, vhost, host, path), found);
    if (found !== undefined) assert.equal(mountedPath(mount, vhost, found), path);
  });
}
