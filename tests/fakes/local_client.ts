import { RtmpClient, type RtmpClientOptions } from "../../lib/tools/rtmp_client.ts";
import { CAPS_EX } from "../../lib/wire/commands.ts";

/** What a client says of itself in `connect`. */
export type ConnectWords = Pick<RtmpClientOptions, "capsEx" | "argumentsObject">;

/**
 * Connects to an app of a server on this machine.
 *
 * @param onMedia Takes each audio, video and data message; its payload is valid during the call.
 * @param says Absent: as a client of Enhanced RTMP that does not follow reconnect requests.
 * @throws {Error} When the server refuses.
 */
export async function connectLocally(
  port: number,
  app: string,
  onMedia: RtmpClientOptions["onMedia"] = () => {},
  says: ConnectWords = {},
): Promise<RtmpClient> {
  const url = `rtmp://127.0.0.1:${port}/${app}`;
  return await RtmpClient.connect(url, { capsEx: CAPS_EX.multitrack, ...says, onMedia });
}
