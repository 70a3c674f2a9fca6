import { ProcessSignals } from "./lib/app/process_signals.ts";

if (import.meta.main) {
  // Before the program is loaded: a signal that nobody listens for ends the process.
  const signals = ProcessSignals.listen();
  const { runProgram } = await import("./lib/app/program.ts");
  // The program hears of errors that nobody expected, and goes on; from this one it can't.
  const code = await runProgram(Deno.args, signals).catch((error) => {
    const text = `Cannot run: internal error: ${error instanceof Error ? error.stack : error}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(text));
    return 1;
  });
  Deno.exit(code);
}
