import { Child } from "./child.ts";
import { sleep } from "./numbers.ts";

/** Where Debian's package has its modules; nothing is written there. */
const NGINX_PREFIX = "/usr/share/nginx";
/** Linux gives 32768 and above to whoever asks for any port. */
const FREE_PORTS_FROM = 20_000;
const FREE_PORTS = 12_000;
const ROOT = new URL("../", import.meta.url).pathname;

/** nginx-rtmp in one process, configured as its own examples are, from a file in `folder`. */
export function startNginx(port: number, folder: string): Child {
  Deno.writeTextFileSync(
    `${folder}/nginx.conf`,
    `load_module modules/ngx_rtmp_module.so;
daemon off;
master_process off;
pid ${folder}/pid;
error_log stderr error;
events { worker_connections 20000; }
rtmp { server { listen 127.0.0.1:${port}; chunk_size 4096; application live { live on; } } }
`,
  );
  return new Child("nginx", ["-p", NGINX_PREFIX, "-c", `${folder}/nginx.conf`, "-e", "stderr"]);
}

/** Whether nginx with its RTMP module is installed. */
export function hasNginx(): boolean {
  try {
    return Deno.statSync(`${NGINX_PREFIX}/modules/ngx_rtmp_module.so`).isFile;
  } catch {
    return false;
  }
}

/** How to start a server. */
export interface ServerSettings {
  /** Of RTMP. */
  readonly port: number;
  /** Of HTTP-FLV, where it is on. */
  readonly flvPort?: number | undefined;
  /** Of the HTTP API, where it is on. */
  readonly apiPort?: number | undefined;
  /** Of the origin, where it is an edge. */
  readonly originPort?: number | undefined;
  /** HTTP API of the other origin, where it is one of a cluster of two. */
  readonly coworkerPort?: number | undefined;
  /** Of RTMP by TLS, and of HTTP-FLV where that is on. */
  readonly tls?: (Certificate & { readonly rtmpPort: number; readonly flvPort: number }) | undefined;
  /** Of the backend that is asked about each client. */
  readonly hooksPort?: number | undefined;
  /** Where streams are recorded, as `dvr_path`. */
  readonly recordings?: string | undefined;
  /** `mw_latency`. */
  readonly latency: string;
  readonly flags: readonly string[];
}

/** Files in PEM. */
export interface Certificate {
  readonly certPath: string;
  readonly keyPath: string;
}

/** Starts a server; it may not listen yet. */
export function startServer(settings: ServerSettings): Child {
  // What `deno task start` runs, but without a process between it and us.
  const { tasks } = JSON.parse(Deno.readTextFileSync(`${ROOT}deno.json`)) as { tasks: { start: string } };
  const words = tasks.start.split(" ").filter((word) =>
    word !== "deno" && word !== "run" && word !== "main.ts"
  );
  const args = ["run", ...words, ...settings.flags, `${ROOT}main.ts`];
  return new Child(Deno.execPath(), args, serverEnvironment(settings));
}

function serverEnvironment(settings: ServerSettings): Record<string, string> {
  const { port, flvPort, apiPort, originPort, coworkerPort, tls, hooksPort, recordings, latency } = settings;
  const here = (port: number) => `127.0.0.1:${port}`;
  const hooks = `http://127.0.0.1:${hooksPort}/`;
  return {
    HEADWATER_LISTEN: here(port),
    HEADWATER_LOG_LEVEL: "warn",
    HEADWATER_MAX_CONNECTIONS: "8000",
    HEADWATER_HTTP_API_ENABLED: String(apiPort !== undefined),
    HEADWATER_HTTP_SERVER_ENABLED: String(flvPort !== undefined),
    HEADWATER_VHOST_PLAY_MW_LATENCY: latency,
    ...(flvPort === undefined ? {} : { HEADWATER_HTTP_SERVER_LISTEN: here(flvPort) }),
    ...(apiPort === undefined ? {} : { HEADWATER_HTTP_API_LISTEN: here(apiPort) }),
    ...(originPort === undefined ? {} : {
      HEADWATER_VHOST_CLUSTER_MODE: "remote",
      HEADWATER_VHOST_CLUSTER_ORIGIN: here(originPort),
    }),
    ...(coworkerPort === undefined ? {} : {
      HEADWATER_VHOST_CLUSTER_ORIGIN_CLUSTER: "true",
      HEADWATER_VHOST_CLUSTER_COWORKERS: here(coworkerPort),
    }),
    ...(tls === undefined ? {} : {
      HEADWATER_RTMPS_ENABLED: "true",
      HEADWATER_RTMPS_LISTEN: here(tls.rtmpPort),
      HEADWATER_RTMPS_CERT: tls.certPath,
      HEADWATER_RTMPS_KEY: tls.keyPath,
    }),
    ...(tls === undefined || flvPort === undefined ? {} : {
      HEADWATER_HTTP_SERVER_HTTPS_ENABLED: "true",
      HEADWATER_HTTP_SERVER_HTTPS_LISTEN: here(tls.flvPort),
      HEADWATER_HTTP_SERVER_HTTPS_CERT: tls.certPath,
      HEADWATER_HTTP_SERVER_HTTPS_KEY: tls.keyPath,
    }),
    ...(recordings === undefined ? {} : {
      HEADWATER_VHOST_DVR_ENABLED: "true",
      HEADWATER_VHOST_DVR_DVR_PATH: recordings,
      HEADWATER_VHOST_DVR_RESERVE_BYTES: "0",
    }),
    ...(hooksPort === undefined ? {} : {
      HEADWATER_VHOST_HTTP_HOOKS_ENABLED: "true",
      HEADWATER_VHOST_HTTP_HOOKS_ON_CONNECT: hooks,
      HEADWATER_VHOST_HTTP_HOOKS_ON_PUBLISH: hooks,
      HEADWATER_VHOST_HTTP_HOOKS_ON_PLAY: hooks,
      HEADWATER_VHOST_HTTP_HOOKS_ON_STOP: hooks,
    }),
  };
}

/**
 * Makes a certificate that signs itself, with openssl, in `folder`.
 *
 * @throws {Error} Without openssl.
 */
export function makeCertificate(folder: string): Certificate {
  const files = { certPath: `${folder}/server.crt`, keyPath: `${folder}/server.key` };
  const words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -noenc -days 2 -subj /CN=bench " +
    "-addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost";
  const { success, stderr } = new Deno.Command("openssl", {
    args: [...words.split(" "), "-keyout", files.keyPath, "-out", files.certPath],
  }).outputSync();
  if (!success) throw new Error(`Cannot make a certificate: ${new TextDecoder().decode(stderr)}`);
  return files;
}

/**
 * Resolves when a server accepts connections on `port`.
 *
 * @throws {Error} When it does not, or has ended: what listens there is then another.
 */
export async function isListening(port: number, server?: Child): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (server?.hasEnded) break;
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      if (!server?.hasEnded) return;
    } catch {
      await sleep(0.05);
    }
  }
  throw new Error(
    server?.hasEnded
      ? "Cannot measure: the server has ended instead of listening"
      : `Cannot measure: the server does not listen on port ${port} after 30 s`,
  );
}

/**
 * A port on which nothing listens now, below those that systems give to connections and to listeners that ask for any: such a one is
 * soon somebody else's.
 */
export function freePort(): number {
  for (;;) {
    const port = FREE_PORTS_FROM + Math.floor(Math.random() * FREE_PORTS);
    try {
      Deno.listen({ hostname: "127.0.0.1", port }).close();
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
