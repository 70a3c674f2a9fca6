import type { ServerView, StreamSummary } from "../server_view.ts";
import { counter, gauge } from "./metric.ts";
import type { Metric } from "./prometheus_text.ts";

/**
 * The series of single streams, of the `max` oldest at most. Names of streams are for publishers to choose, so that their number is bounded by
 * nothing else; whatever else clients say (addresses, parameters, tokens) is never a label.
 */
export function streamMetrics(view: ServerView, max: number): Metric[] {
  const streams: StreamSummary[] = [];
  let dropped = 0;
  for (const stream of view.streams()) {
    if (streams.length < max) streams.push(stream);
    else dropped++;
  }
  const each = (value: (stream: StreamSummary) => number) =>
    streams.map((stream) => ({
      labels: { vhost: stream.vhost, app: stream.app, stream: stream.name },
      value: value(stream),
    }));
  return [
    gauge(
      "headwater_stream_live",
      "1 while somebody feeds the stream, else 0.",
      each(({ publish }) => publish.active ? 1 : 0),
    ),
    gauge(
      "headwater_stream_clients",
      "Clients of the stream, its publisher included.",
      each(({ clients }) => clients),
    ),
    counter(
      "headwater_stream_received_bytes_total",
      "Bytes received of the stream.",
      each(({ receiveBytes }) => receiveBytes),
    ),
    counter(
      "headwater_stream_sent_bytes_total",
      "Bytes of the stream sent to players.",
      each(({ sendBytes }) => sendBytes),
    ),
    counter(
      "headwater_stream_video_frames_total",
      "Video frames received of the stream.",
      each(({ frames }) => frames),
    ),
    gauge(
      "headwater_stream_series_dropped",
      "Streams without series of their own: there are more than exporter.streams_max.",
      dropped,
    ),
  ];
}
