import type { RunningProgram } from "./running_program.ts";
import type { ServerProcess } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

/** Publishes a file with ffmpeg in real time; resolves when the server takes it. */
export async function publishFile(
  scope: TestScope,
  server: ServerProcess,
  file: string,
  path: string = "live/a",
): Promise<RunningProgram> {
  const from = server.lines.length;
  const publisher = scope.start("ffmpeg", ...publishArguments(file, server.url(path)));
  await server.line(({ message }) => message === "Publish started", from);
  return publisher;
}

/** What ffmpeg is started with to publish a file in real time. */
export function publishArguments(file: string, url: string): string[] {
  return ["-v", "error", "-re", "-i", file, "-c", "copy", "-f", "flv", url];
}
