/**
 * Runs what docs/security.md shows of tokens.
 *
 * @module
 */
import { equal, ok } from "node:assert/strict";
import { dirname, join } from "node:path";
import { connectLocally } from "../fakes/local_client.ts";
import { SECRET } from "../fakes/signed_token.ts";
import { startEncoder } from "./players.ts";
import { programTest } from "./program_test_case.ts";
import { inheritedEnvironment } from "./running_program.ts";
import { START_ARGUMENTS } from "./server_process.ts";
import type { TestScope } from "./test_scope.ts";

const ROOT = new URL("../..", import.meta.url).pathname;
const PAGE = Deno.readTextFileSync(join(ROOT, "docs/security.md"));
const SECTION = PAGE.slice(PAGE.indexOf("### Tokens"), PAGE.indexOf("### Referrers"));

function block(language: string, word: string): string {
  const blocks = [...SECTION.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, "gs"))];
  const found = blocks.map(([, text = ""]) => text).find((text) => text.includes(word));
  ok(found !== undefined, `docs/security.md has no ${language} with ${word}`);
  return found;
}

/** What a program prints on stdout. */
async function run(program: string, args: readonly string[], cwd: string): Promise<string> {
  const env = { ...inheritedEnvironment(), TOKEN_SECRET: SECRET, NO_COLOR: "1" };
  const { code, stdout, stderr } = await new Deno.Command(program, {
    args: [...args],
    cwd,
    clearEnv: true,
    env,
  }).output();
  equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/** A shell in which `headwater` is this checkout. */
function shell(text: string, cwd: string): Promise<string> {
  const headwater = [Deno.execPath(), ...START_ARGUMENTS.slice(0, -1), join(ROOT, "main.ts")].join(" ");
  return run("sh", ["-ec", `headwater() { ${headwater} "$@"; }\n${text}`], cwd);
}

async function startServer(scope: TestScope, key: string) {
  const config = `[vhost.__defaultVhost__.tokens]\nenabled = true\nplay = true\n${key}`;
  const server = await scope.startServer({ config });
  return {
    server,
    publish: (token: string) => startEncoder(scope, server.port("rtmp"), `cam1?token=${token}`),
    async play(token: string) {
      const client = await connectLocally(server.port("rtmp"), "live");
      scope.onClose(() => client.close());
      await client.play(`cam1?token=${token}`);
    },
  };
}

programTest(
  ["python3"],
  "docs/security.md: tokens of each language, and of the command, by a secret",
  async (scope) => {
    const { server, publish, play } = await startServer(scope, `secret = "${SECRET}"`);
    const folder = dirname(scope.path("a"));
    await publish(await run("python3", ["-c", block("python", "hmac")], folder));
    // In the checkout, which has jose.
    await play(await run(Deno.execPath(), ["eval", "--ext=js", block("js", "SignJWT")], ROOT));
    const command = block("sh", "headwater token --action publish").replace(
      "headwater.toml",
      server.configPath,
    );
    ok((await shell(command, ROOT)).startsWith("eyJ"));
  },
);

programTest(
  ["openssl"],
  "docs/security.md: tokens of a shell, and of the command, by a private key",
  async (scope) => {
    const folder = await Deno.makeTempDir();
    scope.onClose(() => Deno.remove(folder, { recursive: true }));
    const [genpkey = "", pubout = "", command = ""] = block("sh", "genpkey").split("\n");
    await shell(`${genpkey}\n${pubout}`, folder);
    const { server, publish, play } = await startServer(
      scope,
      `public_key = "${join(folder, "signer.pem")}"`,
    );
    await publish(await shell(block("sh", "pkeyutl"), folder));
    await play(await shell(command.replace("headwater.toml", server.configPath), folder));
  },
);
