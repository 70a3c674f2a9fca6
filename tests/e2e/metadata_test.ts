import { deepEqual } from "node:assert/strict";
import { joinBytes } from "../../lib/base/join_bytes.ts";
import type { FlvTag } from "../../lib/wire/flv.ts";
import { MESSAGE_TYPE } from "../../lib/wire/message_type.ts";
import { until } from "../fakes/deadline.ts";
import { hex } from "../golden/hex.ts";
import { LocalNode, startLocalEdge } from "./cluster_nodes.ts";
import { assertSameFrames, describeStreams } from "./frames.ts";
import { mediaFile } from "./media_files.ts";
import { programTest } from "./program_test_case.ts";
import { readTags, TagPublisher } from "./tag_publisher.ts";
import type { TestScope } from "./test_scope.ts";

const META = "02 000d '@setDataFrame' 02 000a 'onMetaData'";
const PROPERTIES = "000c 'videocodecid' 00 401c000000000000 000c 'audiocodecid' 00 4024000000000000";

/** An onMetaData with one more property; its value is AMF0 bytes. */
function withProperty(name: string, value: string): Uint8Array {
  const length = name.length.toString(16).padStart(4, "0");
  return hex(`${META} 08 00000003 ${PROPERTIES} ${length} '${name}' ${value} 000009`);
}

const METADATA: Readonly<Record<string, Uint8Array>> = {
  "undefined": withProperty("x", "06"),
  "a movie clip": withProperty("x", "04"),
  "a record set": withProperty("x", "0e"),
  "what is unsupported": withProperty("x", "0d"),
  "XML": withProperty("x", "0f 00000004 '<a/>'"),
  "a typed object": withProperty("x", "10 0001 'A' 000009"),
  "an AMF3 object": withProperty("x", "11 0a 0b 01 01"),
  "itself": withProperty("x", "07 0000"),
  "a long string": withProperty("x", "0c 00000002 'ab'"),
  "a date": withProperty("x", "0b 4278c2a7d0800000 003c"),
  "null and empty values": withProperty("x", "03 0001 'a' 05 0001 'b' 0a 00000000 0001 'c' 03 000009 000009"),
  "a value without a name": withProperty("", "05"),
  "an object with a value without a name": withProperty("x", "03 0000 05 0001 'a' 05 000009"),
  "a name of 128 bytes": withProperty("n".repeat(128), "05"),
  "40000 bytes of text": joinBytes([
    hex(`${META} 08 00000003 ${PROPERTIES} 0001 'x' 02 9c40`),
    new Uint8Array(40_000).fill(0x79),
    hex("000009"),
  ]),
  "values of AMF3 alone": hex(`${META} 11 0a 0b 01 0b 'width' 04 8240 01`),
  "null alone": hex(`${META} 05`),
  "a name alone": hex(META),
  "bytes that are no AMF": hex(`${META} 42 deadbeef`),
};

programTest(
  ["ffmpeg", "ffprobe"],
  "ffprobe opens streams with any metadata, behind an edge too",
  async (scope) => {
    const origin = await LocalNode.start(scope);
    const edge = await startLocalEdge(scope, [origin]);
    const [, ...media] = await readTags(await mediaFile("av.flv"));
    const names = Object.keys(METADATA);
    const described: Record<string, unknown> = {};
    const expected = await describe(scope, origin, "none", `rtmp://${origin.origin}/live/none`, media);
    for (const [index, name] of names.entries()) {
      const stream = `s${index}`;
      const tags = [
        { typeId: MESSAGE_TYPE.data, timestamp: 0, payload: METADATA[name] as Uint8Array },
        ...media,
      ];
      const urls = [
        `rtmp://${origin.origin}/live/${stream}`,
        `http://127.0.0.1:${origin.httpPort}/live/${stream}.flv`,
        `rtmp://${edge.origin}/live/${stream}`,
      ];
      // Each is opened in one of the ways.
      const url = urls[index % urls.length] as string;
      described[name] = await describe(scope, origin, stream, url, tags);
    }
    deepEqual(described, Object.fromEntries(names.map((name) => [name, expected])));
  },
);

async function describe(
  scope: TestScope,
  origin: LocalNode,
  stream: string,
  url: string,
  tags: readonly FlvTag[],
): Promise<unknown> {
  const publisher = await TagPublisher.start(scope, origin.rtmp.port, "live", stream, tags);
  await publisher.sendUntil(1000);
  const description = describeStreams(scope, url, { options: ["-analyzeduration", "800000"] });
  await Promise.race([description, played(origin, stream)]);
  await publisher.sendUntil(4000);
  return await description;
}

async function played(node: LocalNode, stream: string): Promise<void> {
  await until(() => node.node.runtime.hub.get(`/live/${stream}`)?.playerCount === 1, "the player", 20_000);
}

programTest(
  ["ffmpeg"],
  "ffmpeg loses no frame for data messages that it can't read the name of",
  async (scope) => {
    const node = await LocalNode.start(scope);
    const source = await mediaFile("av.flv");
    const bodies = [
      hex("02 000d '@setDataFrame' 03 0005 'width' 00 4060000000000000 000009"),
      hex("08 00000000 000009"),
      hex("00 3ff0000000000000 02 0001 'x'"),
      hex("05 05"),
      hex("deadbeef deadbeef deadbeef deadbeef deadbeef"),
      hex(`02 00c8 '${"n".repeat(200)}' 05`),
      hex("02 0006 'onFoo' 05"),
      hex("02 0005 'onFoo' 05"),
    ];
    const tags = (await readTags(source)).flatMap((tag, index) => {
      const payload = index % 5 === 0 ? bodies[(index / 5) % bodies.length] : undefined;
      return payload === undefined
        ? [tag]
        : [tag, { typeId: MESSAGE_TYPE.data, timestamp: tag.timestamp, payload }];
    });
    const publisher = await TagPublisher.start(scope, node.rtmp.port, "live", "a", tags);
    await publisher.sendUntil(1000);
    const recorded = scope.path("recorded.flv");
    const args = [
      "-v",
      "error",
      "-i",
      `rtmp://${node.origin}/live/a`,
      "-t",
      "8",
      "-map",
      "0:v",
      "-map",
      "0:a",
    ];
    const recording = scope.start("ffmpeg", ...args, "-c", "copy", recorded).succeed();
    await Promise.race([recording, played(node, "a")]);
    await publisher.sendUntil(20_000);
    await recording;
    await assertSameFrames(scope, recorded, source, 180);
  },
);
