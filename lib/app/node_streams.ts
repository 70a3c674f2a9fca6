import type { NodeStream } from "../cluster/node_streams.ts";
import type { StreamSummary } from "../http/server_view.ts";

/** What other nodes are told of a stream of this one. */
export function nodeStream(summary: StreamSummary): NodeStream {
  const { vhost, app, name, viewers, publish, kbps, fps, video, audio } = summary;
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
  };
}
