/**
 * How a forward speaks to a platform, when it tries again, and what it says of that.
 *
 * @module
 */
import assert from "node:assert/strict";
import { parseForwardUrl } from "../../lib/base/forward_url.ts";
import { parseStreamAddress } from "../../lib/base/stream_address.ts";
import { Forward } from "../../lib/forward/forward.ts";
import { type ForwardDestination, placeOf } from "../../lib/forward/forward_target.ts";
import { LiveStream, type LiveStreamOptions } from "../../lib/hub/live_stream.ts";
import { DEFAULT_WIRE_LIMITS } from "../../lib/wire/limits.ts";
import { idle } from "../fakes/cluster_network.ts";
import { FakeClock } from "../fakes/fake_clock.ts";
import { FakePlatform } from "../fakes/fake_platform.ts";
import { LogRecords } from "../fakes/log_records.ts";
import { TEST_STREAM_OPTIONS, TestFeed } from "../fakes/stream_peer.ts";

const KEY = "FB-1-secret?s_bl=1&a=secret/more";

/** A stream, its encoder, and where it is forwarded to. */
class Stage {
  readonly clock = new FakeClock();
  readonly platform = new FakePlatform();
  readonly stream: LiveStream;
  readonly feed: TestFeed;
  readonly traffic = { receivedBytes: 0, sentBytes: 0 };
  isSelf = false;
  timeMs = 0;

  constructor(options: Partial<LiveStreamOptions> = {}) {
    this.stream = new LiveStream(
      "/live/cam",
      { ...TEST_STREAM_OPTIONS, ...options },
      (output) => output.flushPlayers(),
    );
    this.feed = new TestFeed(this.stream);
  }

  forward(destination: Partial<ForwardDestination> = {}): Forward {
    const url = parseForwardUrl("rtmps://platform.example:443/rtmp/", KEY);
    const address = parseStreamAddress("rtmp://127.0.0.1/live", "cam");
    const { manner, ...place } = placeOf(
      { name: "platform", kind: "url", url, patterns: [], ...destination },
      "__defaultVhost__",
      address,
    );
    return new Forward({
      stream: this.stream,
      target: {
        ...place,
        dial: this.platform.dial,
        session: {
          pageUrl: "",
          swfUrl: "",
          argumentsObject: undefined,
          limits: DEFAULT_WIRE_LIMITS,
          randomBytes: (length) => new Uint8Array(length),
          manner: manner ?? "srs",
        },
      },
      clock: this.clock,
      random: () => 0.5,
      wallNow: () => this.clock.now(),
      traffic: this.traffic,
      onBehind: (cursor) => cursor.output.flushPlayers(),
      isSelf: () => this.isSelf,
    });
  }

  /** Headers. */
  begin(): void {
    this.feed.metadata();
    this.feed.videoHeader(0);
    this.feed.audioHeader(0);
  }

  /** So many frames, 40 ms apart, a key frame each second; not in the clock's time. */
  frames(count: number): void {
    for (let i = 0; i < count; i++, this.timeMs += 40) {
      if (this.timeMs % 1000 === 0) this.feed.keyframe(this.timeMs);
      else this.feed.inter(this.timeMs);
      this.feed.audio(this.timeMs);
    }
  }

  async advance(ms: number): Promise<void> {
    for (let leftMs = ms; leftMs > 0;) {
      const stepMs = Math.min(leftMs, Math.max(50, this.clock.nextDelayMs ?? leftMs));
      await this.clock.advance(stepMs);
      await idle();
      leftMs -= stepMs;
    }
  }
}

Deno.test("a platform is spoken to as OBS does: small chunks at once, its own tcUrl, FMLE's commands, the key as it is", async () => {
  const stage = new Stage();
  const forward = stage.forward();
  await stage.advance(100);
  const { commands, connect } = stage.platform.last;
  assert.deepEqual(commands, [
    "chunk size 4096",
    "connect",
    `releaseStream ${KEY}`,
    `FCPublish ${KEY}`,
    "createStream",
    "_checkbw",
    `publish ${KEY} live`,
  ]);
  assert.deepEqual(Object.fromEntries(connect?.entries ?? []), {
    app: "rtmp",
    type: "nonprivate",
    flashVer: "FMLE/3.0 (compatible; FMSc/1.0)",
    swfUrl: "rtmps://platform.example:443/rtmp",
    tcUrl: "rtmps://platform.example:443/rtmp",
  });
  assert.equal(forward.state, "forwarding");
  await stage.advance(5000);
  assert.equal(stage.platform.last.pings, 0);
  assert.ok(forward.sentBytes > 100);
  forward.close(true);
  await stage.advance(100);
  assert.deepEqual(stage.platform.last.commands.slice(-2), [`FCUnpublish ${KEY}`, "deleteStream"]);
  assert.ok(stage.platform.last.isClosed);
  assert.equal(stage.clock.pending, 0);
});

