import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import { inBackground } from "../../lib/base/background.ts";
import {
  closeLogging,
  configureLogging,
  type LoggingOptions,
  reopenLog,
  sweepRepeats,
} from "../../lib/app/logging.ts";
import { isPrintable } from "../../lib/base/printable.ts";

/** The lines that `use` logs. */
function logged(options: Omit<LoggingOptions, "write">, use: () => void): string[] {
  const lines: string[] = [];
  configureLogging({ ...options, write: (line) => lines.push(line) });
  try {
    use();
  } finally {
    // There is nothing to wait for.
    inBackground(closeLogging(), "closing the log");
  }
  return lines;
}

const log = getLogger(["rtmp", "session"]);

/** Without the time, which is the first word. */
function afterTime(line: string | undefined): string | undefined {
  return line?.replace(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /, "");
}

const properties: { name: string; properties: Record<string, unknown>; text: string; json: unknown }[] = [
  {
    name: "plain values",
    properties: { connectionId: "c1", stream: "live/a", bytes: 12, ok: true, none: null },
    text: "connectionId=c1 stream=live/a bytes=12 ok=true none=null",
    json: { connectionId: "c1", stream: "live/a", bytes: 12, ok: true, none: null },
  },
  {
    name: "texts that need quotes",
    properties: { a: "two words", b: "", c: 'x="y"', d: "line\nend\u001b[2J" },
    text: String.raw`a="two words" b="" c="x=\"y\"" d="line\nend\u001b[2J"`,
    json: { a: "two words", b: "", c: 'x="y"', d: "line\nend\u001b[2J" },
  },
  {
    name: "control characters of two bytes, and marks that turn the direction of a text",
    properties: { a: "x\u009b2Jy", b: "\u202etxt.exe", c: { d: "\u2066\u200f" }, e: ["\u0085"] },
    text: String.raw`a="x\u009b2Jy" b="\u202etxt.exe" c={"d":"\u2066\u200f"} e=["\u0085"]`,
    json: { a: "x\u009b2Jy", b: "\u202etxt.exe", c: { d: "\u2066\u200f" }, e: ["\u0085"] },
  },
  {
    name: "tables, big numbers and bytes",
    properties: { peer: { ip: "::1", id: 3n }, list: [1, "b"], payload: new Uint8Array(4) },
    text: 'peer={"ip":"::1","id":"3"} list=[1,"b"] payload="4 bytes"',
    json: { peer: { ip: "::1", id: "3" }, list: [1, "b"], payload: "4 bytes" },
  },
  {
    name: "no secrets",
    properties: {
      password: "p1",
      inner: { clusterSecret: "p2" },
      tcUrl: "rtmp://user:p3@host/live?token=p4&a=b",
      stream: "a?key=p5",
      name: "a&token=eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln-_ and more",
    },
    text: "password=[hidden] " + 'inner={"clusterSecret":"[hidden]"} ' +
      "tcUrl=rtmp://[hidden]@host/live?[hidden] stream=a?[hidden] " +
      'name="a&token=[hidden] and more"',
    json: {
      password: "[hidden]",
      inner: { clusterSecret: "[hidden]" },
      tcUrl: "rtmp://[hidden]@host/live?[hidden]",
      stream: "a?[hidden]",
      name: "a&token=[hidden] and more",
    },
  },
  {
    name: "the message of an error and of its cause",
    properties: { error: new Error("Cannot read x", { cause: new Error("gone") }) },
    text: 'error="Cannot read x, caused by gone"',
    json: { error: "Cannot read x, caused by gone" },
  },
];

for (const { name, properties: given, text, json } of properties) {
  Deno.test(`logging: ${name}`, () => {
    const [line] = logged({ level: "info", format: "text" }, () => log.info("Publish started", given));
    assert.equal(afterTime(line), `info  rtmp.session Publish started ${text}\n`);
    const [jsonLine] = logged({ level: "info", format: "json" }, () => log.info("Publish started", given));
    const { time, ...rest } = JSON.parse(jsonLine ?? "");
    assert.match(time, /^\d{4}-.*Z$/);
    assert.deepEqual(rest, {
      level: "info",
      category: "rtmp.session",
      message: "Publish started",
      ...json as Record<string, unknown>,
    });
  });
}

Deno.test("logging: a level lets through itself and what is worse", () => {
  const levels = ["trace", "debug", "info", "warn", "error"] as const;
  for (const [index, level] of levels.entries()) {
    const lines = logged({ level, format: "text" }, () => {
      for (const each of levels) log[each](each);
    });
    assert.deepEqual(lines.map((line) => line.split(/ +/)[1]), levels.slice(index));
  }
});

