import assert from "node:assert/strict";
import { explainDownload } from "../../deploy/download_failure.ts";

const TARGET = "x86_64-unknown-linux-gnu";
const explained = (text: string): string =>
  (explainDownload(new Error(text), "2.9.6", TARGET) as Error).message;

Deno.test("a compile without a network says that it needs the runtime, and the ways to it", () => {
  const failure = `Cannot go on: exit code 1 of deno compile --output dist/headwater main.js
error: Writing deno compile executable to temporary file 'dist/headwater.tmp-1'
Caused by:
    0: Setting up base binary.
    1: error sending request for url (https://runtime.example/v2.9.6/denort-${TARGET}.zip): client error (Connect): dns error`;
  assert.equal(
    explained(failure),
    `Cannot compile: Deno needs its runtime 2.9.6 for ${TARGET}, and it can't be downloaded from runtime.example. ` +
      `Run this where there is a network, or set DENORT_BIN to that runtime's file (denort)`,
  );
});

Deno.test("a bundle without a network says that it needs the packages", () => {
  const failure = `Cannot go on: exit code 1 of deno bundle main.ts
error: Failed loading http://packages.example/@esbuild%2flinux-x64 for package "@esbuild/linux-x64"
    error sending request for url (http://packages.example/@esbuild%2flinux-x64): client error (Connect): tcp connect error`;
  assert.equal(
    explained(failure),
    "Cannot bundle: Deno needs its bundler and the packages in deno.lock, and it can't be downloaded from packages.example. " +
      "Run this once where there is a network: Deno keeps them",
  );
});

Deno.test("any other failure of a build is itself", () => {
  const error = new Error("Cannot go on: exit code 1 of deno bundle main.ts\nerror: Module not found");
  assert.equal(explainDownload(error, "2.9.6", TARGET), error);
});
