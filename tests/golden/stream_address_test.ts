import assert from "node:assert/strict";
import { RtmpError } from "../../lib/base/errors.ts";
import {
  connectUrl,
  parameterOf,
  parseStreamAddress,
  type StreamAddress,
  streamKey,
} from "../../lib/base/stream_address.ts";
import { hostAndPort } from "../../lib/base/host_port.ts";

interface Case {
  readonly tcUrl: string;
  readonly stream: string;
  readonly is: Partial<StreamAddress>;
}

/** Rows of FACTS C.1; where SRS's way is a fault, ours. */
const cases: Case[] = [
  {
    tcUrl: "rtmp://1.2.3.4/live",
    stream: "s",
    is: {
      scheme: "rtmp",
      host: "1.2.3.4",
      port: 1935,
      vhost: "1.2.3.4",
      app: "live",
      stream: "s",
      parameters: "",
    },
  },
  {
    tcUrl: "rtmp://1.2.3.4/live?vhost=v.com",
    stream: "s",
    is: { host: "1.2.3.4", vhost: "v.com", app: "live", stream: "s", parameters: "?vhost=v.com" },
  },
  {
    tcUrl: "rtmp://1.2.3.4/live...vhost...v.com",
    stream: "s",
    is: { host: "1.2.3.4", vhost: "v.com", app: "live", stream: "s", parameters: "?vhost=v.com" },
  },
  {
    tcUrl: "rtmp://d.com/live",
    stream: "s...vhost...v.com",
    is: { vhost: "v.com", stream: "s", parameters: "?vhost=v.com" },
  },
  {
    tcUrl: "rtmp://d.com/live",
    stream: "s?token=x",
    is: { vhost: "d.com", app: "live", stream: "s", parameters: "?token=x" },
  },
  {
    tcUrl: "rtmp://d.com/live?token=x",
    stream: "s",
    is: { app: "live", stream: "s", parameters: "?token=x" },
  },
  { tcUrl: "rtmp://d.com/a/b", stream: "s", is: { app: "a/b", stream: "s", parameters: "" } },
  { tcUrl: "rtmp://d.com/live/_definst_", stream: "s", is: { app: "live", stream: "s" } },
  { tcUrl: "rtmp://d.com/_definst_/live", stream: "_definst_/s", is: { app: "live", stream: "s" } },
  // SRS joins the two queries with a second question mark.
  {
    tcUrl: "rtmp://d.com/live?k=v",
    stream: "s?a=b",
    is: { app: "live", stream: "s", parameters: "?a=b&k=v" },
  },
  // SRS takes the slash in a parameter for one of the path.
  {
    tcUrl: "rtmp://d.com/live",
    stream: "s?u=x/y",
    is: { app: "live", stream: "s", parameters: "?u=x/y" },
  },
  { tcUrl: "rtmp://d.com/live?u=x/y", stream: "s", is: { app: "live", stream: "s", parameters: "?u=x/y" } },
  // The app of several segments, split anywhere: FFmpeg takes two levels as the app.
  { tcUrl: "rtmp://d.com/a/b", stream: "c/d", is: { app: "a/b/c", stream: "d" } },
  { tcUrl: "rtmp://d.com/a", stream: "b/c/d", is: { app: "a/b/c", stream: "d" } },
  { tcUrl: "rtmp://d.com/a/b/c/", stream: "/d/", is: { app: "a/b/c", stream: "d" } },
  { tcUrl: "rtmp://d.com//live//", stream: "s", is: { app: "live", stream: "s" } },
  // Only .flv is an extension: two rooms are two streams.
  { tcUrl: "rtmp://d.com/live", stream: "room.1", is: { stream: "room.1" } },
  { tcUrl: "rtmp://d.com/live", stream: "s.flv", is: { stream: "s" } },
  { tcUrl: "rtmp://d.com/live", stream: "s.flv?token=x", is: { stream: "s", parameters: "?token=x" } },
  { tcUrl: "rtmp://d.com/live", stream: ".flv", is: { stream: ".flv" } },
  { tcUrl: "rtmp://d.com/live.flv", stream: "s", is: { app: "live.flv", stream: "s" } },
  // Without an app.
  { tcUrl: "rtmp://d.com", stream: "s", is: { app: "__defaultApp__", stream: "s" } },
  { tcUrl: "rtmp://d.com/", stream: "s", is: { app: "__defaultApp__", stream: "s" } },
  {
    tcUrl: "rtmp://d.com/?vhost=v.com",
    stream: "s",
    is: { app: "__defaultApp__", vhost: "v.com", stream: "s" },
  },
  // Without a name: all is the app, as at connect; a name of parameters alone means the app's last segment.
  { tcUrl: "rtmp://d.com/a/b", stream: "", is: { app: "a/b", stream: "" } },
  { tcUrl: "rtmp://d.com/a/b", stream: "?k=v", is: { app: "a", stream: "b", parameters: "?k=v" } },
  // A path of one segment is a stream without an app, as a path of two is one with an app.
  {
    tcUrl: "rtmp://d.com/a",
    stream: "?k=v",
    is: { app: "__defaultApp__", stream: "a", parameters: "?k=v" },
  },
  {
    tcUrl: "rtmp://d.com/a?k=v",
    stream: "?",
    is: { app: "__defaultApp__", stream: "a", parameters: "?k=v" },
  },
  { tcUrl: "rtmp://d.com/", stream: "?k=v", is: { app: "__defaultApp__", stream: "" } },
  // vhost by parameter, else by host.
  { tcUrl: "rtmp://d.com/live?domain=v.com", stream: "s", is: { vhost: "v.com" } },
  { tcUrl: "rtmp://d.com/live?domain=w.com&vhost=v.com", stream: "s", is: { vhost: "v.com" } },
  { tcUrl: "rtmp://d.com/live?a=1;vhost=v.com", stream: "s", is: { vhost: "v.com" } },
  { tcUrl: "rtmp://d.com/live?a=&vhost=v.com", stream: "s", is: { vhost: "v.com" } },
  { tcUrl: "rtmp://d.com/live?vhost=", stream: "s", is: { vhost: "d.com" } },
  {
    tcUrl: "rtmp://d.com/live?vhost=__defaultVhost__",
    stream: "s",
    is: { vhost: "d.com", parameters: "" },
  },
  {
    tcUrl: "rtmp://d.com/live?vhost=__defaultVhost__&k=v",
    stream: "s",
    is: { vhost: "d.com", parameters: "?vhost=__defaultVhost__&k=v" },
  },
  { tcUrl: "rtmp:///live", stream: "s", is: { host: "", vhost: "__defaultVhost__", app: "live" } },
  // Hosts, ports, schemes.
  { tcUrl: "rtmp://d.com:19350/live", stream: "s", is: { host: "d.com", port: 19350 } },
  { tcUrl: "rtmps://d.com/live", stream: "s", is: { scheme: "rtmps", port: 443 } },
  { tcUrl: "rtmp://d.com:/live", stream: "s", is: { host: "d.com", port: 1935 } },
  { tcUrl: "rtmpt://d.com/live", stream: "s", is: { scheme: "rtmpt", port: 1935 } },
  { tcUrl: "RTMP://d.com/live", stream: "s", is: { scheme: "rtmp", port: 1935 } },
  { tcUrl: "rtmp://[::1]/live", stream: "s", is: { host: "::1", port: 1935, vhost: "::1" } },
  { tcUrl: "rtmp://[fe80::1%25eth0]:1936/live", stream: "s", is: { host: "fe80::1%25eth0", port: 1936 } },
  // White space is dropped, as SRS does.
  { tcUrl: "  rtmp://d.com/li ve\r\n", stream: " s\t ", is: { app: "live", stream: "s" } },
  // A number sign is a character like others; nothing is a fragment.
  { tcUrl: "rtmp://d.com/live", stream: "room#1", is: { app: "live", stream: "room#1", parameters: "" } },
  {
    tcUrl: "rtmp://d.com/a#b",
    stream: "s?k=#&vhost=v.com",
    is: { app: "a#b", parameters: "?k=#&vhost=v.com", vhost: "v.com" },
  },
  // Percent signs too: what is sent is the name.
  { tcUrl: "rtmp://d.com/live", stream: "my%20cam%2F1", is: { app: "live", stream: "my%20cam%2F1" } },
  // Two question marks, as OBS sends for multitrack.
  {
    tcUrl: "rtmp://d.com/live",
    stream: "s?user=a?clientConfigId=b",
    is: { app: "live", stream: "s", parameters: "?user=a?clientConfigId=b" },
  },
  // What is around the parameters is dropped.
  { tcUrl: "rtmp://d.com/live??&", stream: "s?&a=b&&c=d&?\r\n", is: { parameters: "?a=b&&c=d" } },
  // A URL in a parameter, cut at its last slash for the stream's name.
  {
    tcUrl: "rtmp://d.com/live/1?u=1&cover=http:",
    stream: "/1.2.3.4/x.png",
    is: { app: "live", stream: "1", parameters: "?u=1&cover=http://1.2.3.4/x.png" },
  },
  // A login is nobody's host.
  {
    tcUrl: "rtmp://user:pass@word@d.com:1936/live",
    stream: "a@b",
    is: { host: "d.com", port: 1936, vhost: "d.com", app: "live", stream: "a@b" },
  },
  { tcUrl: "rtmp://d.com/直播", stream: "流 1", is: { app: "直播", stream: "流1" } },
];

