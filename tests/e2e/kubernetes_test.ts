/**
 * Holds the manifests in deploy/kubernetes against Kubernetes' own API: its types find a field that there is none of, its schemas a
 * value that is not allowed.
 *
 * @module
 */
import { deepEqual, match, notEqual } from "node:assert/strict";
import { parseAllDocuments } from "yaml";
import { programTest } from "./program_test_case.ts";
import { type ProgramResult, RunningProgram } from "./running_program.ts";
import type { TestScope } from "./test_scope.ts";

/** One object of a manifest. */
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
}

async function readManifests(): Promise<Manifest[]> {
  const files = ["origin", "edge", "network-policy"].map((name) => `deploy/kubernetes/${name}.yaml`);
  const texts = await Promise.all(files.map((path) => Deno.readTextFile(path)));
  return texts.flatMap((text) => parseAllDocuments(text).map((document) => document.toJS()));
}

/** A program that does nothing if Kubernetes would take these objects, and does not compile or fails if not. */
function programOf(manifests: readonly Manifest[]): string {
  return manifests.map((manifest, index) => {
    const { apiVersion, kind } = manifest;
    return `import { ${kind} as Kind${index}, type I${kind} as Type${index} } from "kubernetes-models/${apiVersion}";
const object${index}: Type${index} = ${JSON.stringify(manifest)};
new Kind${index}(object${index}).validate();
`;
  }).join("");
}

async function validate(
  scope: TestScope,
  manifests: readonly Manifest[],
  check: "--check" | "--no-check" = "--check",
): Promise<ProgramResult> {
  const path = scope.path("manifests.ts");
  await Deno.writeTextFile(path, programOf(manifests));
  const args = [
    "run",
    "--quiet",
    check,
    "--frozen",
    "--config",
    "deno.json",
    "--allow-read",
    "--allow-env",
    path,
  ];
  const program = RunningProgram.start(Deno.execPath(), args, { NO_COLOR: "1" });
  scope.onClose(async () => void await program.kill());
  return await program.finish();
}

programTest([], "Kubernetes' schemas and types accept the manifests", async (scope) => {
  const manifests = await readManifests();
  deepEqual(manifests.map(({ kind }) => kind).toSorted(), [
    "Deployment",
    "NetworkPolicy",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "PodDisruptionBudget",
    "Service",
    "Service",
    "Service",
    "StatefulSet",
  ]);
  const { code, stderr } = await validate(scope, manifests);
  deepEqual([code, stderr.replaceAll(/^.*punycode.*$\n?/gm, "")], [0, ""]);
});

programTest(
  [],
  "a field that Kubernetes has not, and a value that it does not take, are found",
  async (scope) => {
    const texts = (await readManifests()).map((manifest) => JSON.stringify(manifest));
    const changed = (from: string, to: string): Manifest[] => {
      const text = texts.find((each) => each.includes(from)) ?? "";
      notEqual(text, "", from);
      return [JSON.parse(text.replace(from, to))];
    };
    const field = await validate(scope, changed('"timeoutSeconds":', '"timeoutSecond":'));
    match(field.stderr, /'"timeoutSecond"' does not exist in type/);
    const value = await validate(scope, changed('"replicas":3', '"replicas":3.5'), "--no-check");
    match(value.stderr, /replicas must be integer/);
  },
);
