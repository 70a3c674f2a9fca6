import { RtmpError } from "../base/errors.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import { type FlvClientInfo, FlvPlayer } from "./flv_player.ts";
import { admitPlay } from "../server/play_admission.ts";
import { requestKey } from "../server/requested_vhost.ts";
import type { RtmpServer } from "../server/rtmp_server.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";

/** What somebody asks for over HTTP or WebSocket. */
export interface FlvRequest extends FlvClientInfo {
  /** What the client may mean, the likeliest first; at least one. */
  readonly addresses: readonly StreamAddress[];
  /** Aborts when the client leaves before it has its answer. */
  readonly signal: AbortSignal;
  /** What stands after `Bearer` in its `Authorization`. */
  readonly authorization?: string | undefined;
}

/** How it is answered. */
export type FlvAnswer =
  | { readonly kind: "play"; readonly player: FlvPlayer }
  /** `url` is the stream's RTMP address at another node. */
  | { readonly kind: "redirect"; readonly url: string };

/** Lets players of HTTP-FLV and WebSocket-FLV in; they count like any other client. */
export class FlvServer {
  readonly #server: RtmpServer;

  constructor(server: RtmpServer) {
    this.#server = server;
  }

  /** The vhost of that name, else the default one, as it is configured now. */
  findVhost(name: string): VhostSettings | undefined {
    return this.#server.runtime.options.findVhost(name);
  }

  /**
   * Answers when there is something to play, at the latest after the configured time.
   *
   * @throws {RtmpError} The refusal.
   */
  async play(request: FlvRequest): Promise<FlvAnswer> {
    const { runtime } = this.#server;
    const { addresses, ip } = request;
    const [first] = addresses as readonly [StreamAddress];
    const vhost = this.findVhost(first.vhost);
    if (vhost === undefined) {
      throw new RtmpError("vhost-not-found", `Cannot find vhost '${first.vhost}': it is not configured`);
    }
    const player = new FlvPlayer(runtime, vhost, first, request);
    try {
      player.onClosed(this.#server.clients.add(player));
      request.signal.addEventListener("abort", () => player.close(), { once: true });
      if (request.signal.aborted) player.close();
      const { request: { address }, decision } = await admitPlay(
        runtime,
        addresses.map((address) => ({
          address,
          vhost,
          key: requestKey(vhost, address),
          connect: undefined,
          ip,
          client: player.accessClient(request.authorization),
          signal: player.signal,
        })),
      );
      player.address = address;
      if (decision.kind === "local") {
        await player.join(decision);
        return { kind: "play", player };
      }
      const url = decision.kind === "redirect" ? decision.url : `${decision.tcUrl}/${address.stream}`;
      player.close(new RtmpError("redirected", "The stream is on another node"));
      return { kind: "redirect", url };
    } catch (error) {
      player.close(error instanceof RtmpError ? error : undefined);
      throw error;
    }
  }
}
