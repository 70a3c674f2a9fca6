import assert from "node:assert/strict";
import { carriedText } from "../../lib/app/carried_files.ts";
import { CARRIED_NAMES } from "../../lib/app/carried_names.ts";
import { type CommandLine, parseCommandLine } from "../../lib/app/command_line.ts";
import { VERSION } from "../../lib/app/version.ts";

const understood: { args: string[]; expected: CommandLine }[] = [
  { args: [], expected: { kind: "serve" } },
  { args: ["serve"], expected: { kind: "serve" } },
  { args: ["-c", "a.conf"], expected: { kind: "serve", configPath: "a.conf" } },
  { args: ["serve", "--config", "a.toml"], expected: { kind: "serve", configPath: "a.toml" } },
  { args: ["check", "-c", "a.toml"], expected: { kind: "check", configPath: "a.toml" } },
  { args: ["health"], expected: { kind: "health" } },
  { args: ["drain"], expected: { kind: "drain" } },
  { args: ["drain", "-c", "a.toml"], expected: { kind: "drain", configPath: "a.toml" } },
  { args: ["-c", "a.toml", "check"], expected: { kind: "check", configPath: "a.toml" } },
  { args: ["check", "a.toml"], expected: { kind: "check", configPath: "a.toml" } },
  { args: ["serve", "myconfig"], expected: { kind: "serve", configPath: "myconfig" } },
  { args: ["health", "a.toml"], expected: { kind: "health", configPath: "a.toml" } },
  { args: ["a.toml"], expected: { kind: "serve", configPath: "a.toml" } },
  { args: ["conf/a"], expected: { kind: "serve", configPath: "conf/a" } },
  {
    args: ["check", "a.toml", "-c", "b.toml"],
    expected: { kind: "exit", code: 1, output: "error: only one file is allowed: a.toml or b.toml\n" },
  },
  {
    args: ["chekc"],
    expected: { kind: "exit", code: 1, output: "error: unknown command 'chekc': did you mean 'check'?\n" },
  },
  {
    args: ["chekc", "a.toml"],
    expected: { kind: "exit", code: 1, output: "error: unknown command 'chekc': did you mean 'check'?\n" },
  },
  {
    args: ["bananas"],
    expected: {
      kind: "exit",
      code: 1,
      output: "error: unknown command 'bananas'\nto use a file of that name: headwater -c bananas\n",
    },
  },
  {
    args: ["token", "--action", "publish", "--stream", "live/cam1"],
    expected: {
      kind: "token",
      request: { actions: ["publish"], streams: ["live/cam1"], expiresS: 43_200, addresses: [] },
    },
  },
  {
    args: [
      ...[
        "token",
        "--action=both",
        "--stream=a.com/live/*",
        "--stream",
        "live/b",
        "--expires",
        "7d",
        "a.toml",
      ],
      ...["--ip", "10.0.0.0/8", "--vhost", "a.com", "--key", "key.pem", "--kid", "k1"],
    ],
    expected: {
      kind: "token",
      configPath: "a.toml",
      request: {
        actions: ["publish", "play"],
        streams: ["a.com/live/*", "live/b"],
        expiresS: 604_800,
        addresses: ["10.0.0.0/8"],
        vhost: "a.com",
        keyPath: "key.pem",
        keyId: "k1",
      },
    },
  },
  {
    args: ["token", "--stream", "live/a"],
    expected: {
      kind: "exit",
      code: 1,
      output: "error: required option '--action <action>' not specified\n",
    },
  },
  ...["12", "0h", "-1h", "1.5h", "1w", ""].map((time) => ({
    args: ["token", "--action", "play", "--stream", "live/a", `--expires=${time}`],
    expected: {
      kind: "exit" as const,
      code: 1,
      output:
        `error: option '--expires <time>' argument '${time}' is invalid. It must be a time such as 90s, 30m, 12h or 7d.\n`,
    },
  })),
  { args: ["show", "conf/edge.toml"], expected: { kind: "show", path: "conf/edge.toml" } },
  { args: ["show", "headwater.service"], expected: { kind: "show", path: "deploy/headwater.service" } },
  {
    args: ["show", "headwater.reference"],
    expected: { kind: "show", path: "conf/headwater.reference.toml" },
  },
  {
    args: ["show"],
    expected: { kind: "exit", code: 0, output: CARRIED_NAMES.map((name) => `${name}\n`).join("") },
  },
  {
    args: ["show", "nope"],
    expected: {
      kind: "exit",
      code: 1,
      output: `error: no built-in file 'nope', only these:\n${
        CARRIED_NAMES.map((name) => `  ${name}\n`).join("")
      }`,
    },
  },
  { args: ["version"], expected: { kind: "exit", code: 0, output: `headwater ${VERSION}\n` } },
  { args: ["-v"], expected: { kind: "exit", code: 0, output: `headwater ${VERSION}\n` } },
  { args: ["--version"], expected: { kind: "exit", code: 0, output: `headwater ${VERSION}\n` } },
  { args: ["--loud"], expected: { kind: "exit", code: 1, output: "error: unknown option '--loud'\n" } },
  {
    args: ["-c"],
    expected: { kind: "exit", code: 1, output: "error: option '-c, --config <file>' argument missing\n" },
  },
];

for (const { args, expected } of understood) {
  Deno.test(`command line: headwater ${args.join(" ")}`, () => {
    assert.deepEqual(parseCommandLine(args), expected);
  });
}

Deno.test("command line: an unknown command is an error", () => {
  const result = parseCommandLine(["sevre"]);
  assert.equal(result.kind === "exit" ? result.code : undefined, 1);
});

Deno.test("command line: every configuration that is shipped is carried, and can be shown", () => {
  const shipped = [...Deno.readDirSync(new URL("../../conf/", import.meta.url))].map(({ name }) =>
    `conf/${name}`
  );
  const carried = CARRIED_NAMES.filter((name) => name.startsWith("conf/"));
  assert.deepEqual(carried.toSorted(), shipped.toSorted());
  for (const name of CARRIED_NAMES) assert.ok(carriedText(name).length > 0);
});

Deno.test("command line: help names every command and option", () => {
  const result = parseCommandLine(["--help"]);
  assert.ok(result.kind === "exit" && result.code === 0);
  for (
    const word of [
      "serve",
      "check",
      "health",
      "drain",
      "token",
      "show",
      "version",
      "--config",
      "--version",
      "--help",
    ]
  ) {
    assert.ok(result.output.includes(word));
  }
});
