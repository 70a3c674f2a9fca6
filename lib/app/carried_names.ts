/** The files that a binary carries, for `headwater show`, by their paths in the repository. */
export const CARRIED_NAMES: readonly string[] = [
  "conf/headwater.reference.toml",
  "conf/headwater.toml",
  "conf/origin.toml",
  "conf/edge.toml",
  "conf/origin.cluster.serverA.toml",
  "conf/origin.cluster.serverB.toml",
  "conf/origin.cluster.serverC.toml",
  "conf/origin.cluster.edge.toml",
  "deploy/headwater.service",
];

/** The carried file that is meant: by its path, by its last part, or by what is before `.toml`. */
export function findCarriedName(name: string): string | undefined {
  return CARRIED_NAMES.find((path) => {
    const last = path.split("/").at(-1) ?? "";
    return [path, last, last.replace(/\.toml$/, "")].includes(name);
  });
}
