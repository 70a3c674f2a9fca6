import { getLogger } from "@logtape/logtape";
import assert from "node:assert/strict";
import {
  closeLogging,
  configureLogging,
  flushLogging,
  type LoggingOptions,
  reopenLog,
} from "../../lib/app/logging.ts";

/** The lines that `use` logs. */
function logged(options: Omit<LoggingOptions, "write">, use: () => void): string[] {
  const lines: string[] = [];
  configureLogging({ ...options, write: (line) => lines.push(line) });
  try {
    use();
  } finally {
    closeLogging();
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
    },
    text: "password=[hidden] " + 'inner={"clusterSecret":"[hidden]"} ' +
      "tcUrl=rtmp://[hidden]@host/live?[hidden] stream=a?[hidden]",
    json: {
      password: "[hidden]",
      inner: { clusterSecret: "[hidden]" },
      tcUrl: "rtmp://[hidden]@host/live?[hidden]",
      stream: "a?[hidden]",
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
    log.info("forged {name}", { name: "x\n2026 error" });
  };
  for (const format of ["text", "json"] as const) {
    const lines = logged({ level: "info", format }, use);
    assert.equal(lines.length, 2);
    for (const line of lines) assert.equal(line.indexOf("\n"), line.length - 1);
    assert.match(lines[0] ?? "", /logging_test\.ts/, "an error of level error has its stack");
  }
});

Deno.test("logging: properties named like a field of the JSON line keep both", () => {
  const [line] = logged({ level: "info", format: "json" }, () => log.info("M", { message: "m", time: 5 }));
  const { message, message_: other, time_: time } = JSON.parse(line ?? "");
  assert.deepEqual([message, other, time], ["M", "m", 5]);
});

Deno.test("logging: a file is added to, can be moved away, and is complete after a flush", () => {
  const folder = Deno.makeTempDirSync();
  try {
    const file = `${folder}/a.log`;
    Deno.writeTextFileSync(file, "before\n");
    configureLogging({ level: "info", format: "text", file });
    log.info("one");
    flushLogging();
    assert.match(Deno.readTextFileSync(file), /^before\n.* one\n$/);
    Deno.renameSync(file, `${folder}/b.log`);
    log.info("two");
    reopenLog();
    log.info("three");
    assert.throws(() => configureLogging({ level: "info", format: "text", file: `${file}/no/a.log` }));
    log.info("four");
    closeLogging();
    log.info("five");
    assert.match(Deno.readTextFileSync(`${folder}/b.log`), / two\n$/);
    assert.match(Deno.readTextFileSync(file), /^\S+ info {2}rtmp\.session three\n.* four\n$/);
  } finally {
    closeLogging();
    Deno.removeSync(folder, { recursive: true });
  }
});
