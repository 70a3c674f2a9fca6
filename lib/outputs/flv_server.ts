import { RtmpError } from "../base/errors.ts";
import type { StreamAddress } from "../base/stream_address.ts";
import type { MediaAnswer, MediaRequest } from "../net/media_request.ts";
import { FlvPlayer } from "./flv_player.ts";
import { admitPlay } from "../server/play_admission.ts";
import { requestKey } from "../server/requested_vhost.ts";
import type { RtmpServer } from "../server/rtmp_server.ts";
import type { VhostSettings } from "../server/vhost_settings.ts";

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
  async play(request: MediaRequest): Promise<MediaAnswer> {
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
