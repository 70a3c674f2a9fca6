/** What RTMP clients put before the name of a stream of that container; FFmpeg does for names that end in `.mp4` and `.f4v`. */
const CONTAINER_PREFIXES = ["mp4:", "flv:"];

/**
 * The names that an RTMP client may mean by the one that it plays: first the name as sent, then without a container's prefix and without
 * percent-encoding, for a stream that was published so.
 *
 * @param name May have parameters.
 */
export function playedNames(name: string): string[] {
  const queryAt = name.includes("?") ? name.indexOf("?") : name.length;
  const path = name.slice(0, queryAt);
  const prefix = CONTAINER_PREFIXES.find((prefix) => path.startsWith(prefix)) ?? "";
  const names = new Set([path, path.slice(prefix.length)]);
  for (const spelling of [...names]) names.add(withoutPercents(spelling) ?? spelling);
  names.delete("");
  return names.size === 0 ? [name] : [...names].map((spelling) => spelling + name.slice(queryAt));
}

/** An app and a stream as a URL's path names them. */
export interface NamesInPath {
  /** May have several segments. */
  readonly app: string;
  readonly stream: string;
}

/**
 * The names that an HTTP client may mean by those in its path: without percent-encoding, and as they stand there, since many encoders
 * publish them so. Those with a space stand as they are first: no name that was published without percent-encoding has one.
 */
export function namesInPath({ app, stream }: NamesInPath): NamesInPath[] {
  const raw = { app, stream };
  const path = withoutPercents(`${app}/${stream}`);
  if (path === undefined) return [raw];
  const slash = path.lastIndexOf("/");
  const plain = { app: path.slice(0, slash), stream: path.slice(slash + 1) };
  return /\s/.test(path) ? [raw, plain] : [plain, raw];
}

/** A name percent-decoded; undefined when that changes nothing, is no text, or would make other segments or parameters of it. */
function withoutPercents(path: string): string | undefined {
  if (!path.includes("%")) return undefined;
  const segments: string[] = [];
  for (const segment of path.split("/")) {
    try {
      const decoded = decodeURIComponent(segment);
      if (/[/?]/.test(decoded)) return undefined;
      segments.push(decoded);
    } catch {
      return undefined;
    }
  }
  return segments.join("/");
}
