import { RtmpError } from "../../lib/base/errors.ts";
import { parameterOf, parseStreamAddress } from "../../lib/base/stream_address.ts";
import { matchMount, mountedPath } from "../../lib/http/flv/mount.ts";
import { redactUrl } from "../../lib/http/redact_url.ts";
import { recordingPath } from "../../lib/outputs/recording/recording_path.ts";
import { redirectUrls } from "../../lib/routing/redirect.ts";
import { withoutVhost } from "../../lib/routing/upstream_identity.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill, refusedOr } from "./inputs.ts";

/** What can stand in a URL so often that somebody might look for it again and again. */
const REPEATED: readonly (readonly [string, string])[] = [
  ["of slashes", "/"],
  ["of one letter", "a"],
  ["of short segments", "/a"],
  ["of ampersands", "&"],
  ["of question marks", "?"],
  ["of question marks and ampersands", "?&"],
  ["of hash signs", "#"],
  ["of short parameters", "&a=b"],
  ["of empty parameters", "&="],
  ["of vhosts", "&vhost="],
  ["of SRS's old vhost separators", "...vhost..."],
  ["of endings", ".flv"],
  ["of spaces", " "],
  ["of line ends", "\r\n"],
  ["of control characters", "\x01"],
  ["of percent signs", "%"],
  ["of encoded letters", "%41"],
  ["of colons", ":"],
  ["of at signs", "@"],
  ["of brackets", "["],
  ["of instances", "_definst_/"],
  ["of letters of three bytes", "水"],
  ["of half letters", "\ud800"],
];

function entrance(name: string, size: number, handle: (text: string) => unknown): Entrance {
  const kinds = REPEATED.map(([kind, unit]) => [kind, (size: number) => {
    const text = fill(unit, size);
    return () => refusedOr(RtmpError, () => handle(text));
  }]);
  return { name, size, kinds: Object.fromEntries(kinds) };
}

const MOUNT = "[vhost]/[app]/[stream].flv";
/** What is refused for its length is looked at here all the same; what AMF can carry as one string is eight times as long. */
const LONG = 8192;
/** And this is what our limits let through, about. */
const SHORT = 512;

testGrowth([
  entrance("tcUrl", LONG, (text) => parseStreamAddress(`rtmp://h/${text}`, "a", 1 << 20)),
  entrance("tcUrl within our limits", SHORT, (text) => parseStreamAddress(`rtmp://h/${text}`, "a")),
  entrance("tcUrl without a scheme", LONG, (text) => parseStreamAddress(text, "a")),
  entrance("tcUrl's host", LONG, (text) => parseStreamAddress(`rtmp://${text}`, "a")),
  entrance("stream name", LONG, (text) => parseStreamAddress("rtmp://h/live", `${text}x`, 1 << 20)),
  entrance("parameters", LONG, (text) => parseStreamAddress("rtmp://h/live", `s?a${text}b`, 1 << 20)),
  entrance(
    "parameters within our limits",
    SHORT,
    (text) => parseStreamAddress("rtmp://h/live", `s?a${text}b`),
  ),
  entrance("one parameter", LONG, (text) => parameterOf(`?${text}x`, "vhost")),
  entrance("parameters without the vhost", LONG, (text) => withoutVhost(`?a${text}b`)),
  entrance("URL to be shown", LONG, (text) => redactUrl(`rtmp://h/live${text}x`)),
  entrance("URL to be shown, of no scheme", LONG, redactUrl),
  entrance("FLV path", 2048, (text) => matchMount(MOUNT, "__defaultVhost__", "h", `/${text}/x.flv`)),
  entrance("FLV path of no stream", 2048, (text) => matchMount(MOUNT, "v", "h", `/${text}x`)),
  entrance("FLV path to be shown", SHORT, (text) => {
    return mountedPath(MOUNT, "v", { app: text.toWellFormed(), stream: "s" });
  }),
  entrance("name of a recording", LONG, (text) => {
    const values = { vhost: text, app: text, stream: text, wallMs: 0, isUtc: true };
    return recordingPath("/rec/[vhost]/[app]/[stream].flv", values);
  }),
  entrance("redirect", SHORT, (text) => {
    return redirectUrls({
      ip: "10.0.0.1",
      port: 1935,
      vhost: "v",
      app: text,
      stream: text,
      parameters: `?${text}`,
      host: text,
    });
  }),
]);