for (const { tcUrl, stream, is } of cases) {
  Deno.test(`parseStreamAddress reads '${tcUrl.trim()}' with '${stream.trim()}'`, () => {
    const address = parseStreamAddress(tcUrl, stream);
    for (const [name, value] of Object.entries(is)) {
      assert.equal(address[name as keyof StreamAddress], value, name);
    }
  });
}

const badCases: { name: string; tcUrl: string; stream: string; code: string; text: RegExp }[] = [
  { name: "an empty tcUrl", tcUrl: "", stream: "s", code: "bad-tc-url", text: /is not scheme:\/\/host\/app/ },
  { name: "a path", tcUrl: "/live", stream: "s", code: "bad-tc-url", text: /'\/live' is not/ },
  {
    name: "a port that is a word",
    tcUrl: "rtmp://d.com:rtmp/live",
    stream: "s",
    code: "bad-tc-url",
    text: /is not scheme/,
  },
  {
    name: "port 0",
    tcUrl: "rtmp://d.com:0/live",
    stream: "s",
    code: "bad-tc-url",
    text: /port is 0/,
  },
  {
    name: "port 65536",
    tcUrl: "rtmp://d.com:65536/live",
    stream: "s",
    code: "bad-tc-url",
    text: /port is 65536, limit is 65535/,
  },
  {
    name: "a zero byte",
    tcUrl: "rtmp://d.com/live",
    stream: "a\0b",
    code: "bad-stream-name",
    text: /'live\/a\?b': it contains control characters/,
  },
  {
    name: "an escape in the app",
    tcUrl: "rtmp://d.com/li\x1b[2Jve",
    stream: "s",
    code: "bad-stream-name",
    text: /control characters/,
  },
  {
    name: "a delete",
    tcUrl: "rtmp://d.com/live",
    stream: "\x7f",
    code: "bad-stream-name",
    text: /control characters/,
  },
  {
    name: "a control character in the host",
    tcUrl: "rtmp://d\x1b.com/live",
    stream: "s",
    code: "bad-tc-url",
    text: /vhost 'd\?.com': it contains control characters/,
  },
  {
    name: "a control character in the parameter vhost",
    tcUrl: "rtmp://d.com/live?vhost=v\0.com",
    stream: "s",
    code: "bad-tc-url",
    text: /vhost 'v\?.com'/,
  },
  {
    name: "a control character of U+0080 to U+009F",
    tcUrl: "rtmp://d.com/live",
    stream: "a\u009b2J",
    code: "bad-stream-name",
    text: /control characters/,
  },
  {
    name: "a control character in the parameters",
    tcUrl: "rtmp://d.com/live?k=\x1b[2J",
    stream: "s",
    code: "bad-stream-name",
    text: /parameters: they contain control characters/,
  },
  {
    name: "513 bytes",
    tcUrl: "rtmp://d.com/live",
    stream: "x".repeat(508),
    code: "bad-stream-name",
    text: /513 bytes, limit is 512/,
  },
  {
    name: "513 bytes in fewer characters",
    tcUrl: "rtmp://d.com/liv",
    stream: "é".repeat(254) + "x",
    code: "bad-stream-name",
    text: /513 bytes, limit is 512/,
  },
];

