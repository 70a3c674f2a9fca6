import { parse } from "yaml";
import type { Checklist } from "./checklist.ts";
import { LiveMedia } from "./live_media.ts";
import { StartedProgram } from "./started_program.ts";
import type { Subject } from "./subject.ts";

const COMPOSE = new URL("../../deploy/compose.yaml", import.meta.url);
const HOST = "127.0.0.1";
const LISTENS = {
  HEADWATER_LISTEN: 1935,
  HEADWATER_HTTP_API_LISTEN: 1985,
  HEADWATER_HTTP_SERVER_LISTEN: 8080,
};

/** One service of deploy/compose.yaml, with a port of this machine for each of its own. */
interface Service {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: ReadonlyMap<number, number>;
}

/** The cluster and the edge of deploy/compose.yaml, started here: names and ports become those of this machine. */
export async function checkNodes(list: Checklist, { command }: Subject, folder: string): Promise<void> {
  const services = await readServices();
  const here = (text: string, ports: Service["ports"]): string =>
    text.replace(/\$\{HEADWATER_HOST[^}]*\}:\d+/g, `${HOST}:${ports.get(1935)}`).replace(
      /([\w-]+):(\d+)/g,
      (whole, name, port) => {
        const found = services.find((service) => service.name === name)?.ports.get(Number(port));
        return found === undefined ? whole : `${HOST}:${found}`;
      },
    ).replace(/\$\{[^}]*\}/g, "");
  const started: StartedProgram[] = [];
  let media: LiveMedia | undefined;
  try {
    for (const { environment, ports } of services) {
      const env: Record<string, string> = {};
      for (const [key, value] of Object.entries(environment)) env[key] = here(value, ports);
      for (const [key, port] of Object.entries(LISTENS)) env[key] = `${HOST}:${ports.get(port)}`;
      const server = new StartedProgram(command, [], { cwd: folder, env });
      started.push(server);
      await server.line(/^ {2}pages /);
    }
    const urlOf = ({ ports }: Service, port: number): string =>
      port === 1935
        ? `rtmp://${HOST}:${ports.get(port)}/live/stream`
        : `http://${HOST}:${ports.get(port)}/live/stream.flv`;
    const owner = services.findIndex(({ name }) => name === "origin-b");
    media = LiveMedia.publish(urlOf(services[owner] as Service, 1935));
    await started[owner]?.line(/Publish started/);
    for (const service of services) {
      for (const [port, protocol] of [[1935, "RTMP"], [8080, "HTTP-FLV"]] as const) {
        await list.check(
          `deploy/compose.yaml: published to origin-b, played from ${service.name} by ${protocol}`,
          () => media?.play(urlOf(service, port)),
        );
      }
    }
  } finally {
    await media?.end();
    for (const server of started) await server.kill();
  }
}

async function readServices(): Promise<Service[]> {
  const compose = parse(await Deno.readTextFile(COMPOSE), { merge: true }) as {
    services: Record<string, { environment: Record<string, string> }>;
  };
  return Object.entries(compose.services).map(([name, { environment }]) => {
    const listeners = Object.values(LISTENS).map((port) =>
      [port, Deno.listen({ hostname: HOST, port: 0 })] as const
    );
    const ports = new Map(listeners.map(([port, { addr }]) => [port, (addr as Deno.NetAddr).port]));
    for (const [, listener] of listeners) listener.close();
    return { name, environment, ports };
  });
}
