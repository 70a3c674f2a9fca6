import type { Hono } from "hono";
import { createApiApp } from "../../lib/http/api/api_app.ts";
import type { ApiOptions } from "../../lib/http/api/api_options.ts";
import type { RecordingControl, RecordingSummary } from "../../lib/http/api/recordings_routes.ts";
import { FAKE_COUNTS } from "./fake_counts.ts";
import { FakeServerView, STARTED_AT_MS } from "./fake_server_view.ts";
import { FakeSystemProbe } from "./fake_system_probe.ts";

/** The fake server has been up for 62.5 seconds, and its publisher for 61.5. */
export const NOW_MS: number = STARTED_AT_MS + 62_500;

/** The API of a fake server on a fake machine, with whatever a test wants to be otherwise. */
export function apiApp(options: Partial<ApiOptions> = {}): Hono {
  return createApiApp({
    view: new FakeServerView(),
    probe: new FakeSystemProbe(),
    now: () => NOW_MS,
    listen: "1985",
    crossdomain: true,
    metrics: { build: { label: "", tag: "" }, streamsMax: 0, counts: () => FAKE_COUNTS },
    reload: () => Promise.resolve(),
    drain: { beginDrain: () => Promise.resolve(), cancelDrain: () => {} },
    recordings: fakeRecordings(),
    ...options,
  });
}

/** One recording that the configuration has begun, and any that is asked for. */
export function fakeRecordings(): RecordingControl {
  const recording: RecordingSummary = {
    id: "rec0001",
    vhost: "__defaultVhost__",
    app: "live",
    stream: "livestream",
    state: "recording",
    isAsked: false,
    startedAtMs: NOW_MS - 5000,
    durationMs: 4960,
    bytes: 1_234_567,
    files: 0,
    file: "/data/live/livestream.1.flv",
    lastError: undefined,
  };
  return {
    list: () => [recording],
    start: (vhost, app, stream) => {
      if (stream === "none") return "not published here";
      if (stream === "livestream") return "recorded already";
      return { ...recording, vhost, app, stream, isAsked: true };
    },
    stop: (id) => id === recording.id ? { ...recording, state: "ended" } : undefined,
  };
}

/** The body of a GET that is answered with 200. */
export async function getJson(app: Hono, path: string): Promise<unknown> {
  const response = await app.request(path);
  if (response.status !== 200) throw new Error(`Cannot get ${path}: status is ${response.status}`);
  return await response.json();
}