for (const { name, tcUrl, stream, code, text } of badCases) {
  Deno.test(`parseStreamAddress refuses ${name}`, () => {
    assert.throws(
      () => parseStreamAddress(tcUrl, stream),
      (error) => error instanceof RtmpError && error.code === code && text.test(error.message),
    );
  });
}

Deno.test("parseStreamAddress takes 512 bytes, and another limit when it is given one", () => {
  assert.equal(parseStreamAddress("rtmp://d.com/live", "x".repeat(507)).stream.length, 507);
  assert.throws(() => parseStreamAddress("rtmp://d.com/live", "abc", 7), /8 bytes, limit is 7/);
  assert.equal(parseStreamAddress("rtmp://d.com/live", "abc", 8).stream, "abc");
});

Deno.test("parseStreamAddress takes 4 KiB of tcUrl and of parameters, and not a byte more", () => {
  const path = "rtmp://d.com/live?";
  const room = 4096 - path.length;
  assert.equal(parseStreamAddress(path + "k".repeat(room), "s").parameters.length, room + 1);
  assert.throws(
    () => parseStreamAddress(path + "k".repeat(room + 1), "s"),
    (error) =>
      error instanceof RtmpError && error.code === "bad-tc-url" &&
      error.message === "Cannot read tcUrl: 4097 bytes, limit is 4096",
  );
  assert.equal(parseStreamAddress("rtmp://d.com/live", "s?" + "é".repeat(2048)).parameters.length, 2049);
  for (
    const [tcUrl, name] of [["", "s?" + "k".repeat(4097)], ["?" + "k".repeat(4000), "s?" + "k".repeat(96)]]
  ) {
    assert.throws(
      () => parseStreamAddress(`rtmp://d.com/live${tcUrl}`, name ?? ""),
      (error) =>
        error instanceof RtmpError && error.code === "bad-stream-name" &&
        error.message === "Cannot use the stream's parameters: 4097 bytes, limit is 4096",
    );
  }
});

