import { DEFAULT_VHOST } from "../../base/stream_address.ts";

/** A stream as a path names it. */
export interface MountedStream {
  /** May have several segments. */
  readonly app: string;
  readonly stream: string;
}

/**
 * The stream that a path names by a mount such as `[vhost]/[app]/[stream].flv`, or undefined. What stands before the first slash is
 * the host, as in SRS: `[vhost]` there takes every host that leads to the vhost.
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
): MountedStream | undefined {
  const slash = mount.indexOf("/");
  const mountedHost = mount.slice(0, slash);
  if (mountedHost !== "" && mountedHost !== "[vhost]" && mountedHost !== host) return undefined;
  const groups = pathPattern(mount.slice(slash), vhost).exec(path)?.groups;
  const app = decoded(groups?.["app"]);
  const stream = decoded(groups?.["stream"]);
  return app === undefined || stream === undefined ? undefined : { app, stream };
}

/** The path of a stream by a mount, percent-encoded. */
export function mountedPath(mount: string, vhost: string, { app, stream }: MountedStream): string {
  const encoded = (name: string) => name.split("/").map(encodeURIComponent).join("/");
  return mount.slice(mount.indexOf("/"))
    .replaceAll(
      /\[(vhost|app|stream)\]/g,
      (_, part) => encoded(part === "app" ? app : part === "stream" ? stream : vhostInPath(vhost)),
    )
    .replaceAll(/\/{2,}/g, "/");
}

function pathPattern(template: string, vhost: string): RegExp {
  const seen = new Set<string>();
  const source = template.replaceAll("[vhost]", vhostInPath(vhost)).replaceAll(/\/{2,}/g, "/")
    .split(/(\[app\]|\[stream\])/)
    .map((part) => {
      const name = part === "[app]" ? "app" : part === "[stream]" ? "stream" : undefined;
      if (name === undefined) return part.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
      if (seen.has(name)) return `\\k<${name}>`;
      seen.add(name);
      return name === "app" ? "(?<app>[^/]+(?:/[^/]+)*)" : "(?<stream>[^/]+)";
    });
  return new RegExp(`^${source.join("")}$`);
}

/** The default vhost has no name that a URL could show. */
function vhostInPath(vhost: string): string {
  return vhost === DEFAULT_VHOST ? "" : vhost;
}

function decoded(name: string | undefined): string | undefined {
  if (name === undefined) return undefined;
  try {
    const text = decodeURIComponent(name);
    // These would be taken for the beginning of parameters.
    return /[?#]/.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}
