// deno-lint-ignore-file camelcase -- the names in the JSON are in the manner of SRS's
import type { Hono } from "hono";
import { DEFAULT_VHOST } from "../../base/stream_address.ts";
import { envelope, page, refusal, resource } from "../middleware/answer.ts";
import type { ChangeGuard } from "../middleware/changes.ts";
import type { ServerView } from "../server_view.ts";

/** A stream that is recorded. */
export interface RecordingSummary {
  readonly id: string;
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  /** waiting: for media. paused: the disk failed and is tried again. */
  readonly state: "waiting" | "recording" | "paused" | "ended";
  readonly isAsked: boolean;
  readonly startedAtMs: number;
  /** Of media in all its files. */
  readonly durationMs: number;
  readonly bytes: number;
  /** Files closed. */
  readonly files: number;
  /** The one that is written, else the last. */
  readonly file: string | undefined;
  readonly lastError: string | undefined;
}

/** Begins and ends recordings. */
export interface RecordingControl {
  list(): Iterable<RecordingSummary>;
  /** Records a stream that is published here by `vhost/app/stream`. */
  start(
    vhost: string,
    app: string,
    stream: string,
  ): RecordingSummary | "not published here" | "recorded already";
  stop(id: string): RecordingSummary | undefined;
}

/** A recording; see `RecordingSummary`. */
export interface RecordingJson {
  readonly id: string;
  /** The vhost's name. */
  readonly vhost: string;
  readonly app: string;
  readonly stream: string;
  readonly state: RecordingSummary["state"];
  /** Whether a request began it, not the configuration. */
  readonly requested: boolean;
  /** Milliseconds since 1970. */
  readonly started_at_ms: number;
  readonly duration_ms: number;
  readonly bytes: number;
  readonly files: number;
  readonly file: string | null;
  readonly last_error: string | null;
}

/** What `/api/v1/recordings` holds besides the envelope. */
export interface RecordingsJson {
  readonly recordings: readonly RecordingJson[];
}

/**
 * `/api/v1/recordings`: a page of the streams that are recorded now. `POST ?app=&stream=` (and `&vhost=`) begins to record one that is
 * published here; `DELETE /api/v1/recordings/ID` ends it.
 *
 * @param guard Who may change anything.
 */
export function addRecordingsRoutes(
  app: Hono,
  view: ServerView,
  control: RecordingControl,
  guard: ChangeGuard,
): void {
  resource(app, "/api/v1/recordings", {
    GET: (c) =>
      c.json(
        envelope<RecordingsJson>(view, { recordings: page(c, [...control.list()]).map(recordingJson) }),
      ),
    POST: (c) => {
      const refused = guard(c);
      if (refused !== undefined) return refused;
      const { vhost = DEFAULT_VHOST, app: name = "", stream = "" } = c.req.query();
      if (stream === "") {
        return refusal(c, 400, "Cannot record: name the stream, as in ?app=live&stream=cam1");
      }
      const begun = control.start(vhost, name, stream);
      if (begun === "not published here") {
        return refusal(c, 404, `Cannot record ${name}/${stream}: it is not published at this node`);
      }
      if (begun === "recorded already") {
        return refusal(c, 409, `Cannot record ${name}/${stream}: it is recorded already`);
      }
      return c.json(envelope(view, { recording: recordingJson(begun) }));
    },
  });
  resource(app, "/api/v1/recordings/:id", {
    GET: (c) => {
      const id = c.req.param("id");
      const found = [...control.list()].find((recording) => recording.id === id);
      return found === undefined
        ? refusal(c, 404, "Cannot find recording")
        : c.json(envelope(view, { recording: recordingJson(found) }));
    },
    DELETE: (c) => {
      const refused = guard(c);
      if (refused !== undefined) return refused;
      const ended = control.stop(c.req.param("id") ?? "");
      return ended === undefined
        ? refusal(c, 404, "Cannot find recording")
        : c.json(envelope(view, { recording: recordingJson(ended) }));
    },
  });
}

function recordingJson(recording: RecordingSummary): RecordingJson {
  return {
    id: recording.id,
    vhost: recording.vhost,
    app: recording.app,
    stream: recording.stream,
    state: recording.state,
    requested: recording.isAsked,
    started_at_ms: recording.startedAtMs,
    duration_ms: recording.durationMs,
    bytes: recording.bytes,
    files: recording.files,
    file: recording.file ?? null,
    last_error: recording.lastError ?? null,
  };
}
