import assert from "node:assert/strict";
import { DenoSystemProbe } from "../../lib/app/system_probe.ts";

Deno.test("DenoSystemProbe reads the machine with --allow-sys", { permissions: { sys: true } }, () => {
  const probe = new DenoSystemProbe();
  const usage = probe.processUsage();
  const memory = probe.memory();
  const cpu = probe.cpuTimes();
  assert.ok(usage && usage.residentBytes > 0 && usage.residentMaxBytes >= usage.residentBytes);
  assert.ok(usage.userMs + usage.systemMs > 0);
  assert.ok(memory && memory.total >= memory.available && memory.available > 0);
  assert.ok(cpu && cpu.count > 0 && cpu.idleMs > 0);
  assert.equal(probe.load()?.length, 3);
  assert.ok((probe.uptimeSeconds() ?? 0) > 0);
  assert.deepEqual(Object.keys(probe.host() ?? {}), ["sysname", "nodename", "release", "version", "machine"]);
});

Deno.test("DenoSystemProbe tells nothing of the machine without it", { permissions: { sys: false } }, () => {
  const probe = new DenoSystemProbe();
  const readings = [probe.memory(), probe.cpuTimes(), probe.load(), probe.uptimeSeconds(), probe.host()];
  assert.deepEqual(readings, Array(5).fill(undefined));
});
