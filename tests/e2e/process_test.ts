import { deepEqual, equal, match, ok, rejects } from "node:assert/strict";
import manifest from "../../deno.json" with { type: "json" };
import { connectLocally } from "../fakes/local_client.ts";
import { programTest } from "./program_test_case.ts";
import { type ProgramResult, RunningProgram } from "./running_program.ts";
import { serverConfig, START_ARGUMENTS } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

/** How long a stop may take, in milliseconds. */
const STOP_DEADLINE_MS = 3000;

programTest([], "--version prints name and version", async (scope) => {
  const { code, stdout } = await headwater(scope, "--version");
  equal(code, 0);
  equal(stdout, `headwater ${manifest.version}\n`);
});

programTest([], "check names file and line of each mistake and the nearest key", async (scope) => {
  const path = scope.path("bad.toml");
  await Deno.writeTextFile(path, 'listen = 1935\nchunk_sise = 4096\nlog_level = "loud"\n');
  const { code, stdout, stderr } = await headwater(scope, "check", "-c", path);
  equal(code, 1);
  equal(stdout, "");
  ok(stderr.includes(`${path}:2:`), stderr);
  match(stderr, /chunk_size/);
  ok(stderr.includes(`${path}:3:`), stderr);
});

programTest([], "check accepts what is shipped", async (scope) => {
  const entries = await Array.fromAsync(Deno.readDir("conf"));
  const names = entries.map(({ name }) => name).filter((name) => name.endsWith(".toml"));
  ok(names.length > 0);
  for (const name of names) {
    const { code, stderr } = await headwater(scope, "check", "-c", `conf/${name}`);
    deepEqual([name, code, stderr], [name, 0, ""]);
  }
});

programTest([], "a server with a wrong configuration does not start", async (scope) => {
  const path = scope.path("bad.toml");
  await Deno.writeTextFile(path, serverConfig("[vhost.a.play]\nqueue_length = -1"));
  const { code, stderr } = await headwater(scope, "-c", path);
  equal(code, 1);
  match(stderr, /queue_length/);
});

programTest([], "a port in use costs one sentence and exit code 1", async (scope) => {
  const first = await scope.startServer();
  const path = scope.path("second.toml");
  const listen = `"127.0.0.1:${first.port("rtmp")}"`;
  await Deno.writeTextFile(path, serverConfig().replace(/^listen = .*$/m, `listen = ${listen}`));
  const { code, stderr } = await headwater(scope, "-c", path);
  equal(code, 1);
  match(stderr, new RegExp(`^Cannot listen on port ${first.port("rtmp")}: it is already in use; .*\n$`));
});

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  programTest(
    [],
    `${signal} ends connections and the process within 3 s, with exit code 0`,
    async (scope) => {
      const server = await scope.startServer();
      const publisher = await connectLocally(server.port("rtmp"), "live");
      scope.onClose(() => publisher.close());
      await publisher.publish("a");
      const player = await connectLocally(server.port("rtmp"), "live");
      scope.onClose(() => player.close());
      await player.play("a");
      server.signal(signal);
      equal((await server.finish(STOP_DEADLINE_MS)).code, 0);
      await Promise.all(
        [publisher, player].map((client) => client.until(() => client.isEnded, "the end of a connection")),
      );
      deepEqual(server.lines.slice(-1).map(({ message }) => message), ["Stopped"]);
    },
  );
}

programTest(
  [],
  "SIGHUP takes a new configuration, and keeps the running one when the new one is wrong",
  async (scope) => {
    const server = await scope.startServer();
    await (await fetch(`http://127.0.0.1:${server.port("httpApi")}/api/v1/versions`)).body?.cancel();
    const player = await connectLocally(server.port("rtmp"), "live");
    scope.onClose(() => player.close());
    await player.play("a");

    const reload = async (config: string, expected: RegExp) => {
      const from = server.lines.length;
      await Deno.writeTextFile(server.configPath, config);
      server.signal("SIGHUP");
      await server.line(({ message }) => expected.test(message), from);
    };
    await reload(serverConfig("max_connections = 1"), /^Configuration reloaded/);
    await assertRefused(server.port("rtmp"));
    await reload(serverConfig("max_connections = 1000\nno_such_key = 1"), /^Cannot reload/);
    await assertRefused(server.port("rtmp"));
    // The HTTP connection is kept and counts too.
    await reload(serverConfig("max_connections = 3"), /^Configuration reloaded/);
    const second = await connectLocally(server.port("rtmp"), "live");
    scope.onClose(() => second.close());
    equal(player.isEnded, false);
  },
);

programTest(
  [],
  "a reload changes the API's password and the pid file, and names the keys that take a restart",
  async (scope) => {
    const auth = (password: string) =>
      `http_api.auth = { enabled = true, username = "a", password = "${password}" }`;
    const pid = (name: string) => `pid = ${JSON.stringify(scope.path(name))}`;
    const server = await scope.startServer({ config: `${auth("first")}\n${pid("a/first.pid")}` });
    const ask = async (password: string): Promise<number> => {
      const url = `http://127.0.0.1:${server.port("httpApi")}/api/v1/versions`;
      const response = await fetch(url, { headers: { Authorization: `Basic ${btoa(`a:${password}`)}` } });
      await response.body?.cancel();
      return response.status;
    };
    deepEqual([await ask("first"), await ask("second")], [200, 401]);
    await server.reload(`${auth("second")}\n${pid("b/second.pid")}\nserver_id = "other"`);
    deepEqual([await ask("first"), await ask("second")], [401, 200]);
    equal(Number(await Deno.readTextFile(scope.path("b/second.pid"))), server.pid);
    await rejects(Deno.stat(scope.path("a/first.pid")));
    const { keys } = await server.line(({ message }) =>
      message.startsWith("Configuration: these keys change only on restart")
    );
    deepEqual(keys, ["server_id"]);
  },
);

