// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of the rest of the API
import { splitStreamKey } from "../../lib/base/stream_address.ts";
import assert from "node:assert/strict";
import { hostOf, parseCoworkerAddress } from "../../lib/base/host_port.ts";
import { parseNodeState } from "../../lib/cluster/node_state.ts";
import { OwnedStreams } from "../../lib/cluster/owned_streams.ts";
import { decideRedirect, mayMove, reconnectTcUrl, redirectUrls } from "../../lib/routing/redirect.ts";
import { SignatureVerifier, signRequest } from "../../lib/cluster/request_signature.ts";
import { readStreamAnswer, streamQueryPath } from "../../lib/cluster/stream_query.ts";
import { Amf0Object } from "../../lib/wire/amf0.ts";
import type { ConnectInfo } from "../../lib/wire/commands.ts";

// The first is what SRS sends, byte for byte: POST, without a body.
for (
  const { name, value, path } of [
    {
      name: "SRS's",
      value: { vhost: "__defaultVhost__", host: "127.0.0.1", app: "live", stream: "livestream" },
      path:
        "/api/v1/clusters?vhost=__defaultVhost__&ip=127.0.0.1&app=live&stream=livestream&coworker=127.0.0.1:9091",
    },
    {
      name: "a nested app",
      value: { vhost: "v.com", host: "cdn.example", app: "a/b", stream: "s" },
      path: "/api/v1/clusters?vhost=v.com&ip=cdn.example&app=a/b&stream=s&coworker=127.0.0.1:9091",
    },
    {
      name: "names that would break a query",
      value: { vhost: "v", host: "::1", app: "a b", stream: "x&y=1+2#%é?" },
      path:
        "/api/v1/clusters?vhost=v&ip=::1&app=a%20b&stream=x%26y%3D1%2B2%23%25%C3%A9%3F&coworker=127.0.0.1:9091",
    },
  ]
) {
  Deno.test(`the question for a stream: ${name}`, () => {
    assert.equal(streamQueryPath(value, "127.0.0.1:9091"), path);
  });
}

const SRS_QUERY = '"query":{"ip":"127.0.0.1","vhost":"__defaultVhost__","app":"live","stream":"livestream"}';
const ORIGIN = (fields: string) => `{"code":0,"data":{${SRS_QUERY},"origin":{${fields}}}}`;
for (
  const [name, text, value] of [
    [
      "SRS's owner",
      ORIGIN(
        '"ip":"127.0.0.1","port":19350,"vhost":"__defaultVhost__","api":"127.0.0.1:9090","routers":["127.0.0.1:9090"]',
      ),
      { ip: "127.0.0.1", port: 19_350, vhost: "__defaultVhost__" },
    ],
    ["SRS's no", `{"code":0,"data":{${SRS_QUERY},"origin":null}}`, null],
    ["only what SRS reads", '{"code":0,"data":{"origin":{"ip":"a.example","port":1935}}}', {
      ip: "a.example",
      port: 1935,
      vhost: "",
    }],
    ["an IPv6 address", ORIGIN('"ip":"[fd00::2]","port":1935'), { ip: "fd00::2", port: 1935, vhost: "" }],
    ["another code", '{"code":1,"data":{"origin":{"ip":"a","port":1935}}}', undefined],
    ["a code that is text", '{"code":"0","data":{"origin":{"ip":"a","port":1935}}}', undefined],
    ["no data (ossrs/srs #2958)", '{"code":0,"origin":{"ip":"a","port":1935}}', undefined],
    ["a hook's answer", "0", undefined],
    ["no JSON", "<html>", undefined],
    ["nothing", "", undefined],
    ["a port that is text", ORIGIN('"ip":"a","port":"1935"'), undefined],
    ["port 0", ORIGIN('"ip":"a","port":0'), undefined],
    ["no ip", ORIGIN('"ip":"","port":1935'), undefined],
    ["an ip that is a URL", ORIGIN('"ip":"a/b?c","port":1935'), undefined],
  ] as const
) {
  Deno.test(`the answer for a stream: ${name}`, () => {
    assert.deepEqual(readStreamAnswer(text), value);
  });
}