Deno.test("another media server is spoken to as SRS does", async () => {
  const stage = new Stage();
  const forward = stage.forward({ kind: "server", url: parseForwardUrl("rtmp://10.0.0.1:1936") });
  await stage.advance(100);
  assert.deepEqual(stage.platform.last.commands, [
    "connect",
    "createStream",
    "chunk size 4096",
    "publish cam live",
  ]);
  assert.equal(stage.platform.last.connect?.getString("tcUrl"), "rtmp://10.0.0.1:1936/live");
  forward.close(true);
});

Deno.test("a stream is sent from its beginning; later from its headers and the next key frame on, and time goes on", async () => {
  const stage = new Stage();
  const forward = stage.forward();
  await stage.advance(100);
  stage.begin();
  stage.frames(3);
  await stage.advance(100);
  assert.deepEqual(stage.platform.last.media.slice(0, 7), ["M0", "V0", "A0", "K0", "a0", "p40", "a40"]);
  stage.platform.last.close();
  await stage.advance(100);
  assert.equal(forward.state, "waiting");
  stage.frames(10);
  await stage.advance(1000);
  assert.equal(forward.state, "forwarding");
  stage.frames(14);
  await stage.advance(100);
  const { media } = stage.platform.last;
  assert.deepEqual(media.map((word) => word[0]).slice(0, 5), ["M", "A", "V", "K", "a"]);
  assert.deepEqual(media.slice(3, 7), ["K1000", "a1000", "p1040", "a1040"]);
  forward.close(true);
});

Deno.test("another server gets all headers, also where players are given none", async () => {
  const stage = new Stage({ metadata: false, sequenceHeaders: false });
  stage.begin();
  stage.frames(3);
  const forward = stage.forward();
  await stage.advance(100);
  stage.frames(30);
  await stage.advance(100);
  assert.deepEqual(stage.platform.last.media.slice(0, 5).map((word) => word[0]), ["M", "A", "V", "K", "a"]);
  assert.equal(stage.platform.last.media[3], "K1000");
  forward.close(true);
});

Deno.test("a destination that is dead is tried after 1, 2, 4 … 30 s, and is complained of once", async () => {
  using log = new LogRecords();
  const stage = new Stage();
  stage.platform.moods = ["unreachable"];
  const forward = stage.forward();
  const at: number[] = [];
  for (let dials = 0; at.length < 9;) {
    await stage.advance(1000);
    if (stage.platform.dials > dials) at.push(stage.clock.now() / 1000);
    dials = stage.platform.dials;
  }
  assert.deepEqual(at.map((second, index) => second - (at[index - 1] ?? 0)), [
    1,
    2,
    4,
    8,
    16,
    30,
    30,
    30,
    30,
  ]);
  assert.deepEqual(log.lines, ["warning Cannot forward; retrying"]);
  stage.platform.moods = ["accepts"];
  await stage.advance(31_000);
  assert.equal(forward.state, "forwarding");
  // It had not held for long: the pauses go on. Then it holds.
  stage.platform.last.close();
  await stage.advance(20_000);
  assert.equal(forward.state, "waiting");
  await stage.advance(11_000);
  assert.equal(forward.state, "forwarding");
  await stage.advance(31_000);
  stage.platform.last.close();
  await stage.advance(1200);
  assert.equal(forward.state, "forwarding");
  assert.deepEqual(log.lines.slice(1), [
    "info Forward started",
    "warning Forward lost; retrying",
    "info Forward started",
    "warning Forward lost; retrying",
    "info Forward started",
  ]);
  forward.close(true);
  await stage.advance(100);
  assert.equal(stage.clock.pending, 0);
});

