import { runProgram } from "./lib/app/program.ts";

if (import.meta.main) Deno.exit(await runProgram(Deno.args));