const TARGET = {
  ip: "10.0.0.2",
  port: 19_350,
  vhost: "__defaultVhost__",
  app: "live",
  stream: "livestream",
  parameters: "",
  host: "10.0.0.1",
};
for (
  const [name, change, url, tcUrl] of [
    ["an address dialled", {}, "rtmp://10.0.0.2:19350/live/livestream", "rtmp://10.0.0.2:19350/live"],
    [
      "a token",
      { parameters: "?token=x" },
      "rtmp://10.0.0.2:19350/live/livestream?token=x",
      "rtmp://10.0.0.2:19350/live",
    ],
    [
      "a name dialled on the default vhost",
      { host: "cdn.example" },
      "rtmp://10.0.0.2:19350/live/livestream?vhost=cdn.example",
      "rtmp://10.0.0.2:19350/live",
    ],
    [
      "a named vhost",
      { vhost: "v", host: "cdn.example" },
      "rtmp://10.0.0.2:19350/live/livestream?vhost=v",
      "rtmp://10.0.0.2:19350/live",
    ],
    [
      "a token and a named vhost",
      { vhost: "v", parameters: "?token=x" },
      "rtmp://10.0.0.2:19350/live/livestream?token=x&vhost=v",
      "rtmp://10.0.0.2:19350/live",
    ],
    [
      "a vhost among the parameters",
      { vhost: "v", parameters: "?vhost=w&token=x" },
      "rtmp://10.0.0.2:19350/live/livestream?vhost=w&token=x",
      "rtmp://10.0.0.2:19350/live",
    ],
    [
      "a nested app",
      { app: "a/b/c" },
      "rtmp://10.0.0.2:19350/a/b/c/livestream",
      "rtmp://10.0.0.2:19350/a/b/c",
    ],
    ["port 1935", { port: 1935 }, "rtmp://10.0.0.2:1935/live/livestream", "rtmp://10.0.0.2:1935/live"],
    [
      "a slash in a parameter",
      { parameters: "?u=a/b" },
      "rtmp://10.0.0.2:19350/live/livestream?u=a/b",
      "rtmp://10.0.0.2:19350/live",
    ],
    [
      "IPv6",
      { ip: "fd00::2", host: "fd00::1" },
      "rtmp://[fd00::2]:19350/live/livestream",
      "rtmp://[fd00::2]:19350/live",
    ],
  ] as const
) {
  Deno.test(`the URLs of a redirect: ${name}`, () => {
    assert.deepEqual(redirectUrls({ ...TARGET, ...change }), { url, tcUrl });
  });
}

const FFMPEG: ConnectInfo = {
  tcUrl: "rtmp://a/live",
  app: "live",
  flashVersion: "LNX 9,0,124,2",
  pageUrl: "",
  swfUrl: "",
  objectEncoding: 0,
  capsEx: 0,
  isEnhanced: false,
  argumentsObject: undefined,
  challenge: new Uint8Array(0),
};
const SRS_EDGE: ConnectInfo = {
  ...FFMPEG,
  flashVersion: "WIN 15,0,0,239",
  argumentsObject: Amf0Object.from({ srs_sig: "SRS", srs_version: "5.0.213", srs_pid: 7, srs_id: "abc" }),
};
for (
  const [name, connect, auto] of [
    ["ffmpeg", FFMPEG, "relay"],
    ["an SRS edge", SRS_EDGE, "302"],
    ["a Headwater node", { ...FFMPEG, argumentsObject: Amf0Object.from({ headwater_node: "x" }) }, "302"],
    ["a player that can reconnect", { ...FFMPEG, isEnhanced: true, capsEx: 0b1001 }, "reconnect"],
    ["an enhanced player that can't", { ...FFMPEG, isEnhanced: true, capsEx: 0b1110 }, "relay"],
    [
      "a player with arguments of its own",
      { ...FFMPEG, argumentsObject: Amf0Object.from({ token: "x" }) },
      "relay",
    ],
    ["a node that came by TLS", { ...SRS_EDGE, tcUrl: "rtmps://a/live" }, "relay"],
    ["HTTP-FLV", undefined, "relay"],
  ] as const
) {
  Deno.test(`how to send ${name} to the owner`, () => {
    assert.equal(decideRedirect("auto", connect), auto);
    assert.equal(decideRedirect("relay", connect), "relay");
    assert.equal(decideRedirect("302", connect), connect === undefined ? "relay" : "302");
  });
}

