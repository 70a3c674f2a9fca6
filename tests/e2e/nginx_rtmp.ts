import { freePort } from "../../bench/servers.ts";
import { NGINX_RTMP_MODULE, NGINX_STREAM_MODULE } from "./programs.ts";
import type { RunningProgram } from "./running_program.ts";
import type { TestScope } from "./test_scope.ts";

const READY_DEADLINE_MS = 10_000;

/** nginx-rtmp with one application, `live`, on a port of its own. */
export class NginxRtmp {
  readonly port: number;

  readonly #program: RunningProgram;

  private constructor(port: number, program: RunningProgram) {
    this.port = port;
    this.#program = program;
  }

  /**
   * Starts it and waits until it listens.
   *
   * @param directives Of the application, such as `push rtmp://127.0.0.1:1935;`.
   * @param port Absent: a free one.
   */
  static async start(
    scope: TestScope,
    directives: string = "",
    port: number = freePort(),
  ): Promise<NginxRtmp> {
    const program = await startNginx(scope, "nginx-rtmp", port, configuration(port, directives));
    return new NginxRtmp(port, program);
  }

  /** Ends it without a word to anybody. */
  async kill(): Promise<void> {
    await this.#program.kill();
  }

  /** `host:port`, as an edge names an origin. */
  get origin(): string {
    return `127.0.0.1:${this.port}`;
  }

  url(stream: string): string {
    return `rtmp://${this.origin}/live/${stream}`;
  }
}

/** Starts nginx, one process in the foreground that writes nothing but to the test's own folder, and waits until it listens. */
export async function startNginx(
  scope: TestScope,
  name: "nginx-rtmp" | "nginx-stream",
  port: number,
  configuration: string,
): Promise<RunningProgram> {
  const path = scope.path(`nginx-${port}.conf`);
  const module = name === "nginx-rtmp" ? NGINX_RTMP_MODULE : NGINX_STREAM_MODULE;
  await Deno.writeTextFile(
    path,
    `load_module ${module};
daemon off;
master_process off;
pid ${scope.path(`nginx-${port}.pid`)};
error_log stderr warn;
events {}
${configuration}`,
  );
  const program = scope.start(name, "-e", "stderr", "-p", scope.path(""), "-c", path);
  const end = performance.now() + READY_DEADLINE_MS;
  while (!await listens(port)) {
    if (performance.now() > end) {
      throw new Error(`Cannot start nginx: ${(await program.kill()).stderr.slice(-2000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return program;
}

function configuration(port: number, directives: string): string {
  return `rtmp {
  server {
    listen 127.0.0.1:${port};
    application live {
      live on;
      ${directives}
    }
  }
}
`;
}

async function listens(port: number): Promise<boolean> {
  try {
    (await Deno.connect({ hostname: "127.0.0.1", port })).close();
    return true;
  } catch {
    return false;
  }
}
