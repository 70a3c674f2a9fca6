/** A process that the bench starts, and talks to a line at a time. */
export class Child {
  static readonly #running = new Set<Deno.ChildProcess>();
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly pid: number;

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#process = new Deno.Command(command, {
      args: [...args],
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    Child.#running.add(this.#process);
    this.pid = this.#process.pid;
    this.#lines = lines(this.#process.stdout);
    this.#input = this.#process.stdin.getWriter();
  }

  /**
   * The next line of its output.
   *
   * @throws {Error} When it has ended.
   */
  async line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error(`Cannot go on: process ${this.pid} has ended`);
    return value;
  }

  /** Sends a line, and takes the line that answers it. */
  async ask(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.line();
  }

  /** Ends all that run; for the end of the bench before its time. */
  static killAll(): void {
    for (const process of Child.#running) process.kill("SIGKILL");
  }

  /** Ends it, and waits until it is gone. */
  async stop(): Promise<void> {
    try {
      this.#process.kill("SIGTERM");
    } catch {
      // It is gone already.
    }
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), 5000);
    while (!(await this.#lines.next()).done);
    await this.#process.status;
    clearTimeout(timer);
    Child.#running.delete(this.#process);
    await this.#input.close().catch(() => {});
  }
}

async function* lines(bytes: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<string> {
  let rest = "";
  for await (const text of bytes.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    yield* parts;
  }
}
