/** Parameters that name a vhost; what else stands in a query may be a token. */
const PUBLIC_PARAMETERS = new Set(["vhost", "domain"]);

/**
 * A URL that may be shown: without its name and password, its fragment, and its parameters, except those that name the vhost.
 *
 * @param url Any text; what is no URL is treated as a path.
 */
export function redactUrl(url: string): string {
  const withoutLogin = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, "$1");
  const queryAt = withoutLogin.search(/[?#]/);
  if (queryAt < 0) return withoutLogin;
  const kept = withoutLogin.slice(queryAt + 1).split(/[&;,?#]+/).filter(isPublic);
  return withoutLogin.slice(0, queryAt) + (kept.length === 0 ? "" : `?${kept.join("&")}`);
}

function isPublic(pair: string): boolean {
  const equals = pair.indexOf("=");
  // After a slash comes a stream's name (`rtmp://host/app?vhost=a/stream`), which has no place in a tcUrl that is shown.
  return equals > 0 && PUBLIC_PARAMETERS.has(pair.slice(0, equals)) && !pair.includes("/");
}
