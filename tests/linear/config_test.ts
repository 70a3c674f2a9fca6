import { ConfigError } from "../../lib/config/config_error.ts";
import { loadConfig } from "../../lib/config/config_load.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill, refusedOr } from "./inputs.ts";

function file(
  path: string,
  size: number,
  kinds: Readonly<Record<string, (size: number) => string>>,
): Entrance {
  const prepared = Object.entries(kinds).map(([kind, make]) => [kind, (size: number) => {
    const text = make(size);
    return () =>
      refusedOr(ConfigError, () => loadConfig({ path, environment: {}, readTextFile: () => text }));
  }]);
  return { name: `configuration in ${path}`, size, kinds: Object.fromEntries(prepared) };
}

/** One line for each number, as long as there is room. */
function lines(size: number, line: (index: number) => string): string {
  const text: string[] = [];
  let length = 0;
  while (length < size) {
    const next = `${line(text.length)}\n`;
    text.push(next);
    length += next.length;
  }
  return text.join("");
}

const SIZE = 4096;
const LISTEN = "listen 1935;\n";

testGrowth([
  file("a.conf", SIZE, {
    "of spaces": (size) => LISTEN + fill(" ", size),
    "of line ends": (size) => LISTEN + fill("\n", size),
    "of white space that SRS does not know": (size) => LISTEN + fill("\v\f\u00a0", size),
    "of comments": (size) => LISTEN + fill("#\n", size),
    "of one comment": (size) => LISTEN + fill("#", size),
    "of one word": (size) => LISTEN + fill("a", size),
    "of one text": (size) => `listen "${fill("a", size)}";`,
    "of a text that does not end": (size) => `${LISTEN}vhost "${fill("a\n", size)}`,
    "of semicolons": (size) => LISTEN + fill(";", size),
    "of open blocks": (size) => LISTEN + fill("a{", Math.min(size, 8000)),
    "of closed blocks": (size) => LISTEN + fill("}", size),
    "of listens": (size) =>
      `listen ${lines(size, (index) => `${1000 + index % 60_000}`).replaceAll("\n", " ")};`,
    "of listens again": (size) => lines(size, (index) => `listen ${1000 + index % 60_000};`),
    "of vhosts": (size) =>
      LISTEN + lines(size, (index) => `vhost a${index} { cluster { mode remote; origin h; } }`),
    "of one vhost": (size) => LISTEN + lines(size, () => "vhost a { gop_cache on; }"),
    "of unknown directives": (size) => LISTEN + lines(size, (index) => `lisden${index} 1;`),
    "of directives that are ignored": (size) =>
      `${LISTEN}vhost a {\n${lines(size, () => "hls { enabled off; }")}}`,
    "of arguments": (size) => `listen ${fill("a ", size)};`,
    "of a byte order mark": (size) => `\ufeff${LISTEN}${fill("\ufeff", size)}`,
    "of line ends within a statement": (size) => `listen ${fill("\n", size)}1935;`,
    "of words": (size) => `listen ${fill("1 ", size)};`,
    "of quotes": (size) => fill("listen '1' \"", size),
    "of vhosts in vhosts": (size) => fill("vhost a {", Math.min(size, 8000)),
    "of includes of itself": (size) => `listen 1;${fill("include a.conf;", size)}`,
    "of carriage returns": (size) => `listen${fill("\r", size)}1935;`,
  }),
  file("a.toml", SIZE, {
    "of spaces": (size) => `listen = 1935${fill(" ", size)}`,
    "of line ends": (size) => fill("\n", size),
    "of comments": (size) => fill("#\n", size),
    "of one text": (size) => `pid = "${fill("a", size)}"`,
    "of one text of quotes": (size) => `pid = """${fill('"" ', size)}"""`,
    "of a text that does not end": (size) => `pid = """${fill("a\n", size)}`,
    "of one key": (size) => `${fill("a", size)} = 1`,
    "of steps of a key": (size) => `${fill("a.", Math.min(size, 2000))}a = 1`,
    "of listens": (size) => `listen = [${lines(size, (index) => `${1000 + index % 60_000},`)}]`,
    "of spaces behind a key": (size) => `listen${fill(" ", size)}= 1`,
    "of tables in tables": (size) => `vhost = ${fill("{a=", Math.min(size, 3000))}`,
    "of values out of range": (size) => lines(size, (index) => `[vhost.v${index}]\nchunk_size = 1`),
    "of addresses that are none": (size) => `vhost.a.cluster.coworkers = [${fill("'x y',", size)}]`,
    "of mistakes of grammar": (size) => fill("a = = 1\n", size),
    "of a text of quotes and escapes": (size) => `server_id = """${fill('""\n\\\\', size)}"""`,
    "of arrays in arrays": (size) => `listen = ${fill("[", Math.min(size, 1000))}`,
    "of vhosts": (size) =>
      lines(size, (index) => `[vhost.a${index}.cluster]\nmode = "remote"\norigin = ["h"]`),
    "of unknown keys": (size) => lines(size, (index) => `lisden${index} = 1`),
    "of unknown tables": (size) => lines(size, (index) => `[a${index}]`),
    "of values that are wrong": (size) => lines(size, (index) => `vhost.a${index}.play.queue_length = "x"`),
    "of a key over and over": (size) => lines(size, () => "listen = 1935"),
    "of coworkers": (size) =>
      `[vhost.a.cluster]\norigin_cluster = true\ncoworkers = [${
        lines(size, (index) => `"h${index}:1985",`)
      }]`,
    "of a byte order mark": (size) => fill("\ufeff", size),
  }),
  {
    name: "environment",
    size: 200,
    kinds: {
      "of names that nobody knows": (count) =>
        environment(count, (index) => [`HEADWATER_LISDEN_${index}`, "1"]),
      "of one long name": (count) => environment(1, () => [`HEADWATER_${fill("A", count * 10)}`, "1"]),
      "of one long value": (count) => environment(1, () => ["HEADWATER_LISTEN", fill("[", count * 10)]),
      "of a list": (count) => environment(1, () => ["HEADWATER_LISTEN", fill("1935,", count * 5)]),
      "of others' names": (count) => environment(count, (index) => [`PATH_${index}`, "x"]),
      "of services": (count) => {
        return environment(count, (index) => [`HEADWATER_PORT_${index}_TCP_ADDR`, `tcp://10.0.0.1:${index}`]);
      },
    },
  },
]);

function environment(count: number, variable: (index: number) => readonly [string, string]): () => void {
  const environment = Object.fromEntries(Array.from({ length: count }, (_, index) => variable(index)));
  return () => {
    refusedOr(ConfigError, () => loadConfig({ environment, readTextFile: () => undefined }));
  };
}
