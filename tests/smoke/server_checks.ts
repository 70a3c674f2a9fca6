import assert from "node:assert/strict";
import { type Checklist, say } from "./checklist.ts";
import { LiveMedia } from "./live_media.ts";
import { StartedProgram } from "./started_program.ts";
import type { Subject } from "./subject.ts";

const DEFAULT_PORTS = [1935, 1985, 8080];
const STREAM = "live/stream";

/** The first start of a newcomer: no file, no variable, and all that follows until the process is ended. */
export async function checkServer(list: Checklist, { command }: Subject, folder: string): Promise<void> {
  const isFree = DEFAULT_PORTS.every(canListen);
  const args = isFree ? [] : ["-c", await freePortsConfig()];
  const server = new StartedProgram(command, args, { cwd: folder });
  try {
    await list.check("serves without a configuration and says so in five lines", async () => {
      if (!isFree) say(`      (${DEFAULT_PORTS.join(", ")} are not all free: it was given others)`);
      await server.line(/^ {2}pages /);
      const first = server.lines.findIndex((line) => line.startsWith("headwater "));
      const lines = server.lines.slice(first, first + 5);
      assert.deepEqual(lines.map((line) => line.split(/ +/)[1]).slice(1), [
        "listens",
        "publish",
        "play",
        "pages",
      ]);
      return `\n${lines.map((line) => `      | ${line}`).join("\n")}`;
    });
    const rtmp = `rtmp://127.0.0.1:${await portOf(server, "rtmp")}/${STREAM}`;
    const web = `http://127.0.0.1:${await portOf(server, "httpServer")}`;
    const api = `http://127.0.0.1:${await portOf(server, "httpApi")}`;
    const media = await LiveMedia.publish(rtmp);
    try {
      await server.line(/Publish started/);
      await list.check("plays by RTMP what ffmpeg publishes", () => media.play(rtmp));
      await list.check("plays by HTTP-FLV what ffmpeg publishes", () => media.play(`${web}/${STREAM}.flv`));
      await checkPages(list, web, api);
      await checkApi(list, api);
      await list.check("`health` finds it alive", async () => {
        const { code, stderr } = await new StartedProgram(command, ["health", ...args], { cwd: folder })
          .end();
        assert.equal(code, 0, stderr);
      });
      await list.check("SIGTERM ends it with code 0", async () => {
        server.signal("SIGTERM");
        const { code, stdout, stderr } = await server.end();
        assert.equal(stderr, "");
        assert.equal(code, 0);
        assert.match(stdout, /Stopped[^\n]*$/);
      });
      await list.check("`health` of none is code 1", async () => {
        const { code, stderr } = await new StartedProgram(command, ["health", ...args], { cwd: folder })
          .end();
        assert.equal(code, 1);
        return stderr.trim();
      });
    } finally {
      await media.end();
    }
  } finally {
    await server.kill();
    const [, config] = args;
    if (config !== undefined) await Deno.remove(config);
  }
}

async function checkPages(list: Checklist, web: string, api: string): Promise<void> {
  await list.check("serves the players' page and all that it names", () => checkPage(`${web}/players/`));
  await list.check("serves the console and all that it names", () => checkPage(`${api}/console/`));
}

/** Loads a page, and each script and style sheet that it names. */
async function checkPage(url: string): Promise<string> {
  const page = await get(url);
  assert.match(page.headers.get("content-type") ?? "", /^text\/html/);
  const text = await page.text();
  const names = Array.from(
    text.matchAll(/<(?:script[^>]* src|link[^>]* href)="?([^"\s>]+)/g),
    ([, name = ""]) => name,
  );
  assert.ok(names.length > 0 || /<script/.test(text), "it has no script");
  let bytes = text.length;
  for (const name of names.filter((each) => !each.startsWith("data:"))) {
    const part = new URL(name, url);
    assert.equal(part.origin, new URL(url).origin, `${name} is not ours`);
    bytes += (await (await get(part.href)).arrayBuffer()).byteLength;
  }
  return `${bytes} bytes, ${names.join(" ")}`;
}

async function checkApi(list: Checklist, api: string): Promise<void> {
  await list.check("the API names the version", async () => {
    const { code, data } = await (await get(`${api}/api/v1/versions`)).json();
    assert.equal(code, 0);
    return JSON.stringify(data);
  });
  await list.check("the API lists the stream and its publisher", async () => {
    const { streams } = await (await get(`${api}/api/v1/streams/`)).json();
    const [stream] = streams;
    assert.equal(`${stream.app}/${stream.name}`, STREAM);
    assert.equal(stream.publish.active, true);
    return `${stream.video.codec} ${stream.audio.codec}`;
  });
  await list.check("the API knows the machine, with the permissions that the binary has", async () => {
    const { data } = await (await get(`${api}/api/v1/summaries`)).json();
    const facts = [data.self.mem_kbyte, data.system.mem_ram_kbyte, data.system.cpus, data.system.uptime];
    assert.ok(facts.every((fact) => Number(fact) > 0), JSON.stringify(data));
    return `${data.self.mem_kbyte} KB of ${data.system.mem_ram_kbyte}, ${data.system.cpus} CPUs`;
  });
  await list.check("the API answers all that it lists, and nothing is kept from it", async () => {
    const { urls } = await (await get(`${api}/api/v1`)).json();
    // Descriptions of the API are no answers of it, and events have no end.
    const names = Object.keys(urls).filter((name) =>
      !["raw", "openapi.json", "docs", "events"].includes(name)
    );
    for (const name of names) {
      const { code, data } = await (await get(`${api}/api/v1/${name}`)).json();
      assert.equal(code, 0, name);
      assert.notEqual(data?.ok, false, `${name} may not be read`);
    }
    assert.match((await (await get(`${api}/api/v1/openapi.json`)).json()).openapi, /^3\.1/);
    return names.join(" ");
  });
  for (const path of ["/metrics", "/healthz", "/readyz"]) {
    await list.check(
      `answers ${path}`,
      async () => (await (await get(api + path)).text()).split("\n")[0] ?? "",
    );
  }
}

/** @throws {Error} Unless the answer is 200. */
async function get(url: string): Promise<Response> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (response.status === 200) return response;
  await response.body?.cancel();
  throw new Error(`${url} answered ${response.status}`);
}

/** The port of a listener, from the log. */
async function portOf(server: StartedProgram, protocol: string): Promise<number> {
  return Number((await server.line(new RegExp(`Listening protocol=${protocol} .*port=(\\d+)`)))[1]);
}

function canListen(port: number): boolean {
  try {
    Deno.listen({ port }).close();
    return true;
  } catch {
    return false;
  }
}

async function freePortsConfig(): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".toml" });
  const ports = await Promise.all(DEFAULT_PORTS.map(() => {
    const listener = Deno.listen({ port: 0 });
    const { port } = listener.addr as Deno.NetAddr;
    listener.close();
    return port;
  }));
  await Deno.writeTextFile(
    path,
    `listen = ${ports[0]}\nhttp_api.listen = ${ports[1]}\nhttp_server.listen = ${ports[2]}\n`,
  );
  return path;
}