Deno.test("logging: an event is one line, whatever is in it", () => {
  const use = (): void => {
    log.error("Bug", { error: new Error("a\nb") });
    log.info("forged {name}", {
      name: "x\n2026 error\u0085\u202e",
      other: "\u009b\u2067",
      error: new Error("\u0090"),
    });
  };
  for (const format of ["text", "json"] as const) {
    const lines = logged({ level: "info", format }, use);
    assert.equal(lines.length, 2);
    for (const line of lines) {
      assert.equal(line.indexOf("\n"), line.length - 1);
      assert.ok(isPrintable(line.slice(0, -1)), line);
    }
    assert.match(lines[0] ?? "", /logging_test\.ts/, "an error of level error has its stack");
  }
});

Deno.test("logging: properties named like a field of the JSON line keep both", () => {
  const [line] = logged({ level: "info", format: "json" }, () => log.info("M", { message: "m", time: 5 }));
  const { message, message_: other, time_: time } = JSON.parse(line ?? "");
  assert.deepEqual([message, other, time], ["M", "m", 5]);
});

Deno.test("logging: a file is added to, can be moved away, and is complete at the end", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const file = `${folder}/a.log`;
    await Deno.writeTextFile(file, "before\n");
    configureLogging({ level: "info", format: "text", file });
    log.info("one");
    await Deno.rename(file, `${folder}/b.log`);
    log.info("two");
    reopenLog();
    log.info("three");
    assert.throws(() => configureLogging({ level: "info", format: "text", file: `${file}/no/a.log` }));
    log.info("four");
    await closeLogging();
    log.info("five");
    assert.match(await Deno.readTextFile(`${folder}/b.log`), /^before\n.* one\n.* two\n$/);
    assert.match(await Deno.readTextFile(file), /^\S+ info {2}rtmp\.session three\n.* four\n$/);
  } finally {
    await closeLogging();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("logging: a folder that a file lacks is made", async () => {
  const folder = await Deno.makeTempDir();
  try {
    configureLogging({ level: "info", format: "text", file: `${folder}/objs/logs/a.log` });
    log.info("one");
    await closeLogging();
    assert.match(await Deno.readTextFile(`${folder}/objs/logs/a.log`), / one\n$/);
  } finally {
    await closeLogging();
    await Deno.remove(folder, { recursive: true });
  }
});

/** What is written of `count` events of each peer, and what is said of the others when their time is over. */
function repeated(peers: readonly Record<string, string>[], count: number): string[] {
  let nowMs = 0;
  return logged({ level: "debug", format: "text", now: () => nowMs }, () => {
    for (let i = 0; i < count; i++) {
      for (const peer of peers) log.info("Play refused", { ...peer, attempt: i });
    }
    nowMs += 9_999;
    sweepRepeats();
    log.info("Between");
    nowMs += 1;
    sweepRepeats();
  }).map((line) => afterTime(line) ?? "");
}

Deno.test("logging: of a connection's same events so many are written, and the others are summed up", () => {
  const lines = repeated([{ connectionId: "c1", peer: "10.0.0.1:5000" }], 5000);
  assert.equal(lines.length, 23);
  assert.match(lines[20] ?? "", /Between/);
  assert.match(lines[19] ?? "", /attempt=19/);
  assert.deepEqual(lines.slice(21), [
    // What its address had left, and what it had not.
    "info  rtmp.session 4800 more like this in the last 10 s: Play refused " +
    "connectionId=c1 peer=10.0.0.1:5000 attempt=4999\n",
    "info  rtmp.session 180 more like this in the last 10 s: Play refused " +
    "connectionId=c1 peer=10.0.0.1:5000 attempt=199\n",
  ]);
});

Deno.test("logging: an address that connects again and again does not fill the log either", () => {
  const peers = Array.from({ length: 1000 }, (_, n) => ({ connectionId: `c${n}`, peer: `[::1]:${n + 1}` }));
  const lines = repeated(peers, 1);
  assert.equal(lines.length, 202);
  assert.match(
    lines.at(-1) ?? "",
    /^info {2}rtmp\.session 800 more like this in the last 10 s: Play refused /,
  );
});

Deno.test("logging: other events, other peers, a later time and the levels for searching are not repeats", () => {
  let nowMs = 0;
  const lines = logged({ level: "trace", format: "json", now: () => nowMs }, () => {
    for (let i = 0; i < 200; i++) {
      log.info("No peer");
      log.debug("Detail", { peer: "10.0.0.1:1", connectionId: "c1" });
      log.info("Play started", { peer: `10.0.0.${i}:1`, connectionId: `c${i}` });
      log.warn(`Of many kinds ${i}`, { peer: "10.0.0.1:1", connectionId: "c1" });
    }
    for (let second = 0; second < 100; second += 10) {
      nowMs = second * 1000;
      for (let i = 0; i < 20; i++) log.error("Again", { peer: "10.0.0.1:1", connectionId: "c1" });
    }
  });
  assert.equal(lines.length, 4 * 200 + 200);
});
