import { Child } from "./child.ts";
import type { LoadSnapshot, LoadTask } from "./load_task.ts";

/** Starts a process that makes load; its first line says that it does. */
export function startLoad(task: LoadTask): Child {
  return new Child(Deno.execPath(), [
    "run",
    "--allow-net",
    "--allow-ffi",
    new URL("./load.ts", import.meta.url).pathname,
    JSON.stringify(task),
  ]);
}

/** What each has seen, at about the same time. */
export async function snapshots(loads: readonly Child[]): Promise<LoadSnapshot[]> {
  return await Promise.all(loads.map(async (load) => JSON.parse(await load.ask("snapshot")) as LoadSnapshot));
}
