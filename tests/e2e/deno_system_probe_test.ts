import assert from "node:assert/strict";
import { SYSTEM_FACTS } from "../../deploy/targets.ts";
import { publicAddress } from "../../lib/app/public_address.ts";
import { DenoSystemProbe } from "../../lib/app/deno_system_probe.ts";

/** What the binary and `deno task start` may know. */
const PERMISSIONS: Deno.PermissionOptions = { sys: [...SYSTEM_FACTS] as never };

Deno.test(
  "DenoSystemProbe reads the machine with the binary's permissions",
  { permissions: PERMISSIONS },
  () => {
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
    assert.deepEqual(Object.keys(probe.host() ?? {}), [
      "sysname",
      "nodename",
      "release",
      "version",
      "machine",
    ]);
  },
);

Deno.test("DenoSystemProbe tells nothing of the machine without it", { permissions: { sys: false } }, () => {
  const probe = new DenoSystemProbe();
  assert.equal(publicAddress(), "127.0.0.1");
  const readings = [probe.memory(), probe.cpuTimes(), probe.load(), probe.uptimeSeconds(), probe.host()];
  assert.deepEqual(readings, Array(5).fill(undefined));
});

Deno.test("publicAddress is one of this machine's, with the binary's permissions", {
  permissions: PERMISSIONS,
}, () => {
  const addresses = Deno.networkInterfaces().map(({ address }) => address);
  const found = publicAddress();
  assert.ok(addresses.includes(found), `${found} is none of ${addresses}`);
  const outside = addresses.filter((address) => !["127.0.0.1", "::1"].includes(address));
  assert.equal(outside.includes(found), outside.length > 0);
});
