import { FFMPEG7_VARIABLE, findProgram, type ProgramName } from "./programs.ts";
import { TestScope } from "./test_scope.ts";

/**
 * A test that needs programs. Where one is missing it is skipped, and its name says why; in CI (CI=true) it fails.
 *
 * @param run Is given a scope that ends everything it started, however the test ends.
 */
export function programTest(
  programs: readonly ProgramName[],
  name: string,
  run: (scope: TestScope) => Promise<void>,
): void {
  const missing = programs.filter((program) => findProgram(program) === undefined);
  const isCi = Deno.env.get("CI") === "true";
  const reason = missing.length === 0 ? "" : ` (needs ${missing.map(describe).join(", ")})`;
  Deno.test({
    name: name + reason,
    ignore: missing.length > 0 && !isCi,
    fn: async () => {
      if (missing.length > 0) throw new Error(`Cannot run without ${missing.map(describe).join(", ")}`);
      const scope = new TestScope();
      try {
        await run(scope);
      } finally {
        await scope.close();
      }
    },
  });
}

function describe(program: ProgramName): string {
  return program.endsWith("7")
    ? `${program.slice(0, -1)} 7, in the folder that ${FFMPEG7_VARIABLE} names`
    : program;
}