programTest([], "a signal that comes before the program is loaded ends nothing", async (scope) => {
  // The first line is written before the rest of the program is read.
  const server = await scope.startServer({ signals: ["SIGHUP", "SIGUSR1", "SIGUSR2"] });
  await server.line(({ message }) => /^Configuration reloaded/.test(message));
  await server.line(({ message }) => message === "Log reopened");
  await server.line(({ message }) => message === "Signal ignored");
  const client = await connectLocally(server.port("rtmp"), "live");
  scope.onClose(() => client.close());
});

programTest(
  [],
  "SIGUSR1 opens the log file again, and keeps the old one when it can't be opened",
  async (scope) => {
    const server = await scope.startServer();
    const [file, moved] = [scope.path("logs/a.log"), scope.path("logs/a.log.1")];
    const reload = serverConfig(`log_file = ${JSON.stringify(file)}`);
    await Deno.writeTextFile(server.configPath, reload);
    server.signal("SIGHUP");
    await textOf(file, /Configuration reloaded/);
    await Deno.rename(file, moved);
    server.signal("SIGUSR1");
    await textOf(file, /Log reopened/);
    await Deno.rename(file, moved);
    await Deno.mkdir(file);
    server.signal("SIGUSR1");
    await textOf(moved, /Cannot reopen log_file/);
  },
);

programTest(
  [],
  "a full pipe costs log lines, never media",
  async (scope) => {
    const server = await scope.startServer({ config: 'log_level = "debug"' });
    const port = server.port("rtmp");
    const publisher = await connectLocally(port, "live");
    scope.onClose(() => publisher.close());
    await publisher.publish("a");
    server.stopReading();
    // Each is some lines: more than the pipe holds, and what the reader at our end takes on its own.
    for (let i = 0; i < 400; i++) (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    const player = await connectLocally(port, "live");
    scope.onClose(() => player.close());
    await player.play("a");
    const metrics = await fetch(`http://127.0.0.1:${server.port("httpApi")}/metrics`);
    match(await metrics.text(), /^headwater_log_lines_lost_total \d+$/m);
    server.readOn();
    await server.line(({ message, stream }) => message === "Play started" && stream !== undefined);
    equal(publisher.isEnded, false);
  },
);

programTest([], "a named pipe that nobody reads is a log like any other", async (scope) => {
  const pipe = scope.path("log.pipe");
  await RunningProgram.start("mkfifo", [pipe]).succeed();
  const server = await scope.startServer();
  await Deno.writeTextFile(server.configPath, serverConfig(`log_file = ${JSON.stringify(pipe)}`));
  server.signal("SIGHUP");
  // Asked on a connection of its own until the reload is through: nothing of it can be read.
  const client = await connectLocally(server.port("rtmp"), "live");
  scope.onClose(() => client.close());
  await client.publish("a");
  server.signal("SIGTERM");
  equal((await server.finish(STOP_DEADLINE_MS)).code, 0);
});

programTest([], "no error that nobody caught ends the process", async () => {
  const lib = new URL("../../lib/", import.meta.url);
  const program = RunningProgram.start(Deno.execPath(), [
    "eval",
    "--ext=ts",
    `
    import process from "node:process";
    import { EventEmitter } from "node:events";
    import { inBackground } from "${lib}base/background.ts";
    import { UnexpectedErrors } from "${lib}app/unexpected_errors.ts";
    const errors = new UnexpectedErrors();
    errors.listen();
    const fail = () => { throw new Error("not expected"); };
    Promise.reject(new Error("floats"));
    inBackground(Promise.reject(new Error("floats too")), "work");
    queueMicrotask(fail);
    setTimeout(fail);
    process.nextTick(fail);
    setTimeout(() => new EventEmitter().emit("error", new Error("nobody listens")));
    const target = new EventTarget();
    target.addEventListener("event", fail);
    setTimeout(() => target.dispatchEvent(new Event("event")));
    const timer = setInterval(() => {
      if (errors.count < 7) return;
      clearInterval(timer);
      console.log(errors.count + " errors, and it runs");
    }, 10);
  `,
  ]);
  equal(await program.succeed(), "7 errors, and it runs\n");
});

/** Resolves when a file has a text that matches. */
async function textOf(path: string, pattern: RegExp): Promise<void> {
  for (;;) {
    const text = await Deno.readTextFile(path).catch(() => "");
    if (pattern.test(text)) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

async function assertRefused(port: number): Promise<void> {
  const isRefused = await connectLocally(port, "live").then(
    async (client) => {
      await client.close();
      return false;
    },
    () => true,
  );
  ok(isRefused, "a connection too many is taken");
}

async function headwater(scope: TestScope, ...args: string[]): Promise<ProgramResult> {
  const program = RunningProgram.start(Deno.execPath(), [...START_ARGUMENTS, ...args]);
  scope.onClose(async () => {
    await program.kill();
  });
  return await program.finish();
}

programTest(
  [],
  "started as systemd does, by nohup, no SIGHUP ends it while the runtime boots, and later ones reload",
  async (scope) => {
    const server = await scope.startServer({
      // What nohup does to SIGHUP, and one every 10 ms until long after the server listens for it.
      prelude: "trap '' HUP; (for i in $(seq 50); do kill -HUP $$ 2>/dev/null; sleep 0.01; done) & true",
    });
    const from = server.lines.length;
    server.signal("SIGHUP");
    await server.line(({ message }) => message === "Configuration reloaded", from);
  },
);
