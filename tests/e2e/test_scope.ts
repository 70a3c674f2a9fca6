import { join } from "node:path";
import { findProgram, type ProgramName } from "./programs.ts";
import { RunningProgram } from "./running_program.ts";
import { ServerProcess, type ServerProcessOptions } from "./server_process.ts";

/** What one test starts, and ends with it. */
export class TestScope {
  readonly #closers: (() => void | Promise<void>)[] = [];
  #folder: string | undefined;
  #servers = 0;

  /** Calls `close` when the test ends; the last added is closed first. */
  onClose(close: () => void | Promise<void>): void {
    this.#closers.push(close);
  }

  /** The path of a file in the test's own folder. */
  path(name: string): string {
    if (this.#folder === undefined) {
      const folder = Deno.makeTempDirSync({ prefix: "headwater-e2e-" });
      this.#folder = folder;
      this.#closers.unshift(() => Deno.remove(folder, { recursive: true }));
    }
    return join(this.#folder, name);
  }

  /** Starts a program of the machine. */
  start(name: ProgramName, ...args: string[]): RunningProgram {
    const location = findProgram(name);
    if (location === undefined) throw new Error(`Cannot start ${name}: there is none`);
    const program = RunningProgram.start(location.path, args, location.env);
    this.onClose(async () => {
      await program.kill();
    });
    return program;
  }

  /** Starts a server and waits until it listens. */
  async startServer(options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const configPath = this.path(`headwater-${this.#servers++}.toml`);
    const server = await ServerProcess.start(configPath, options);
    this.onClose(() => server.kill());
    return server;
  }

  /** Ends everything, the last started first. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}