Deno.test("parseStreamAddress never repeats a parameter or a login in what it throws", () => {
  for (
    const tcUrl of [
      "nonsense?token=secret",
      "rtmp://user:secret@d.com:rtmp/live",
      "user:secret@d.com/live",
      "rtmp://user:sec/secret@d.com/live",
      "rtmp://user:secret@d.com/\x1b",
      "rtmp://user:secret@\x1bd.com/live",
    ]
  ) {
    assert.throws(
      () => parseStreamAddress(tcUrl, "s"),
      (error) => error instanceof RtmpError && !error.message.includes("secret"),
      tcUrl,
    );
  }
});

const connects: { readonly tcUrl: string; readonly app: string; readonly is: string }[] = [
  // What is a whole URL stays as it is: the tcUrl counts.
  { tcUrl: "rtmp://d.com:1936/live?k=v", app: "other", is: "rtmp://d.com:1936/live?k=v" },
  { tcUrl: "rtmp://d.com/live/", app: "live/", is: "rtmp://d.com/live/" },
  { tcUrl: "rtmps://[::1]/live", app: "live", is: "rtmps://[::1]/live" },
  { tcUrl: "rtmp://d.com", app: "", is: "rtmp://d.com" },
  // The app counts where the tcUrl has none.
  { tcUrl: "rtmp://d.com:1935/", app: "live", is: "rtmp://d.com:1935/live" },
  { tcUrl: "rtmp://d.com", app: "/live/room", is: "rtmp://d.com/live/room" },
  { tcUrl: "rtmp://d.com/?vhost=v.com", app: "live?k=v/w", is: "rtmp://d.com/live?k=v/w&vhost=v.com" },
  { tcUrl: "rtmp://d.com?vhost=v.com", app: "live", is: "rtmp://d.com/live?vhost=v.com" },
  // And where there is none, or only a path.
  { tcUrl: "", app: "live", is: "rtmp:///live" },
  { tcUrl: "", app: "live?token=1", is: "rtmp:///live?token=1" },
  { tcUrl: "/live", app: "live", is: "rtmp:///live" },
  // Without a scheme the host comes first.
  { tcUrl: "127.0.0.1:1935/live", app: "live", is: "rtmp://127.0.0.1:1935/live" },
  { tcUrl: "d.com", app: "live?u=http://x", is: "rtmp://d.com/live?u=http://x" },
  { tcUrl: "d.com/live?u=http://x", app: "live", is: "rtmp://d.com/live?u=http://x" },
  // Nobody learns of a login.
  { tcUrl: "rtmp://user:pa@ss@d.com/live", app: "live", is: "rtmp://d.com/live" },
  { tcUrl: "user:pass@d.com", app: "a@b", is: "rtmp://d.com/a@b" },
  { tcUrl: "rtmp://d.com/live?mail=a@b.com", app: "live", is: "rtmp://d.com/live?mail=a@b.com" },
];

for (const { tcUrl, app, is } of connects) {
  Deno.test(`connectUrl reads tcUrl '${tcUrl}' with app '${app}'`, () => {
    assert.equal(connectUrl(tcUrl, app), is);
  });
}

Deno.test("streamKey leaves the default vhost out", () => {
  assert.equal(streamKey("__defaultVhost__", "live", "s"), "/live/s");
  assert.equal(streamKey("v.com", "a/b", "s"), "v.com/a/b/s");
});

Deno.test("parameterOf reads one parameter, empty ones included", () => {
  assert.equal(parameterOf("?a=&b=1&b=2;c=x=y", "a"), "");
  assert.equal(parameterOf("?a=&b=1&b=2;c=x=y", "b"), "1");
  assert.equal(parameterOf("a=1,c=x=y", "c"), "x=y");
  assert.equal(parameterOf("?a=1", "d"), undefined);
  assert.equal(parameterOf("", "a"), undefined);
});

Deno.test("hostAndPort puts brackets around an IPv6 address", () => {
  assert.equal(hostAndPort("d.com", 1935), "d.com:1935");
  assert.equal(hostAndPort("::1", 80), "[::1]:80");
});
