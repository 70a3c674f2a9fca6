import assert from "node:assert/strict";
import { join } from "node:path";
import type { Checklist } from "./checklist.ts";
import { LiveMedia } from "./live_media.ts";
import { StartedProgram } from "./started_program.ts";
import type { Subject } from "./subject.ts";

const ROOT = new URL("../../", import.meta.url);
const SECTIONS = ["Origin cluster", "Edge"];
/** What stands for the binary in README. */
const START = ["deno", "task", "start"];

/** The lines of README's sections on the cluster and the edge, run as they stand: only ports are others, so that none is taken. */
export async function checkReadme(list: Checklist, { command }: Subject, folder: string): Promise<void> {
  const readme = await Deno.readTextFile(new URL("README.md", ROOT));
  const ports = new FreePorts();
  const lines = SECTIONS.flatMap((name) => shellLines(readme, name)).map((line) => ports.replace(line));
  const started: StartedProgram[] = [];
  let media: LiveMedia | undefined;
  try {
    await copySamples(folder, ports);
    const run = async (words: readonly string[]): Promise<string | void> => {
      const last = words.at(-1) ?? "";
      switch (words[0]) {
        case "deno": {
          const args = words.slice(START.length);
          const server = new StartedProgram(command, args, { cwd: folder });
          started.push(server);
          await server.line(/^ {2}pages /);
          const { code, stderr } = await new StartedProgram(command, ["health", ...args], { cwd: folder })
            .end();
          assert.equal(code, 0, stderr);
          return "`health` finds it alive";
        }
        case "ffmpeg":
          // A stream of our own: the file of the line is the reader's.
          media = LiveMedia.publish(last);
          await Promise.any(started.map((server) => server.line(/Publish started/)));
          return;
        case "ffplay":
          return await media?.play(last);
        case "curl":
          return await ask(last);
        default:
          throw new Error(`Cannot run ${words[0]}`);
      }
    };
    for (const line of lines) await list.check(`README: ${line}`, () => run(shellWords(line)));
    assert.ok(started.length >= 4, "three origins and an edge were started");
  } finally {
    await media?.end();
    for (const server of started) await server.kill();
  }
}

/** The start of an answer that names an owner, or every node as up. */
async function ask(url: string): Promise<string> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  const text = await response.text();
  assert.equal(response.status, 200, text);
  const { code, data } = JSON.parse(text);
  assert.equal(code, 0);
  if (data.nodes === undefined) assert.ok(data.origin.port > 0, text);
  else assert.deepEqual(data.nodes.map(({ up }: { up: boolean }) => up), [true, true, true]);
  return text.slice(0, 200);
}

/** The commands in the shell blocks of a section, without comments. */
function shellLines(readme: string, section: string): string[] {
  const text = readme.split(/^## /m).find((each) => each.startsWith(`${section}\n`));
  assert.ok(text !== undefined, `README has no section ${section}`);
  return Array.from(text.matchAll(/^```sh\n([^`]*)^```/gm), ([, block = ""]) => block)
    .flatMap((block) => block.replaceAll("\\\n", " ").split("\n"))
    .map((line) => line.replace(/\s+#.*/, "").trim()).filter((line) => line !== "");
}

function shellWords(line: string): string[] {
  return Array.from(
    line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g),
    ([, double, single, bare]) => double ?? single ?? bare ?? "",
  );
}

/** Puts the samples that README names where its lines look for them. */
async function copySamples(folder: string, ports: FreePorts): Promise<void> {
  const conf = new URL("conf/", ROOT);
  await Deno.mkdir(join(folder, "conf"), { recursive: true });
  for await (const { name } of Deno.readDir(conf)) {
    if (!name.startsWith("origin.cluster.")) continue;
    const text = await Deno.readTextFile(new URL(name, conf));
    await Deno.writeTextFile(join(folder, "conf", name), ports.replace(text));
  }
}

/** A free port of this machine for each port that a text names; the same one each time. */
class FreePorts {
  readonly #ports = new Map<string, number>();

  /** After a colon or `listen =`. */
  replace(text: string): string {
    return text.replace(/(:|\blisten = )(\d{4,5})\b/g, (_, before, port) => `${before}${this.#of(port)}`);
  }

  #of(port: string): number {
    const known = this.#ports.get(port);
    if (known !== undefined) return known;
    const taken = new Set(this.#ports.values());
    for (;;) {
      // Below those that outgoing connections are given: nobody takes them between now and the start of a server.
      const free = 20_000 + Math.floor(Math.random() * 12_000);
      if (taken.has(free) || !canListen(free)) continue;
      this.#ports.set(port, free);
      return free;
    }
  }
}

function canListen(port: number): boolean {
  try {
    Deno.listen({ port }).close();
    return true;
  } catch {
    return false;
  }
}
