/** Only for what hangs: a busy machine is given its time. */
const DEADLINE_MS = 60_000;

/** Where and with what a program is started. */
export interface StartOptions {
  readonly cwd: string;
  /** All of its environment; absent: it is empty. */
  readonly env?: Readonly<Record<string, string>>;
  /** Whether it sees the variables of this process too. */
  readonly inheritsEnvironment?: boolean;
}

/** A program whose lines can be waited for. */
export class StartedProgram {
  /** What it wrote to stdout, a line each, so far. */
  readonly lines: string[] = [];
  readonly #child: Deno.ChildProcess;
  #waiting: (() => void)[] = [];
  readonly #status: Promise<Deno.CommandStatus>;
  readonly #stderr: Promise<string>;
  #isOver = false;

  constructor(command: readonly [string, ...string[]], args: readonly string[], options: StartOptions) {
    const [program, ...first] = command;
    this.#child = new Deno.Command(program, {
      args: [...first, ...args],
      cwd: options.cwd,
      clearEnv: options.inheritsEnvironment !== true,
      env: { ...options.env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.#stderr = new Response(this.#child.stderr).text();
    const read = this.#readLines();
    this.#status = Promise.all([this.#child.status, read, this.#stderr]).then(([status]) => {
      this.#isOver = true;
      this.#notify();
      return status;
    });
  }

  /** The first line that matches, now or when it comes. */
  async line(pattern: RegExp): Promise<RegExpExecArray> {
    const search = async (): Promise<RegExpExecArray> => {
      for (;;) {
        const found = this.lines.map((line) => pattern.exec(line)).find((match) => match !== null);
        if (found !== undefined) return found;
        if (this.#isOver) throw new Error(`Cannot wait for ${pattern}: it ended\n${await this.#output()}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    };
    return await this.#inTime(search(), String(pattern));
  }

  signal(signal: Deno.Signal): void {
    if (!this.#isOver) this.#child.kill(signal);
  }

  /** Waits for its end. */
  async end(): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
    const { code } = await this.#inTime(this.#status, "its end");
    return { code, stdout: this.lines.join("\n"), stderr: await this.#stderr };
  }

  async kill(): Promise<void> {
    this.signal("SIGKILL");
    await this.#status;
  }

  #notify(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async #inTime<T>(promise: Promise<T>, what: string): Promise<T> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`Cannot wait longer for ${what}\n${this.lines.slice(-20).join("\n")}`)),
        DEADLINE_MS,
      );
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  async #output(): Promise<string> {
    return [...this.lines.slice(-20), await this.#stderr].join("\n");
  }

  async #readLines(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stdout.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      this.lines.push(...lines);
      this.#notify();
    }
    if (rest !== "") this.lines.push(rest);
  }
}