for (
  const [what, mood] of [
    ["says no", { code: "NetStream.Publish.Denied", description: `no such key: ${KEY}` }],
    ["says something else", { code: "NetStream.Failed", description: "secret/more" }],
  ] as const
) {
  Deno.test(`a platform that ${what} is asked again after a minute, and its words are shown without the key`, async () => {
    using log = new LogRecords();
    const stage = new Stage();
    stage.platform.moods = [mood];
    const forward = stage.forward();
    await stage.advance(59_000);
    assert.equal(stage.platform.dials, 1);
    await stage.advance(2000);
    assert.equal(stage.platform.dials, 2);
    assert.match(forward.lastError ?? "", /\*\*\*/);
    assert.ok(!JSON.stringify([forward.lastError, log.records]).includes("secret"));
    forward.close(true);
  });
}

Deno.test("a platform that hangs up without a word is given one more chance, then asked again after a minute", async () => {
  const stage = new Stage();
  stage.platform.moods = ["hangsUp"];
  const forward = stage.forward();
  await stage.advance(1500);
  assert.equal(stage.platform.dials, 2);
  await stage.advance(58_000);
  assert.equal(stage.platform.dials, 2);
  await stage.advance(3000);
  assert.equal(stage.platform.dials, 3);
  forward.close(true);
});

Deno.test("a name that is taken is asked for soon at first, since it may be ours still, and then after a minute", async () => {
  const stage = new Stage();
  stage.platform.moods = [{ code: "NetStream.Publish.BadName", description: "FB-1-secret is busy" }];
  const forward = stage.forward();
  await stage.advance(60_000);
  assert.equal(stage.platform.dials, 6);
  await stage.advance(120_000);
  assert.ok(stage.platform.dials <= 9, `${stage.platform.dials}`);
  assert.match(forward.lastError ?? "", /\(\*\*\* is busy\)/);
  forward.close(true);
});

Deno.test("a stream that is over is sent to its last frame, and then said to be over", async () => {
  const stage = new Stage();
  const forward = stage.forward();
  await stage.advance(100);
  stage.begin();
  stage.frames(30);
  stage.feed.close();
  forward.close(true);
  await stage.advance(200);
  assert.equal(stage.platform.last.media.at(-1), "a1160");
  assert.deepEqual(stage.platform.last.commands.slice(-2), [`FCUnpublish ${KEY}`, "deleteStream"]);
  assert.ok(stage.platform.last.isClosed);
});

Deno.test("after a lost connection a name that is taken is our own, and is asked for again soon", async () => {
  const stage = new Stage();
  const busy = { code: "NetStream.Publish.BadName", description: "busy" };
  stage.platform.moods = ["accepts", busy, busy, "accepts"];
  const forward = stage.forward();
  await stage.advance(100);
  stage.platform.last.close();
  await stage.advance(8000);
  assert.deepEqual([forward.state, stage.platform.dials], ["forwarding", 4]);
  forward.close(true);
});

Deno.test("a destination that sends what can't be read costs its own connection, and is tried less and less often", async () => {
  using log = new LogRecords();
  const stage = new Stage();
  const forward = stage.forward();
  stage.begin();
  for (let second = 0; second < 120; second++) {
    await stage.advance(1000);
    // Chunk size 0, which no peer may set.
    if (forward.state === "forwarding") {
      stage.platform.last.send(Uint8Array.of(2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 0));
    }
    stage.frames(25);
  }
  assert.ok(stage.platform.dials >= 5 && stage.platform.dials <= 9, `dialled ${stage.platform.dials} times`);
  assert.ok(!log.lines.some((line) => line.startsWith("error")), log.lines.join("\n"));
  forward.close(true);
  await stage.advance(100);
  assert.equal(stage.stream.playerCount, 0);
});

Deno.test("a stream that may go on with another connection is not said to be over", async () => {
  const stage = new Stage();
  const forward = stage.forward();
  await stage.advance(100);
  forward.close(false);
  await stage.advance(100);
  assert.ok(stage.platform.last.isClosed);
  assert.ok(!stage.platform.last.commands.some((command) => /FCUnpublish|deleteStream/.test(command)));
});

Deno.test("a forward to this server itself is refused, in words", async () => {
  const stage = new Stage();
  stage.isSelf = true;
  const forward = stage.forward();
  await stage.advance(100);
  assert.equal(forward.lastError, "Cannot forward to platform: that is this server itself");
  assert.ok(stage.platform.last.isClosed);
  assert.ok(!stage.platform.last.commands.some((command) => command.startsWith("publish")));
  await stage.advance(50_000);
  assert.equal(stage.platform.dials, 1);
  forward.close(true);
});
