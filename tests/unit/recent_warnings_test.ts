import { deepEqual, equal } from "node:assert/strict";
import type { LogLevel, LogRecord } from "@logtape/logtape";
import { RecentWarnings } from "../../lib/app/recent_warnings.ts";

function record(level: LogLevel, message: string, properties: Record<string, unknown> = {}): LogRecord {
  return {
    category: ["headwater", "cluster"],
    level,
    message: [message],
    rawMessage: message,
    timestamp: 1_700_000_000_000,
    properties,
  };
}

Deno.test("warnings and errors are kept with plain properties", () => {
  const warnings = new RecentWarnings();
  warnings.add(record("info", "Coworker is up"));
  warnings.add(record("warning", "Coworker is down", {
    coworker: "10.0.0.2:1985",
    attempts: 3,
    isSecure: false,
    error: new Error("refused"),
    odd: { toString: () => "never asked" },
    nothing: undefined,
  }));
  deepEqual(warnings.report, {
    lines: [{
      atMs: 1_700_000_000_000,
      level: "warning",
      category: "headwater.cluster",
      message: "Coworker is down",
      properties: {
        coworker: "10.0.0.2:1985",
        attempts: 3,
        isSecure: false,
        error: "refused",
        odd: "[object Object]",
        nothing: "undefined",
      },
    }],
    dropped: 0,
  });
});

Deno.test("only the last 200 are kept, each of bounded size", () => {
  const warnings = new RecentWarnings();
  const many = Object.fromEntries(
    Array.from({ length: 100 }, (_, index) => [`p${index}`, "x".repeat(10_000)]),
  );
  for (let index = 0; index < 250; index++) {
    warnings.add(record("error", `${index} ${"y".repeat(10_000)}`, many));
  }
  const { lines, dropped } = warnings.report;
  deepEqual([lines.length, dropped], [200, 50]);
  equal(lines.at(-1)?.message.startsWith("249 "), true);
  equal(JSON.stringify(lines[0]).length < 10_000, true);
});
