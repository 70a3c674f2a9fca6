import { Command } from "commander";
import { ROW_KINDS, type RowKind } from "./row.ts";

/** What to measure. */
export interface BenchOptions {
  readonly only: RowKind | undefined;
  readonly players: readonly number[] | undefined;
  readonly publishers: readonly number[] | undefined;
  readonly kbps: readonly number[] | undefined;
  /** Values of `mw_latency`. */
  readonly latency: readonly string[] | undefined;
  /** Length of the measured window, in seconds. */
  readonly seconds: number;
  readonly isQuick: boolean;
  /** The table of docs/performance.md, and nothing else. */
  readonly isTable: boolean;
  /** Only the rows of the table whose names have this in them. */
  readonly tableRows: string;
  /** A document whose table is to be replaced by that of this run. */
  readonly write: string | undefined;
  readonly hasBare: boolean;
  /** Measure nginx-rtmp beside each row that it can serve too. */
  readonly hasNginx: boolean;
  /** Where to write all results as JSON. */
  readonly json: string | undefined;
  /** Arguments for the runtime of the server, such as --v8-flags. */
  readonly serverFlags: readonly string[];
}

/** Reads the command line; ends the process after --help or a mistake. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const command = new Command("bench")
    .description(
      "Measures the server: what serving costs, how long messages wait, how soon players see media.",
    )
    .option("--only <kind>", `one of ${ROW_KINDS.join(", ")}`)
    .option("--players <list>", "only the rows with these numbers of players, such as 200,1000")
    .option("--publishers <list>", "only the rows with these numbers of publishers")
    .option("--kbps <list>", "only the rows with these rates")
    .option("--latency <list>", "only these values of mw_latency, such as auto,350")
    .option("--seconds <number>", "length of a measured window", "10")
    .option("--quick", "few rows, short windows: to see that it works")
    .option("--table", "the table of docs/performance.md, with nginx-rtmp beside it")
    .option("--rows <text>", "only the rows of the table whose names have this in them", "")
    .option("--write <file>", "put the table into this document, between its two markers")
    .option("--no-bare", "without the bare send() loop")
    .option("--against <program>", "nginx-rtmp: measure it beside each row, as the system's package has it")
    .option("--json <file>", "write the results as JSON too")
    .option("--server-flags <flags>", "flags for the server's runtime, such as --v8-flags=--prof", "");
  command.parse(args, { from: "user" });
  const given = command.opts<Record<string, string | boolean | undefined>>();
  const text = (name: string) => typeof given[name] === "string" ? given[name] : undefined;
  const list = (name: string) => text(name)?.split(",");
  const numbers = (name: string) => list(name)?.map(Number);
  const only = text("only");
  const kind = ROW_KINDS.find((kind) => kind === only);
  if (only !== undefined && kind === undefined) {
    command.error(`Cannot take --only: value is ${only}, known are ${ROW_KINDS.join(", ")}`);
  }
  const against = text("against");
  if (against !== undefined && against !== "nginx-rtmp") {
    command.error(`Cannot take --against: value is ${against}, known is nginx-rtmp`);
  }
  const isTable = given["table"] === true || given["write"] !== undefined;
  const isQuick = given["quick"] === true;
  return {
    only: kind,
    players: numbers("players"),
    publishers: numbers("publishers"),
    kbps: numbers("kbps"),
    latency: list("latency"),
    seconds: isQuick ? 3 : Number(text("seconds")),
    isQuick,
    isTable,
    tableRows: text("rows") ?? "",
    write: text("write"),
    hasBare: given["bare"] !== false,
    hasNginx: against !== undefined || isTable,
    json: text("json"),
    serverFlags: (text("serverFlags") ?? "").split(" ").filter((flag) => flag !== ""),
  };
}
