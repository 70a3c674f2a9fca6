import { withDeadline } from "../fakes/deadline.ts";

/** How a program ended. */
export interface ProgramResult {
  readonly code: number;
  readonly signal: Deno.Signal | null;
  readonly stdout: string;
  readonly stderr: string;
}

const DEFAULT_DEADLINE_MS = 60_000;

/** A child process that is waited for with a deadline and never outlives its test. */
export class RunningProgram {
  readonly #name: string;
  readonly #child: Deno.ChildProcess;
  readonly #result: Promise<ProgramResult>;
  #isOver = false;

  private constructor(name: string, child: Deno.ChildProcess) {
    this.#name = name;
    this.#child = child;
    const decoder = new TextDecoder();
    this.#result = child.output().then(({ code, signal, stdout, stderr }) => {
      this.#isOver = true;
      return { code, signal, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
    });
  }

  /** @param env Added to what is inherited. */
  static start(
    path: string,
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): RunningProgram {
    const command = new Deno.Command(path, {
      args: [...args],
      clearEnv: true,
      env: { ...inheritedEnvironment(), ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    });
    return new RunningProgram(`${path} ${args.join(" ")}`, command.spawn());
  }

  get pid(): number {
    return this.#child.pid;
  }

  signal(signal: Deno.Signal): void {
    if (!this.#isOver) this.#child.kill(signal);
  }

  /**
   * Waits for the program to end by itself.
   *
   * @throws {Error} When it does not within the time.
   */
  async finish(milliseconds: number = DEFAULT_DEADLINE_MS): Promise<ProgramResult> {
    try {
      return await withDeadline(this.#result, this.#name, milliseconds);
    } catch (error) {
      this.signal("SIGKILL");
      throw new Error(`${(error as Error).message}\n${(await this.#result).stderr.slice(-2000)}`);
    }
  }

  /**
   * Waits for the program to end well.
   *
   * @returns What it wrote to stdout.
   * @throws {Error} With what it wrote to stderr.
   */
  async succeed(milliseconds: number = DEFAULT_DEADLINE_MS): Promise<string> {
    const { code, stdout, stderr } = await this.finish(milliseconds);
    if (code !== 0) {
      throw new Error(`Cannot go on: exit code ${code} of ${this.#name}\n${stderr.slice(-2000)}`);
    }
    return stdout;
  }

  /** Ends it at once, also when it is stopped. */
  async kill(): Promise<ProgramResult> {
    this.signal("SIGKILL");
    return await this.#result;
  }
}

/** The environment without what configures a server or these tests. */
export function inheritedEnvironment(): Record<string, string> {
  const own = Object.entries(Deno.env.toObject()).filter(([name]) => !/^(HEADWATER|SRS)_/.test(name));
  return Object.fromEntries(own);
}
