import { freePort } from "../../bench/measure.ts";
import { NGINX_RTMP_MODULE } from "./programs.ts";
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
    const path = scope.path(`nginx-${port}.conf`);
    await Deno.writeTextFile(path, configuration(port, scope.path(`nginx-${port}.pid`), directives));
    const program = scope.start("nginx-rtmp", "-e", "stderr", "-p", scope.path(""), "-c", path);
    const end = performance.now() + READY_DEADLINE_MS;
    while (!await listens(port)) {
      if (performance.now() > end) {
        throw new Error(`Cannot start nginx: ${(await program.kill()).stderr.slice(-2000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
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

/** One process in the foreground, that writes nothing but to the test's own folder. */
function configuration(port: number, pidPath: string, directives: string): string {
  return `load_module ${NGINX_RTMP_MODULE};
daemon off;
master_process off;
pid ${pidPath};
error_log stderr warn;
events {}
rtmp {
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
