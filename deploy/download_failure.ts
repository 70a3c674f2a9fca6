/** What Deno says when it can't reach what it would download. */
const UNREACHABLE = /dns error|error sending request|tcp connect error|network is unreachable|timed out/i;

/**
 * What a build needs from the network, when it failed for want of that; else the failure itself.
 *
 * @param failure What a run of Deno failed with.
 * @param version Of that Deno.
 * @param target Deno's name of the machine that is compiled for.
 */
export function explainDownload(failure: unknown, version: string, target: string): unknown {
  if (!(failure instanceof Error) || !UNREACHABLE.test(failure.message)) return failure;
  const url = /\(?(https?:\/\/[^\s)]+)/.exec(failure.message)?.[1] ?? "";
  const reason = `it can't be downloaded${url === "" ? "" : ` from ${new URL(url).host}`}`;
  const message = /denort/.test(url)
    ? `Cannot compile: Deno needs its runtime ${version} for ${target}, and ${reason}. ` +
      `Run this where there is a network, or set DENORT_BIN to that runtime's file (denort)`
    : `Cannot bundle: Deno needs its bundler and the packages in deno.lock, and ${reason}. ` +
      `Run this once where there is a network: Deno keeps them`;
  return new Error(message, { cause: failure });
}
