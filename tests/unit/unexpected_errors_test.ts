import assert from "node:assert/strict";
import { closeLogging, configureLogging } from "../../lib/app/logging.ts";
import { UnexpectedErrors } from "../../lib/app/unexpected_errors.ts";

Deno.test("UnexpectedErrors logs and counts what nobody caught, and keeps it from ending the process", async () => {
  const lines: Record<string, unknown>[] = [];
  configureLogging({ level: "info", format: "json", write: (line) => lines.push(JSON.parse(line)) });
  try {
    const target = new EventTarget();
    const errors = new UnexpectedErrors();
    errors.listen(target);
    const promise = Promise.resolve();
    const events = [
      new PromiseRejectionEvent("unhandledrejection", {
        promise,
        reason: new Error("floats"),
        cancelable: true,
      }),
      new ErrorEvent("error", { error: new TypeError("thrown in a timer"), cancelable: true }),
      new PromiseRejectionEvent("unhandledrejection", { promise, reason: undefined, cancelable: true }),
    ];
    for (const event of events) target.dispatchEvent(event);
    assert.deepEqual(events.map(({ defaultPrevented }) => defaultPrevented), [true, true, true]);
    assert.equal(errors.count, 3);
    assert.deepEqual(lines.map(({ level }) => level), ["error", "error", "error"]);
    assert.match(String(lines[0]?.["error"]), /^Error: floats\n.*unexpected_errors_test/);
    assert.match(String(lines[1]?.["error"]), /^TypeError: thrown in a timer\n/);
  } finally {
    await closeLogging();
  }
});
