import assert from "node:assert/strict";
import { join } from "node:path";
import { DenoDisk } from "../../lib/app/deno_disk.ts";
import { RecordingError, recordingError } from "../../lib/outputs/recording/recording_disk.ts";

async function inFolder(run: (folder: string, disk: DenoDisk) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "headwater-disk-" });
  try {
    await run(folder, new DenoDisk());
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file that is there, or a link of that name, is not written to: another name is taken", async () => {
  await inFolder(async (folder, disk) => {
    await Deno.mkdir(join(folder, "live"));
    await Deno.writeTextFile(join(folder, "live/a.flv"), "old");
    await Deno.symlink(join(folder, "elsewhere"), join(folder, "live/a-1.flv"));
    const file = await disk.create(folder, join(folder, "live/a.flv"));
    assert.equal(file.path, join(folder, "live/a-2.flv"));
    assert.equal(await file.write(new TextEncoder().encode("0123456789")), 10);
    await file.patch(2, new TextEncoder().encode("xy"));
    await file.truncate(6);
    file.close();
    assert.equal(await Deno.readTextFile(file.path), "01xy45");
    assert.equal(await Deno.readTextFile(join(folder, "live/a.flv")), "old");
    await assert.rejects(Deno.stat(join(folder, "elsewhere")), Deno.errors.NotFound);
  });
});

Deno.test("a folder that is a link out of the root is refused", async () => {
  await inFolder(async (folder, disk) => {
    const [root, outside] = [join(folder, "root"), join(folder, "outside")];
    await Deno.mkdir(root);
    await Deno.mkdir(outside);
    await Deno.symlink(outside, join(root, "live"));
    await assert.rejects(
      disk.create(root, join(root, "live/a.flv")),
      (error) => error instanceof RecordingError && error.failure === "not-writable",
    );
    assert.deepEqual(await Array.fromAsync(Deno.readDir(outside)), []);
  });
});

Deno.test("a root that is a link itself is where it leads", async () => {
  await inFolder(async (folder, disk) => {
    await Deno.mkdir(join(folder, "disk2"));
    await Deno.symlink(join(folder, "disk2"), join(folder, "data"));
    (await disk.create(join(folder, "data"), join(folder, "data/live/a.flv"))).close();
    assert.ok((await Deno.stat(join(folder, "disk2/live/a.flv"))).isFile);
  });
});

Deno.test("a folder where a file stands is not writable", async () => {
  await inFolder(async (folder, disk) => {
    await Deno.writeTextFile(join(folder, "live"), "");
    const error = await disk.create(folder, join(folder, "live/a.flv")).catch(recordingError);
    assert.ok(error instanceof RecordingError, "it was made");
    assert.equal(error.failure, "not-writable");
  });
});

Deno.test("the room of a disk is known, also of a folder that is gone", async () => {
  await inFolder(async (folder, disk) => {
    assert.ok(Number(await disk.freeBytes(join(folder, "a.flv"))) > 0);
    assert.equal(await disk.freeBytes(join(folder, "gone/a.flv")), undefined);
  });
});
