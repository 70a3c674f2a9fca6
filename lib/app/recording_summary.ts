import type { RecordingControl, RecordingSummary } from "../http/api/recordings_routes.ts";
import type { NodeCounts } from "../http/metrics/node_counts.ts";
import type { Recorder } from "../outputs/recording/recorder.ts";
import type { Recordings } from "../outputs/recording/recordings.ts";
import { streamKey } from "../base/stream_address.ts";

/** A recording as the API shows it. */
function recordingSummary(recorder: Recorder): RecordingSummary {
  const { id, request: { vhost, address }, state, isAsked, startedAtMs, durationMs, bytes, files } = recorder;
  return {
    id,
    vhost: vhost.name,
    app: address.app,
    stream: address.stream,
    state,
    isAsked,
    startedAtMs,
    durationMs,
    bytes,
    files,
    file: recorder.path,
    lastError: recorder.lastError,
  };
}

/** What the API begins and ends recordings by. */
export function recordingControl(recordings: Recordings): RecordingControl {
  return {
    *list() {
      for (const recorder of recordings.list()) yield recordingSummary(recorder);
    },
    start(vhost, app, stream) {
      const begun = recordings.start(streamKey(vhost, app, stream));
      return typeof begun === "string" ? begun : recordingSummary(begun);
    },
    stop(id) {
      const ended = recordings.stop(id);
      return ended && recordingSummary(ended);
    },
  };
}

/** All recordings together; undefined where there never was one. */
export function recordingTotals(recordings: Recordings): NodeCounts["recordings"] {
  const byState = { recording: 0, waiting: 0, paused: 0 };
  let bytes = 0;
  for (const { state, openBytes } of recordings.list()) {
    if (state !== "ended") byState[state]++;
    bytes += openBytes;
  }
  const { files, bytes: closedBytes, failures } = recordings.totals;
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const now = byState.recording + byState.waiting + byState.paused;
  return now + files + closedBytes + failed === 0
    ? undefined
    : { byState, filesTotal: files, writtenBytesTotal: closedBytes + bytes, failuresTotal: failures };
}
