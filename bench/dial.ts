import { type ByteDuplex, tcpDuplex } from "../lib/net/tcp.ts";
import { tlsDuplex } from "../lib/net/tls.ts";
import { RtmpClient, type RtmpClientOptions } from "../lib/tools/rtmp_client.ts";
import { MESSAGE_TYPE } from "../lib/wire/message_type.ts";
import type { FeedMessage } from "../lib/wire/feed_message.ts";

/** Codec headers are shorter, and media is longer. */
const MIN_MEDIA_BYTES = 100;
/** A load that is made too fast is to show how long it takes, not to fail. */
const TIMEOUT_MS = 60_000;

/** Opens a connection to this machine; by TLS where there is a certificate to trust, in PEM. */
export async function connect(
  port: number,
  caCert: string | undefined,
): Promise<Deno.TcpConn | Deno.TlsConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  connection.setNoDelay(true);
  return caCert === undefined
    ? connection
    : await Deno.startTls(connection, { hostname: "localhost", caCerts: [caCert] });
}

/** An RTMP client of the server on this port of this machine. */
export function connectRtmp(
  port: number,
  options: RtmpClientOptions,
  caCert?: string,
): Promise<RtmpClient> {
  const dial = async (): Promise<ByteDuplex> => {
    const connection = await connect(port, caCert);
    return caCert === undefined
      ? tcpDuplex(connection as Deno.TcpConn)
      : tlsDuplex(connection as Deno.TlsConn);
  };
  return RtmpClient.connect(`rtmp://127.0.0.1:${port}/live`, { dial, timeoutMs: TIMEOUT_MS, ...options });
}

/** Whether it is audio or video, and no codec header. */
export function isMedia({ typeId, payload }: FeedMessage): boolean {
  return (typeId === MESSAGE_TYPE.audio || typeId === MESSAGE_TYPE.video) &&
    payload.length >= MIN_MEDIA_BYTES;
}
