import { DEFAULT_APP, DEFAULT_VHOST } from "../../base/stream_address.ts";
import { type NamesInPath, namesInPath } from "../../base/stream_names.ts";

/** Longest path that is looked at, in characters: no name that may be used makes a longer one. */
const MAX_PATH_LENGTH = 4096;

/**
 * The streams that a path may name, the likeliest first, by a mount such as `[vhost]/[app]/[stream].flv`; none when it names none. What stands before the
 * first slash is the host, as in SRS: `[vhost]` there takes every host that leads to the vhost. Where the mount's app is missing, the
 * stream is one without an app, as in `rtmp://host/stream`. Slashes at the end don't count.
 *
 * @param vhost The vhost that the request leads to.
 * @param host The host that the request names.
 * @param path Percent-encoded, as in the URL.
 */
export function matchMount(
  mount: string,
  vhost: string,
  host: string,
  path: string,
): NamesInPath[] {
  if (path.length > MAX_PATH_LENGTH) return [];
  const slash = mount.indexOf("/");
  const mountedHost = mount.slice(0, slash);
  if (mountedHost !== "" && mountedHost !== "[vhost]" && mountedHost !== host) return [];
  const template = mount.slice(slash).replaceAll("[vhost]", vhostInPath(vhost));
  const names = match(template, path) ?? match(template.replaceAll("[app]", ""), path);
  return names === undefined ? [] : namesInPath(names);
}

/** The path of a stream by a mount, percent-encoded. */
export function mountedPath(mount: string, vhost: string, { app, stream }: NamesInPath): string {
  // Half a letter, which no URL can have, becomes the one that stands for what can't be read.
  const encoded = (name: string) => name.toWellFormed().split("/").map(encodeURIComponent).join("/");
  return mount.slice(mount.indexOf("/"))
    .replaceAll(
      /\[(vhost|app|stream)\]/g,
      (_, part) => encoded(part === "app" ? app : part === "stream" ? stream : vhostInPath(vhost)),
    )
    .replaceAll(/\/{2,}/g, "/");
}

function match(template: string, path: string): NamesInPath | undefined {
  const seen = new Set<string>();
  const source = template.replaceAll(/\/{2,}/g, "/")
    .split(/(\[app\]|\[stream\])/)
    .map((part) => {
      const name = part === "[app]" ? "app" : part === "[stream]" ? "stream" : undefined;
      if (name === undefined) return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
      if (seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return name === "app" ? "(?<app>[^/]+(?:/[^/]+)*)" : "(?<stream>[^/]+)";
    });
  const groups = new RegExp(`^${source.join("")}$`).exec(withoutEndSlashes(path))?.groups;
  const stream = groups?.["stream"];
  return stream === undefined ? undefined : { app: groups?.["app"] ?? DEFAULT_APP, stream };
}

/** No regular expression: one for the end of a text looks at each slash in it to the end of its row. */
function withoutEndSlashes(path: string): string {
  let end = path.length;
  while (end > 1 && path[end - 1] === "/") end--;
  return path.slice(0, end);
}

/** The default vhost has no name that a URL could show. */
function vhostInPath(vhost: string): string {
  return vhost === DEFAULT_VHOST ? "" : vhost;
}