Deno.test("publishers are asked to go on at another node when they can, and did not come by TLS", () => {
  const node = { ...FFMPEG, argumentsObject: Amf0Object.from({ headwater_node: "x" }) };
  const follower = { ...FFMPEG, isEnhanced: true, capsEx: 0b0001 };
  assert.deepEqual([FFMPEG, SRS_EDGE, node, follower].map(mayMove), [false, false, true, true]);
  assert.equal(mayMove({ ...follower, tcUrl: "rtmps://a/live" }), false);
  assert.equal(reconnectTcUrl({ ...TARGET, host: "10.0.0.1" }), "rtmp://10.0.0.2:19350/live");
  assert.equal(reconnectTcUrl({ ...TARGET, vhost: "v" }), "rtmp://10.0.0.2:19350/live?vhost=v");
  assert.equal(
    reconnectTcUrl({ ...TARGET, vhost: "v", parameters: "?vhost=w" }),
    "rtmp://10.0.0.2:19350/live",
  );
});

for (
  const [text, host, port] of [
    ["127.0.0.1:9091", "127.0.0.1", 9091],
    ["127.0.0.1", "127.0.0.1", 80],
    ["Origin-2.example:1985", "origin-2.example", 1985],
    ["[fd00::2]:1985", "fd00::2", 1985],
    ["[fd00::2]", "fd00::2", 80],
  ] as const
) {
  Deno.test(`a coworker's address: ${text}`, () => {
    assert.deepEqual(parseCoworkerAddress(text), { host, port });
  });
}

for (const text of ["", ":80", "fd00::2", "a:0", "a:65536", "http://a", "a:b", "user@a:1"]) {
  Deno.test(`no address of a coworker: '${text}'`, () => {
    assert.throws(() => parseCoworkerAddress(text), RangeError);
  });
}

for (
  const [text, host] of [["a:1", "a"], ["a", "a"], ["[::1]:1", "::1"], ["::1", "::1"], ["", ""]] as const
) {
  Deno.test(`the host of '${text}'`, () => {
    assert.equal(hostOf(text), host);
  });
}

Deno.test("a signature is HMAC-SHA256 of the asked node's boot id, method, target, time and nonce", () => {
  // printf 'boot-1\nGET\n/api/v1/clusters/node\n1700000000000\n00112233445566778899aabbccddeeff' | openssl dgst -sha256 -hmac sesame
  assert.equal(
    signRequest(
      "sesame",
      { bootId: "boot-1", method: "GET", target: "/api/v1/clusters/node" },
      1_700_000_000_000,
      "00112233445566778899aabbccddeeff",
    ),
    "b=boot-1,t=1700000000000,n=00112233445566778899aabbccddeeff,s=4a75aebea3e5c34706f0afee7413bac1a3bff37f2d606b3419cded5c5cbddddf",
  );
});

Deno.test("a signature holds for its request, its secret, its time, and once", () => {
  const verifier = new SignatureVerifier();
  const request = { bootId: "boot-1", method: "GET", target: "/api/v1/clusters/node?since=1&boot=x" };
  const nowMs = 1_700_000_000_000;
  let nonces = 0;
  const sign = (unixMs = nowMs) => signRequest("sesame", request, unixMs, String(nonces++).padStart(16, "0"));
  const header = sign();
  assert.equal(verifier.verify("other", request, header, nowMs), false);
  assert.equal(
    verifier.verify("sesame", { ...request, bootId: "boot-2" }, header, nowMs),
    false,
    "another node",
  );
  assert.equal(verifier.verify("sesame", { ...request, method: "POST" }, header, nowMs), false);
  assert.equal(verifier.verify("sesame", { ...request, target: "/api/v1/clusters" }, header, nowMs), false);
  assert.equal(verifier.verify("sesame", request, header.replace("n=0", "n=1"), nowMs), false);
  assert.equal(verifier.verify("sesame", request, undefined, nowMs), false);
  assert.equal(verifier.verify("sesame", request, "t=1,n=2,s=3", nowMs), false);
  assert.equal(verifier.verify("sesame", request, header, nowMs), true);
  assert.equal(verifier.verify("sesame", request, header, nowMs), false, "replayed");
  assert.equal(
    verifier.verify("sesame", request, header, nowMs + 30_000),
    false,
    "replayed at the last moment",
  );
  assert.equal(verifier.verify("sesame", request, sign(nowMs - 30_000), nowMs), true);
  assert.equal(verifier.verify("sesame", request, sign(nowMs - 30_001), nowMs), false);
  assert.equal(verifier.verify("sesame", request, sign(nowMs + 30_001), nowMs), false);
  const ahead = sign(nowMs + 90_000);
  assert.equal(verifier.verify("sesame", request, ahead, nowMs + 60_001), true);
  assert.equal(verifier.verify("sesame", request, ahead, nowMs + 120_000), false, "replayed a minute later");
});

