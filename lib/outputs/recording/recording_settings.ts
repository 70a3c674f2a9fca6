/** The `dvr` of one vhost. */
export interface RecordingSettings {
  readonly isEnabled: boolean;
  /** The streams that are recorded, `app/stream`; `all`: every one. */
  readonly apply: readonly string[];
  /** `dvr_path`. */
  readonly path: string;
  readonly isUtc: boolean;
  /** session: a file for each publish. segment: a new one each `durationMs`. */
  readonly plan: "session" | "segment";
  /** 0: never. */
  readonly durationMs: number;
  /** Files begin with a key frame. */
  readonly waitsForKeyframe: boolean;
  /** off: times in a file are the stream's. Else they begin at 0. */
  readonly timeJitter: "full" | "zero" | "off";
  /** What must stay free on the disk, in bytes. */
  readonly reserveBytes: number;
}

/** Whether a stream is recorded without being asked for. */
export function isRecorded(settings: RecordingSettings, app: string, stream: string): boolean {
  const { isEnabled, apply } = settings;
  return isEnabled && (apply.includes("all") || apply.includes(`${app}/${stream}`));
}
