/**
 * Fails when a folder imports one that it may not, when imports go round in a circle, when `Deno` is named where it may not be, when time or chance
 * is taken from the runtime where it must be given, or when a promise is thrown away: one that rejects would end the process.
 *
 * Run by `deno task layers`. Imports are those that `deno info` sees, of types too.
 *
 * @module
 */
/** Who may import whom, besides its own folder and `base`. `app` may import everything. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: [],
  access: [],
  wire: [],
  cluster: [],
  config: [],
  net: [],
  session: ["wire"],
  hub: ["wire"],
  upstream: ["wire", "session", "hub", "net"],
  server: ["wire", "session", "hub", "net", "access"],
  routing: ["wire", "hub", "net", "upstream", "cluster", "server"],
  forward: ["wire", "hub", "net", "access", "upstream", "server"],
  outputs: ["wire", "hub", "net", "server", "access"],
  http: ["wire", "net"],
  web: [],
  tools: ["wire", "session", "net", "upstream"],
  app: [
    "wire",
    "access",
    "session",
    "hub",
    "net",
    "upstream",
    "cluster",
    "server",
    "routing",
    "forward",
    "outputs",
    "http",
    "config",
    "tools",
  ],
};
/** Whose types one may import, and nothing that runs. The pages run in a browser, and are checked against the API's own answers. */
const MAY_IMPORT_TYPES: Readonly<Record<string, readonly string[]>> = { web: ["http"] };
/** Where the runtime may be named: everything else takes what it needs as arguments. */
const MAY_NAME_DENO = [/^lib\/net\//, /^lib\/app\//];
/** Where time, timers and randomness are arguments, such as a `Clock`, so that tests can run them by hand. */
const IS_TIMELESS = /^lib\/(wire|session|hub|access|upstream|cluster|server|routing|forward|outputs)\//;
const TIME =
  /\b(Date\.now|new Date\(\)|performance\.now|AbortSignal\.timeout|setTimeout|setInterval|setImmediate)(?!\w)/;
const CHANCE = /\b(Math\.random|getRandomValues|randomUUID)(?!\w)/;
/** These take their time from a clock too, but make nonces and ids as they need them. Bundled pages are the browser's. */
const HAS_NO_CLOCK_OF_ITS_OWN = /^lib\/http\/(?!.*_bundle\.ts$)/;

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/** Of each file, what it imports, and whether types alone. */
type Imports = Map<string, Map<string, { readonly isTypeOnly: boolean }>>;

const root = new URL("..", import.meta.url);
const sources = [...listSources("lib")].sort();
const problems = [
  ...findBadImports(await readImports(["main.ts", ...sources, ...listSources("bench")])),
  ...sources.flatMap((path) =>
    MAY_NAME_DENO.some((allowed) => allowed.test(path)) ? [] : findDenoNames(path)
  ),
  ...sources.filter((path) => IS_TIMELESS.test(path)).flatMap((path) => findWords(path, [TIME, CHANCE])),
  ...sources.filter((path) => HAS_NO_CLOCK_OF_ITS_OWN.test(path)).flatMap((path) => findWords(path, [TIME])),
  ...sources.flatMap(findVoidedPromises),
];
// deno-lint-ignore no-console -- this is a command line program
console.log(problems.join("\n") || `layers: ${sources.length} files ok`);
Deno.exit(problems.length === 0 ? 0 : 1);

function* listSources(folder: string): Iterable<string> {
  for (const { name, isDirectory } of Deno.readDirSync(new URL(folder, root))) {
    if (isDirectory) yield* listSources(`${folder}/${name}`);
    else if (name.endsWith(".ts")) yield `${folder}/${name}`;
  }
}

/** Imports of every file of ours, by path: also of files that no other imports. */
async function readImports(files: readonly string[]): Promise<Imports> {
  const imports: Imports = new Map();
  for (const file of files) {
    if (imports.has(file)) continue;
    const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["info", "--json", file],
      cwd: root,
    }).output();
    if (!success) throw new Error(`Cannot read the imports of ${file}: ${new TextDecoder().decode(stderr)}`);
    const graph = JSON.parse(new TextDecoder().decode(stdout)) as ModuleGraph;
    for (const { specifier, dependencies = [] } of graph.modules) {
      const targets = dependencies.flatMap(({ code, type }) => {
        const target = code?.specifier ?? type?.specifier;
        return target === undefined
          ? []
          : [[pathOf(target), { isTypeOnly: code?.specifier === undefined }] as const];
      });
      imports.set(pathOf(specifier), new Map(targets));
    }
  }
  return imports;
}

function pathOf(specifier: string): string {
  return specifier.startsWith(root.href) ? specifier.slice(root.href.length) : specifier;
}

function layerOf(path: string): string {
  return path.match(/^lib\/([^/]+)\//)?.[1] ?? "";
}

function findBadImports(imports: Imports): string[] {
  const found: string[] = [];
  for (const [from, targets] of imports) {
    const layer = layerOf(from);
    if (layer === "") continue;
    const allowed = MAY_IMPORT[layer];
    if (allowed === undefined) found.push(`unknown folder: ${from}`);
    for (const [to, { isTypeOnly }] of targets) {
      const other = layerOf(to);
      const isAllowed = other === "" || other === layer || other === "base" || allowed?.includes(other) ||
        isTypeOnly && MAY_IMPORT_TYPES[layer]?.includes(other);
      if (!isAllowed) found.push(`not allowed: ${from} imports ${to}`);
    }
  }
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    if (trail.includes(path)) {
      found.push(`circle: ${[...trail.slice(trail.indexOf(path)), path].join(" -> ")}`);
    }
    if (done.has(path) || trail.includes(path)) return;
    for (const next of imports.get(path)?.keys() ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of imports.keys()) visit(path, []);
  return found;
}

function findDenoNames(path: string): string[] {
  return findInCode(path, /\bDeno\.\w/, "names Deno");
}

function findWords(path: string, patterns: readonly RegExp[]): string[] {
  return patterns.flatMap((pattern) => findInCode(path, pattern, "takes time or chance from the runtime"));
}

function findVoidedPromises(path: string): string[] {
  return findInCode(path, /\bvoid [#\w.]+\(/, "throws a promise away, give it to inBackground");
}

function findInCode(path: string, pattern: RegExp, what: string): string[] {
  const lines = Deno.readTextFileSync(new URL(path, root)).split("\n");
  return lines.flatMap((line, index) => {
    const code = line.replace(/^\s*(\*|\/\*\*|\/\/).*/, "").replace(/\s\/\/ .*/, "");
    return pattern.test(code) ? [`${what}: ${path}:${index + 1}`] : [];
  });
}
