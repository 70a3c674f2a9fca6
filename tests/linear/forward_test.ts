import {
  fitsPatterns,
  parseForwardDestination,
  parseForwardUrl,
  urlOfStream,
} from "../../lib/base/forward_url.ts";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { placeOf } from "../../lib/forward/forward_target.ts";
import { withoutSecrets } from "../../lib/forward/without_secrets.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill, refusedOr } from "./inputs.ts";

const ADDRESS = parseStreamAddress("rtmp://127.0.0.1/live", "cam");

/** Texts of one kind each. */
function texts(name: string, size: number, handle: (text: string) => unknown): Entrance {
  const units = ["a", "/", "*", "?", "&", "=", ":", "[", "[app]", "ab", "%", " "];
  const kinds = units.map((unit) => [`of ${JSON.stringify(unit)}`, (size: number) => {
    const text = fill(unit, size);
    return () => refusedOr(Error, () => handle(text));
  }]);
  return { name, size, kinds: Object.fromEntries(kinds) };
}

testGrowth([
  texts("URL to forward to", 500, (text) => parseForwardUrl(`rtmp://${text}`)),
  texts("path to forward to", 500, (text) => parseForwardUrl(`rtmp://host/${text}`)),
  texts("key to forward with", 500, (text) => {
    const url = parseForwardUrl("rtmp://host/app", text);
    return placeOf({ kind: "url", url, patterns: [] }, "__defaultVhost__", ADDRESS);
  }),
  texts("placeholders", 500, (text) => urlOfStream(parseForwardUrl("rtmp://host/app", text), ADDRESS)),
  texts("destination", 500, (text) => parseForwardDestination(text)),
  texts(
    "stream's name that patterns are held against",
    4096,
    (stream) => fitsPatterns(["live/*a*b*c", "*/*/*/*", "*ab*ab*ac"], { vhost: "", app: "live", stream }),
  ),
  texts(
    "pattern of streams",
    4096,
    (pattern) => fitsPatterns([pattern], { vhost: "", app: "live", stream: fill("a", 500) }),
  ),
  texts(
    "refusal of another server",
    4096,
    (text) => withoutSecrets(text, ["aaaa", "abab", "a=b&c=d", "????"]),
  ),
]);