Deno.test("owned streams tell what changed since a revision, for as long as they remember", () => {
  const owned = new OwnedStreams(4);
  const add = (name: string) =>
    owned.add({
      vhost: "v",
      app: "live",
      stream: name,
      key: `v/live/${name}`,
      publishedAtMs: 1,
      connectionId: "c",
    });
  add("a");
  add("b");
  assert.equal(owned.remove("v/live/a", "another"), false);
  assert.equal(owned.remove("v/live/a", "c"), true);
  assert.equal(owned.remove("v/live/a"), false);
  const names = (revision: number) => {
    const changes = owned.changesSince(revision);
    return changes && { added: changes.added.map(({ stream }) => stream), removed: changes.removed };
  };
  assert.equal(owned.revision, 3);
  assert.deepEqual(names(0), { added: ["b"], removed: ["v/live/a"] });
  assert.deepEqual(names(2), { added: [], removed: ["v/live/a"] });
  assert.deepEqual(names(3), { added: [], removed: [] });
  assert.equal(names(4), undefined);
  for (const name of ["c", "d", "e", "f", "g"]) add(name);
  assert.equal(owned.revision, 8);
  assert.equal(names(3), undefined);
  assert.deepEqual(names(7), { added: ["g"], removed: [] });
  owned.forgetHistory();
  assert.equal(names(8), undefined);
  assert.deepEqual(names(owned.revision), { added: [], removed: [] });
});

Deno.test("a stream key comes apart again", () => {
  assert.deepEqual(splitStreamKey("/live/s"), { vhost: "__defaultVhost__", app: "live", stream: "s" });
  assert.deepEqual(splitStreamKey("v.com/a/b/s"), { vhost: "v.com", app: "a/b", stream: "s" });
});

const STATE = {
  node_id: "n",
  boot_id: "b",
  version: "0.1.0",
  rtmp: { port: 1935 },
  load: { clients: 1, streams: 1 },
  revision: 3,
  full: true,
  streams: [{ vhost: "__defaultVhost__", app: "live", stream: "s", published_at_ms: 5 }],
};

Deno.test("a node's state is read, and what is none is told apart", () => {
  assert.deepEqual(parseNodeState(STATE), {
    nodeId: "n",
    bootId: "b",
    version: "0.1.0",
    rtmp: { port: 1935 },
    load: { clients: 1, streams: 1 },
    revision: 3,
    isFull: true,
    added: new Map([["/live/s", 5]]),
    removed: [],
    isDraining: false,
    moving: new Set(),
  });
  const moving = [{ vhost: "__defaultVhost__", app: "live", stream: "s" }];
  const drained = parseNodeState({ ...STATE, draining: true, moving });
  assert.deepEqual([drained?.isDraining, drained?.moving], [true, new Set(["/live/s"])]);
  for (const other of [undefined, null, 1, [], {}, { urls: {} }]) {
    assert.equal(parseNodeState(other), undefined);
  }
});

for (
  const [name, change] of [
    ["a revision that is text", { revision: "3" }],
    ["a negative port", { rtmp: { port: -1 } }],
    ["no boot id", { boot_id: undefined }],
    ["streams that are no list", { streams: {} }],
    ["a stream that is text", { streams: ["s"] }],
    ["a stream without a name", { streams: [{ ...STATE.streams[0], stream: "" }] }],
    ["a name that is too long", { streams: [{ ...STATE.streams[0], stream: "x".repeat(1025) }] }],
    ["too many streams", { streams: Array(100_001).fill(STATE.streams[0]) }],
    ["changes without a list", { full: false }],
  ] as const
) {
  Deno.test(`a node's state with ${name} is refused`, () => {
    assert.throws(() => parseNodeState({ ...STATE, ...change }), /Cannot read node state: /);
  });
}
