/** What a signal asks a server to do; `terminate` stops, or drains where it is configured so. */
export type SignalRequest = "stop" | "terminate" | "drain" | "reload" | "reopenLog" | "nothing";

const IS_WINDOWS = Deno.build.os === "windows";

/** Every signal that would end the process and that operators and their tools send. */
const REQUESTS: Readonly<Partial<Record<Deno.Signal, SignalRequest>>> = IS_WINDOWS
  // There are no others that can be listened for.
  ? { SIGINT: "stop", SIGBREAK: "stop" }
  : {
    SIGINT: "stop",
    SIGTERM: "terminate",
    SIGQUIT: "drain",
    SIGHUP: "reload",
    SIGUSR1: "reopenLog",
    // SRS's and nginx's "start the new binary": there is nothing like it here.
    SIGUSR2: "nothing",
  };

/**
 * The signals of this process. Without a listener each of them ends it, so this listens before anything else is loaded,
 * and keeps what comes until there is somebody to tell.
 */
export class ProcessSignals {
  readonly #listeners = new Map<Deno.Signal, () => void>();
  readonly #early: Deno.Signal[] = [];
  #take: (signal: Deno.Signal, request: SignalRequest) => void = (signal) => this.#early.push(signal);

  private constructor() {}

  /** Begins to listen. */
  static listen(): ProcessSignals {
    const signals = new ProcessSignals();
    for (const [name, request] of Object.entries(REQUESTS)) {
      const signal = name as Deno.Signal;
      const listener = (): void => signals.#take(signal, request);
      Deno.addSignalListener(signal, listener);
      signals.#listeners.set(signal, listener);
    }
    return signals;
  }

  /** Gives `take` the signals that have come, and those that come. */
  handle(take: (signal: Deno.Signal, request: SignalRequest) => void): void {
    this.#take = take;
    for (const signal of this.#early.splice(0)) take(signal, REQUESTS[signal] ?? "nothing");
  }

  /**
   * Lets signals do again what they do to any program.
   *
   * @returns Whether one has come before that would have ended it.
   */
  release(): boolean {
    for (const [signal, listener] of this.#listeners) Deno.removeSignalListener(signal, listener);
    this.#listeners.clear();
    return this.#early.length > 0;
  }
}
