import assert from "node:assert/strict";
import { join } from "node:path";
import type { Checklist } from "./checklist.ts";
import { StartedProgram } from "./started_program.ts";
import type { Subject } from "./subject.ts";

const MAX_BYTES_OVER_RUNTIME = 10_000_000;

/** What can be seen without a server. */
export async function checkCommands(
  list: Checklist,
  { command, binary, program }: Subject,
  folder: string,
): Promise<void> {
  const run = (...args: string[]) => new StartedProgram(command, args, { cwd: folder }).end();
  if (binary?.runtimeBytes !== undefined) {
    const ours = binary.bytes - binary.runtimeBytes;
    await list.check("weighs no more than its runtime and 10 MB", () => {
      assert.ok(ours <= MAX_BYTES_OVER_RUNTIME, `${ours} bytes over its runtime`);
      return `${binary.bytes} bytes, ${ours} of them ours`;
    });
  }
  await list.check("--version prints version and commit", async () => {
    const { code, stdout } = await run("--version");
    assert.equal(code, 0);
    assert.equal(stdout, `headwater ${program.version} (${program.commit})`);
    return stdout;
  });
  await list.check("--help names the commands", async () => {
    const { code, stdout } = await run("--help");
    assert.equal(code, 0);
    for (const word of ["serve", "check", "health", "--config"]) assert.ok(stdout.includes(word), word);
  });
  await list.check("`show` prints the files that it carries", async () => {
    const { stdout: names } = await run("show");
    for (const name of names.trim().split("\n")) {
      const { code, stdout } = await run("show", name);
      const text = await Deno.readTextFile(new URL(`../../${name}`, import.meta.url));
      assert.deepEqual([code, stdout.trimEnd()], [0, text.trimEnd()], name);
    }
  });
  await list.check("`check` takes the built-in defaults", async () => {
    const { code, stdout, stderr } = await run("check");
    assert.equal(code, 0, stderr);
    return stdout;
  });
}

/** What takes files: a wrong configuration, a port in use, and files that the server writes. */
export async function checkFiles(list: Checklist, { command }: Subject, folder: string): Promise<void> {
  const write = async (name: string, text: string): Promise<string> => {
    await Deno.writeTextFile(join(folder, name), text);
    return name;
  };
  const run = (...args: string[]) => new StartedProgram(command, args, { cwd: folder }).end();
  await list.check("`check` names the file, the line and the reason", async () => {
    const { code, stderr } = await run(
      "check",
      "-c",
      await write("wrong.toml", "listen = 1935\nchunk_sise = 1\n"),
    );
    assert.equal(code, 1);
    assert.match(stderr, /^wrong\.toml:2:.*chunk_size/);
    return stderr.trim();
  });
  await list.check(
    "a port in use is one sentence that names it and the way to another, and code 1",
    async () => {
      const taken = Deno.listen({ port: 0 });
      try {
        const { port } = taken.addr as Deno.NetAddr;
        const { code, stderr } = await run("-c", await write("taken.toml", quiet(`listen = ${port}`)));
        assert.equal(code, 1);
        assert.match(
          stderr,
          new RegExp(`^Cannot listen on port ${port}: [^\\n]*HEADWATER_LISTEN[^\\n]*\\n$`),
        );
        return stderr.trim();
      } finally {
        taken.close();
      }
    },
  );
  await list.check("writes log_file and pid where it runs, and removes the pid", async () => {
    const config = quiet('listen = 0\nlog_file = "a.log"\npid = "a.pid"\nlog_format = "json"');
    const server = new StartedProgram(command, ["-c", await write("files.toml", config)], { cwd: folder });
    try {
      const pid = Number(await fileText(join(folder, "a.pid")));
      assert.ok(pid > 0);
      server.signal("SIGTERM");
      const { code, stdout } = await server.end();
      assert.equal(code, 0);
      assert.equal(stdout, "", "a log of JSON is no place for a greeting");
      await assert.rejects(Deno.stat(join(folder, "a.pid")));
      const lines = (await Deno.readTextFile(join(folder, "a.log"))).trim().split("\n");
      assert.ok(lines.map((line) => JSON.parse(line).message).includes("Stopped"));
    } finally {
      await server.kill();
    }
  });
  await list.check("runs a sample of SRS's as it is, in an empty folder", async () => {
    const empty = await Deno.makeTempDir();
    const sample = `listen 0;
max_connections 1000;
daemon off;
srs_log_tank file;
srs_log_file ./objs/srs.log;
pid ./objs/origin.cluster.serverA.pid;
vhost __defaultVhost__ {
    cluster {
        mode            local;
        origin_cluster  on;
        coworkers       127.0.0.1:9091;
    }
}
`;
    await Deno.writeTextFile(join(empty, "srs.conf"), sample);
    const server = new StartedProgram(command, ["srs.conf"], { cwd: empty });
    try {
      assert.ok(Number(await fileText(join(empty, "objs/origin.cluster.serverA.pid"))) > 0);
      server.signal("SIGTERM");
      assert.equal((await server.end()).code, 0);
      assert.match(await Deno.readTextFile(join(empty, "objs/srs.log")), /Stopped\n$/);
    } finally {
      await server.kill();
      await Deno.remove(empty, { recursive: true });
    }
  });
  await list.check("writes where else the configuration says, and makes the folders", async () => {
    const elsewhere = join(await Deno.makeTempDir(), "new", "folder");
    const config = quiet(
      `listen = 0\nlog_file = ${JSON.stringify(join(elsewhere, "a.log"))}\npid = ${
        JSON.stringify(join(elsewhere, "a.pid"))
      }`,
    );
    const server = new StartedProgram(command, ["-c", await write("elsewhere.toml", config)], {
      cwd: folder,
    });
    try {
      assert.ok(Number(await fileText(join(elsewhere, "a.pid"))) > 0);
      server.signal("SIGTERM");
      assert.equal((await server.end()).code, 0);
      assert.match(await Deno.readTextFile(join(elsewhere, "a.log")), /Stopped\n$/);
    } finally {
      await server.kill();
      await Deno.remove(join(elsewhere, "../.."), { recursive: true });
    }
  });
}

function quiet(config: string): string {
  return `${config}\nhttp_api.enabled = false\nhttp_server.enabled = false\n`;
}

/** The text of a file, as soon as there is one. */
async function fileText(path: string): Promise<string> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    try {
      const text = await Deno.readTextFile(path);
      if (text !== "") return text;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
