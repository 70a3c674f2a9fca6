import { CAPS_EX } from "../../lib/wire/commands.ts";
import { connectLocally } from "../fakes/local_client.ts";
import type { RtmpClient } from "../../lib/tools/rtmp_client.ts";
import { TestEncoder } from "../fakes/test_encoder.ts";
import type { LocalNode } from "./cluster_nodes.ts";
import { startEncoder } from "./players.ts";
import type { TestScope } from "./test_scope.ts";

const DEADLINE_MS = 30_000;

/** An encoder that follows Enhanced RTMP's ReconnectRequest: it publishes at the other node before it leaves. */
export class FollowingEncoder {
  /** The port that it was sent to; resolves when it publishes there. */
  readonly movedTo: Promise<number>;
  /** Errors that it was told of. */
  refusals = 0;

  private constructor(scope: TestScope, encoder: TestEncoder, name: string) {
    this.movedTo = this.#move(scope, encoder, name);
  }

  static async start(scope: TestScope, { rtmp }: LocalNode, name: string): Promise<FollowingEncoder> {
    const encoder = await TestEncoder.start(rtmp.port, name, "live", { capsEx: CAPS_EX.reconnect });
    scope.onClose(() => encoder.close());
    return new FollowingEncoder(scope, encoder, name);
  }

  async #move(scope: TestScope, encoder: TestEncoder, name: string): Promise<number> {
    const { client } = encoder;
    const port = await redirectOf(client);
    await startEncoder(scope, port, name);
    await encoder.close();
    this.refusals = client.events.filter(({ kind }) => kind === "refused").length;
    return port;
  }
}

/** A player that says that it is an SRS edge, and follows a redirect. */
export class FollowingPlayer {
  /** The port that it was sent to. */
  readonly redirectedTo: Promise<number>;

  private constructor(client: RtmpClient) {
    this.redirectedTo = redirectOf(client).finally(() => client.close());
  }

  static async start(
    scope: TestScope,
    { rtmp }: { readonly rtmp: { readonly port: number } },
    name: string,
  ): Promise<FollowingPlayer> {
    const says = { argumentsObject: { srs_sig: "SRS", srs_version: "5.0.213" } };
    const client = await connectLocally(rtmp.port, "live", undefined, says);
    scope.onClose(() => client.close());
    await client.play(name);
    return new FollowingPlayer(client);
  }
}

/** A page's player over a WebSocket. */
export class WebSocketPlayer {
  /** With which the server ended it. */
  readonly closeCode: Promise<number>;

  private constructor(socket: WebSocket) {
    this.closeCode = new Promise((resolve) => {
      socket.addEventListener("close", ({ code }) => resolve(code));
    });
  }

  /** Resolves when media has come. */
  static async start(scope: TestScope, { httpPort }: LocalNode, name: string): Promise<WebSocketPlayer> {
    const socket = new WebSocket(`ws://127.0.0.1:${httpPort}/live/${name}.flv`);
    const player = new WebSocketPlayer(socket);
    await new Promise((resolve, reject) => {
      socket.addEventListener("message", resolve, { once: true });
      socket.addEventListener("error", reject, { once: true });
    });
    scope.onClose(async () => {
      socket.close();
      await player.closeCode;
    });
    return player;
  }
}

/** The port that a client is sent to. */
async function redirectOf(client: RtmpClient): Promise<number> {
  const { url } = await client.until(
    () => client.events.find((event) => event.kind === "redirect"),
    "a redirect",
    DEADLINE_MS,
  );
  return Number(new URL(url).port);
}
