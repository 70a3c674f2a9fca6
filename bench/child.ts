/** How long a process may take for its next line, in seconds: longer than the longest that one of them does. */
export const LINE_LIMIT_SECONDS = 60;
/** How long it may take to end when it is asked to, in milliseconds. */
const STOP_LIMIT_MS = 5000;

/** A process that the bench starts, and talks to a line at a time. */
export class Child {
  static readonly #running = new Set<Deno.ChildProcess>();
  readonly #command: string;
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly pid: number;
  hasEnded = false;

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.#command = command;
    // With as many descriptors as the system lets it have: crowds need more than the usual 1024.
    this.#process = new Deno.Command("sh", {
      args: ["-c", 'ulimit -n "$(ulimit -H -n)"; exec "$0" "$@"', command, ...args],
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    Child.#running.add(this.#process);
    this.pid = this.#process.pid;
    this.#process.status.then(() => this.hasEnded = true);
    this.#lines = lines(this.#process.stdout);
    this.#input = this.#process.stdin.getWriter();
  }

  /**
   * The next line of its output.
   *
   * @throws {Error} When it has ended, or says nothing for too long.
   */
  async line(limitSeconds: number = LINE_LIMIT_SECONDS): Promise<string> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`Cannot go on: ${this.#name} has said nothing for ${limitSeconds} s`)),
        limitSeconds * 1000,
      );
    });
    try {
      const { value, done } = await Promise.race([this.#lines.next(), late]);
      if (done) throw new Error(`Cannot go on: ${this.#name} has ended`);
      return value;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a line, and takes the line that answers it. */
  async ask(line: string): Promise<string> {
    await this.#input.write(new TextEncoder().encode(`${line}\n`));
    return await this.line();
  }

  /** Ends all that run; for the end of the bench before its time. */
  static killAll(): void {
    for (const process of Child.#running) kill(process, "SIGKILL");
  }

  /** Ends it, and waits until it is gone. */
  async stop(): Promise<void> {
    kill(this.#process, "SIGTERM");
    const timer = setTimeout(() => kill(this.#process, "SIGKILL"), STOP_LIMIT_MS);
    while (!(await this.#lines.next()).done);
    await this.#process.status;
    clearTimeout(timer);
    Child.#running.delete(this.#process);
    await this.#input.close().catch(() => {});
  }

  get #name(): string {
    return `process ${this.pid} (${this.#command.split("/").at(-1)})`;
  }
}

function kill(process: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    process.kill(signal);
  } catch {
    // It is gone already.
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
