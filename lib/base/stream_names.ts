/** What RTMP clients put before the name of a stream of that container. */
const CONTAINER_PREFIXES = ["mp4:", "flv:"];
/** Names before which FFmpeg and librtmp put `mp4:` by themselves, publishing or playing; others don't. */
const MP4_EXTENSIONS = [".mp4", ".f4v"];

/**
 * The names that an RTMP client may mean by the one that it plays: first the name as sent, then without a container's prefix or with the one
 * that other programs add, and without percent-encoding, for a stream that was published so.
 *
 * @param name May have parameters.
 */
export function playedNames(name: string): string[] {
  const queryAt = name.includes("?") ? name.indexOf("?") : name.length;
  const path = name.slice(0, queryAt);
  const prefix = CONTAINER_PREFIXES.find((prefix) => path.startsWith(prefix)) ?? "";
  const names = new Set([path, prefix === "" ? withMp4Prefix(path) ?? path : path.slice(prefix.length)]);
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
  const prefixed = withMp4Prefix(stream);
  const others = prefixed === undefined ? [] : [{ app, stream: prefixed }];
  const path = withoutPercents(`${app}/${stream}`);
  if (path === undefined) return [raw, ...others];
  const slash = path.lastIndexOf("/");
  const plain = { app: path.slice(0, slash), stream: path.slice(slash + 1) };
  return /\s/.test(path) ? [raw, plain, ...others] : [plain, raw, ...others];
}

function withMp4Prefix(name: string): string | undefined {
  return MP4_EXTENSIONS.some((extension) => name.endsWith(extension)) ? `mp4:${name}` : undefined;
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
