import assert from "node:assert/strict";
import { LoginAttempts } from "../../lib/http/middleware/login_attempts.ts";

function failing(attempts: LoginAttempts, address: string, times: number, nowMs: number): void {
  for (let i = 0; i < times; i++) attempts.fail(address, nowMs);
}

Deno.test("each failure after the fifth doubles the wait, up to a minute", () => {
  const attempts = new LoginAttempts();
  const waits = Array.from({ length: 14 }, () => {
    attempts.fail("192.0.2.1", 0);
    return attempts.waitMs("192.0.2.1", 0) / 1000;
  });
  assert.deepEqual(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
  assert.equal(attempts.waitMs("192.0.2.1", 59_000), 1000);
  assert.equal(attempts.waitMs("192.0.2.1", 60_000), 0);
});

Deno.test("a login that succeeds, or ten minutes, make failures forgotten", () => {
  const attempts = new LoginAttempts();
  failing(attempts, "192.0.2.1", 5, 0);
  attempts.succeed("192.0.2.1");
  failing(attempts, "192.0.2.1", 4, 1);
  assert.equal(attempts.waitMs("192.0.2.1", 1), 0);
  attempts.fail("192.0.2.1", 600_001);
  assert.equal(attempts.waitMs("192.0.2.1", 600_001), 0);
});

Deno.test("an IPv6 address counts with its /64, however it is written", () => {
  const attempts = new LoginAttempts();
  failing(attempts, "2001:db8:0:1::5", 5, 0);
  for (
    const address of [
      "2001:db8:0:1::6",
      "2001:0db8::1:a:b:c:d",
      "2001:db8:0:1:ffff:ffff:ffff:ffff",
      "2001:DB8:0:1::%eth0",
    ]
  ) {
    assert.equal(attempts.waitMs(address, 0), 1000, address);
  }
  for (const address of ["2001:db8:0:2::5", "2001:db8::1", "::1", "::"]) {
    assert.equal(attempts.waitMs(address, 0), 0, address);
  }
});

Deno.test("4096 addresses are remembered, those that failed last", () => {
  const attempts = new LoginAttempts();
  failing(attempts, "192.0.2.1", 5, 0);
  for (let i = 0; i < 4095; i++) attempts.fail(`10.0.${i >> 8}.${i & 255}`, 0);
  assert.equal(attempts.waitMs("192.0.2.1", 0), 1000);
  attempts.fail("10.1.0.0", 0);
  assert.equal(attempts.waitMs("192.0.2.1", 0), 0);
});
