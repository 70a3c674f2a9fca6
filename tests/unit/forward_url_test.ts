import assert from "node:assert/strict";
import {
  fitsPatterns,
  forwardTcUrl,
  parseForwardDestination,
  parseForwardUrl,
  urlOfStream,
} from "../../lib/base/forward_url.ts";
import { placeOf } from "../../lib/forward/forward_target.ts";
import { withoutSecrets } from "../../lib/forward/without_secrets.ts";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";

for (
  const [text, key, host, port, app, stream] of [
    ["rtmp://127.0.0.1:19350/test/teststream", undefined, "127.0.0.1", 19_350, "test", "teststream"],
    ["rtmps://a.rtmps.youtube.com:443/live2", "aaaa-bbbb", "a.rtmps.youtube.com", 443, "live2", "aaaa-bbbb"],
    [
      "rtmps://b.rtmps.youtube.com/live2?backup=1",
      "aaaa",
      "b.rtmps.youtube.com",
      443,
      "live2?backup=1",
      "aaaa",
    ],
    ["rtmps://live.example.com/app/", "live_1", "live.example.com", 443, "app", "live_1"],
    [
      "rtmps://live-api-s.facebook.com:443/rtmp/FB-1?s_bl=1&s_sw=0&s_vt=api-s&a=Ab/cd==",
      undefined,
      "live-api-s.facebook.com",
      443,
      "rtmp",
      "FB-1?s_bl=1&s_sw=0&s_vt=api-s&a=Ab/cd==",
    ],
    ["RTMP://Host/live/room/cam", undefined, "Host", 1935, "live/room", "cam"],
    ["rtmp://[::1]:1936/live/cam", undefined, "::1", 1936, "live", "cam"],
    ["rtmp://host/live", undefined, "host", 1935, "live", ""],
    ["rtmp://host", undefined, "host", 1935, "", ""],
  ] as const
) {
  Deno.test(`forwards to ${text} ${key ?? ""}`, () => {
    const { scheme, ...rest } = parseForwardUrl(text, key);
    assert.equal(scheme, text.slice(0, text.indexOf(":")).toLowerCase());
    assert.deepEqual(rest, { host, port, app, stream });
  });
}

for (
  const text of [
    "",
    "http://host/live/a",
    "rtmp:///live/a",
    "rtmp://host:0/live/a",
    "rtmp://host:99999/live/a",
    "rtmp://user:secret@host/live/a",
    "rtmp://ho st/live/a",
    "rtmp://host/live/a\nb",
    `rtmp://host/live/${"a".repeat(5000)}`,
  ]
) {
  Deno.test(`forwards not to ${JSON.stringify(text.slice(0, 40))}, and says so without what may be a key`, () => {
    assert.throws(() => parseForwardUrl(text), (error: Error) => {
      assert.ok(error instanceof RangeError);
      return !error.message.includes("secret") && error.message.length < 120;
    });
  });
}

Deno.test("what is forwarded gets the publisher's names where the URL has none, and placeholders", () => {
  const names = { vhost: "a.example", app: "live", stream: "cam" };
  const filled = (url: string, key?: string) => {
    const { app, stream } = urlOfStream(parseForwardUrl(url, key), names);
    return `${app}/${stream}`;
  };
  assert.equal(filled("rtmp://host"), "live/cam");
  assert.equal(filled("rtmp://host/backup"), "backup/cam");
  assert.equal(filled("rtmp://host/backup", ""), "backup/cam");
  assert.equal(filled("rtmp://host/[vhost]/[app]/[stream]_copy"), "a.example/live/cam_copy");
  assert.equal(filled("rtmp://host/[app]", "key?name=[stream]"), "live/key?name=cam");
  assert.equal(forwardTcUrl(parseForwardUrl("rtmps://[::1]/live", "k")), "rtmps://[::1]:443/live");
});

for (
  const [pattern, fits, others] of [
    ["live/cam", ["live/cam"], ["live/cam2", "a/live/cam", "live/ca"]],
    ["live/*", ["live/cam", "live/", "live/room/cam"], ["lives/cam", "live"]],
    ["*/cam", ["live/cam", "a/b/cam"], ["live/cam2"]],
    ["live/*-hd", ["live/cam-hd", "live/-hd"], ["live/cam-hd2", "live/hd"]],
    ["*a*b*", ["xaxbx", "ab", "aab"], ["ba", "a", ""]],
    ["a*a", ["a/a", "aa"], ["a"]],
    ["*", ["live/cam", ""], []],
  ] as const
) {
  Deno.test(`the pattern ${pattern}`, () => {
    const fitsOne = (name: string) => {
      const at = name.lastIndexOf("/");
      const names = at < 0 ? undefined : { vhost: "", app: name.slice(0, at), stream: name.slice(at + 1) };
      return names === undefined
        ? fitsPatterns([`x/${pattern}`], { vhost: "", app: "x", stream: name })
        : fitsPatterns([pattern], names);
    };
    for (const name of fits) assert.ok(fitsOne(name), name);
    for (const name of others) assert.ok(!fitsOne(name), name);
  });
}

Deno.test("a media server gets a stream under its own names, a platform no more than its key", () => {
  const address = parseStreamAddress("rtmp://127.0.0.1/live", "cam?token=publishers-own");
  const server = placeOf(
    { ...parseForwardDestination("10.0.0.1:1936"), patterns: [] },
    "__defaultVhost__",
    address,
  );
  assert.deepEqual(
    [server.tcUrl, server.app, server.streamName, server.shownUrl, server.manner],
    ["rtmp://10.0.0.1:1936/live", "live", "cam?token=publishers-own", "rtmp://10.0.0.1:1936/live/cam", "srs"],
  );
  const vhost = placeOf({ ...parseForwardDestination("10.0.0.1"), patterns: [] }, "a.example", address);
  assert.equal(vhost.tcUrl, "rtmp://a.example/live");
  const tls = placeOf(
    { ...parseForwardDestination("10.0.0.1", true), patterns: [] },
    "__defaultVhost__",
    address,
  );
  assert.deepEqual([tls.address.port, tls.tcUrl], [443, "rtmps://10.0.0.1/live"]);
  const url = parseForwardUrl("rtmps://live-api-s.facebook.com:443/rtmp/", "FB-1?s_bl=1&a=Ab/cd");
  const platform = placeOf({ name: "facebook", kind: "url", url, patterns: [] }, "__defaultVhost__", address);
  assert.deepEqual(
    [platform.name, platform.tcUrl, platform.app, platform.streamName, platform.shownUrl, platform.manner],
    [
      "facebook",
      "rtmps://live-api-s.facebook.com:443/rtmp",
      "rtmp",
      "FB-1?s_bl=1&a=Ab/cd",
      "rtmps://live-api-s.facebook.com:443/rtmp/***",
      "encoder",
    ],
  );
  assert.ok(platform.secrets.includes("FB-1?s_bl=1&a=Ab/cd") && platform.secrets.includes("FB-1"));
});

Deno.test("what another server says is shown without secrets, on one line, and not to its end", () => {
  const secrets = ["FB-1?a=secret", "FB-1", "?a=secret", "secret"];
  assert.equal(withoutSecrets("no FB-1?a=secret, no FB-1\nsecret", secrets), "no ***, no ***\\n***");
  const long = withoutSecrets(`${"x".repeat(4090)}secret`, secrets);
  assert.equal(long.length, 303);
  assert.ok(!withoutSecrets("secret".repeat(2000), secrets).includes("se"));
});
