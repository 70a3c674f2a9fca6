/** One kind of machine that a binary is made for. */
export interface Target {
  /** Deno's name of it. */
  readonly triple: string;
  /** What a download of it is called, as in `headwater-linux-x64`. */
  readonly name: string;
  /** What the file ends in. */
  readonly extension: "" | ".exe";
}

/** Every machine that a release has a binary for. */
export const TARGETS: readonly Target[] = [
  { triple: "x86_64-unknown-linux-gnu", name: "linux-x64", extension: "" },
  { triple: "aarch64-unknown-linux-gnu", name: "linux-arm64", extension: "" },
  { triple: "x86_64-apple-darwin", name: "macos-x64", extension: "" },
  { triple: "aarch64-apple-darwin", name: "macos-arm64", extension: "" },
  { triple: "x86_64-pc-windows-msvc", name: "windows-x64", extension: ".exe" },
];

/** What the API says of the machine; the same in the tasks `start` and `dev`, with which it is tested. */
export const SYSTEM_FACTS: readonly string[] = [
  "hostname",
  "osRelease",
  "osUptime",
  "loadavg",
  "systemMemoryInfo",
  "cpus",
  // The address that a cluster's answer names where the asker gives none.
  "networkInterfaces",
];

/** All that the server may do. Nothing else is asked for at run time: `--no-prompt`. */
export const PERMISSIONS: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  // Configurations and certificates lie anywhere.
  "--allow-read",
  // HEADWATER_* and SRS_*: to see them is to list all.
  "--allow-env",
  `--allow-sys=${SYSTEM_FACTS.join(",")}`,
  // log_file and pid lie where the configuration says, which nobody knows when a binary is made.
  "--allow-write",
];
