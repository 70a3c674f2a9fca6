import type { NodeStream } from "../cluster/node_streams.ts";
import type { ClientSummary, StreamSummary } from "../http/server_view.ts";

/**
 * What other nodes are told of a stream of this one.
 *
 * @param publisher The client that publishes it here.
 */
export function nodeStream(summary: StreamSummary, publisher: ClientSummary | undefined): NodeStream {
  const { keyFrameIntervalMs, vhost, app, name, viewers, publish, kbps, fps, video, audio } = summary;
  return {
    vhost,
    app,
    stream: name,
    live: publish.active,
    published: publish.clientId !== undefined,
    viewers,
    recv_kbps: kbps.recv30s,
    send_kbps: kbps.send30s,
    fps: Math.round(fps * 100) / 100,
    video: video && { codec: video.codec, width: video.width, height: video.height },
    audio: audio && { codec: audio.codec },
    stream_id: summary.id,
    key_frame_interval_s: keyFrameIntervalMs === undefined ? null : keyFrameIntervalMs / 1000,
    publisher: publisher === undefined ? null : {
      client_id: publisher.id,
      ip: publisher.ip,
      program: summary.program ?? "",
      since_ms: publisher.connectedAtMs,
    },
  };
}
