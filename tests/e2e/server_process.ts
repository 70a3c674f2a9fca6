import manifest from "../../deno.json" with { type: "json" };
import { Changes } from "../fakes/changes.ts";
import { withDeadline } from "../fakes/deadline.ts";
import { inheritedEnvironment, RunningProgram } from "./running_program.ts";

export interface ServerProcessOptions {
  /** TOML that is added to listens on free ports. */
  readonly config?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How many files and sockets it may have open, by `ulimit -n`; absent: as many as the test. */
  readonly descriptors?: number;
  /** Shell commands that are run before, by the process that becomes the server. */
  readonly prelude?: string;
  /** Sent as soon as it has written anything. */
  readonly signals?: readonly Deno.Signal[];
}

/** One line of the server's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [name: string]: unknown;
}

/** Arguments of `deno task start`: the permissions that users give it are those of its tests. */
export const START_ARGUMENTS: readonly string[] = manifest.tasks.start.split(" ").slice(1);
const ROOT = new URL("../..", import.meta.url);
const READY_DEADLINE_MS = 30_000;

/** A server in a process of its own, on free ports. */
export class ServerProcess {
  readonly configPath: string;
  readonly lines: LogLine[] = [];
  readonly #child: Deno.ChildProcess;
  readonly #changes = new Changes();
  readonly #status: Promise<Deno.CommandStatus>;
  #stderr = "";
  #isOver = false;
  #reading = Promise.withResolvers<void>();

  private constructor(configPath: string, child: Deno.ChildProcess) {
    this.configPath = configPath;
    this.#child = child;
    this.#reading.resolve();
    const stdout = readLines(child.stdout, (line) => this.#take(line), () => this.#reading.promise);
    const stderr = readLines(child.stderr, (line) => this.#stderr += `${line}\n`);
    this.#status = Promise.all([child.status, stdout, stderr]).then(([status]) => {
      this.#stderr += `exit code ${status.code}, signal ${status.signal}\n`;
      this.#isOver = true;
      this.#changes.notify();
      return status;
    });
  }

  /** @throws {Error} When it does not listen in time, with what it wrote to stderr. */
  static async start(configPath: string, options: ServerProcessOptions): Promise<ServerProcess> {
    await Deno.writeTextFile(configPath, serverConfig(options.config));
    const command = [Deno.execPath(), ...START_ARGUMENTS, "-c", configPath];
    const prelude = options.descriptors === undefined
      ? options.prelude
      : `${options.prelude ?? ":"}; ulimit -n ${options.descriptors}`;
    const [program = "", ...args] = prelude === undefined
      ? command
      : ["sh", "-c", `${prelude}; exec "$0" "$@"`, ...command];
    const child = new Deno.Command(program, {
      args,
      cwd: ROOT,
      clearEnv: true,
      env: { ...inheritedEnvironment(), NO_COLOR: "1", ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const server = new ServerProcess(configPath, child);
    try {
      if (options.signals !== undefined) await server.line(() => true);
      for (const signal of options.signals ?? []) server.signal(signal);
      // The last of its listeners.
      await server.line(({ message, protocol }) => message === "Listening" && protocol === "httpServer");
      return server;
    } catch (error) {
      await server.kill();
      throw error;
    }
  }

  get pid(): number {
    return this.#child.pid;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The port of a listener; 0 when there is none. */
  port(protocol: string): number {
    const line = this.lines.find((each) => each.message === "Listening" && each["protocol"] === protocol);
    return typeof line?.["port"] === "number" ? line["port"] : 0;
  }

  /** `rtmp://` with the server's address and this path. */
  url(path: string): string {
    return `rtmp://127.0.0.1:${this.port("rtmp")}/${path}`;
  }

  /** The first line that matches, from the `from`th on, now or when it comes. */
  async line(matches: (line: LogLine) => boolean, from: number = 0): Promise<LogLine> {
    const found = await this.#changes.until(
      () => this.lines.slice(from).find(matches) ?? (this.#isOver ? "over" : undefined),
      () => `a line of the server's log\n${this.#log()}`,
      READY_DEADLINE_MS,
    );
    if (found === "over") throw new Error(`Cannot wait for a line: the server is gone\n${this.#log()}`);
    return found;
  }

  /** Reads no more of its log, so that the pipe fills up, until `readOn`. */
  stopReading(): void {
    this.#reading = Promise.withResolvers();
  }

  readOn(): void {
    this.#reading.resolve();
  }

  signal(signal: Deno.Signal): void {
    if (!this.#isOver) this.#child.kill(signal);
  }

  /** Reloads with another configuration, as for `start`. */
  async reload(config: string): Promise<void> {
    const from = this.lines.length;
    await Deno.writeTextFile(this.configPath, serverConfig(config));
    this.signal("SIGHUP");
    const { message } = await this.line(
      (line) => /^(Configuration reloaded|Cannot reload)/.test(line.message),
      from,
    );
    if (message.startsWith("Cannot")) throw new Error(`${message}\n${this.#log()}`);
  }

  /** Waits for the process to end. */
  async finish(milliseconds: number): Promise<Deno.CommandStatus> {
    return await withDeadline(this.#status, () => `the server's end\n${this.#log()}`, milliseconds);
  }

  async kill(): Promise<void> {
    this.readOn();
    this.signal("SIGKILL");
    await this.#status;
  }

  /** Memory of the process, in bytes. */
  async residentBytes(): Promise<number> {
    if (this.#isOver) throw new Error(`Cannot read memory: the server is gone\n${this.#log()}`);
    // Deno lets nobody but programs that may do everything read /proc; another program may.
    const status = await RunningProgram.start("cat", [`/proc/${this.pid}/status`]).succeed();
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
  }

  /** Descriptors that the process has open. */
  async openDescriptors(): Promise<number> {
    if (this.#isOver) throw new Error(`Cannot count descriptors: the server is gone\n${this.#log()}`);
    const listed = await RunningProgram.start("ls", [`/proc/${this.pid}/fd`]).succeed();
    return listed.trim().split("\n").length;
  }

  #take(line: string): void {
    try {
      this.lines.push(JSON.parse(line));
    } catch {
      this.#stderr += `${line}\n`;
    }
    this.#changes.notify();
  }

  #log(): string {
    return [...this.lines.slice(-20).map((line) => JSON.stringify(line)), this.#stderr].join("\n");
  }
}

/** A configuration on free ports; keys without a section first. */
export function serverConfig(config: string = ""): string {
  return `listen = "127.0.0.1:0"
log_format = "json"
http_api.listen = "127.0.0.1:0"
http_server.listen = "127.0.0.1:0"
${config}
`;
}

async function readLines(
  stream: ReadableStream<Uint8Array>,
  take: (line: string) => void,
  mayRead: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const bytes of stream) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
    await mayRead();
  }
  if (rest !== "") take(rest);
}
