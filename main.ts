import { ProcessSignals } from "./lib/app/process_signals.ts";

if (import.meta.main) {
  // Before the program is loaded: a signal that nobody listens for ends the process.
  const signals = ProcessSignals.listen();
  const { runProgram } = await import("./lib/app/program.ts");
  Deno.exit(await runProgram(Deno.args, signals));
}
