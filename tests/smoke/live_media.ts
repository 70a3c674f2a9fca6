import { StartedProgram } from "./started_program.ts";

const VIDEO = ["-f", "lavfi", "-re", "-i", "testsrc2=size=320x240:rate=25"];
const AUDIO = ["-f", "lavfi", "-re", "-i", "sine=frequency=440:sample_rate=44100"];
const H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-pix_fmt", "yuv420p"];
const AAC = ["-c:a", "aac", "-f", "flv"];

/** A stream that ffmpeg makes and publishes until it is ended. */
export class LiveMedia {
  readonly #publisher: StartedProgram;

  private constructor(publisher: StartedProgram) {
    this.#publisher = publisher;
  }

  static publish(url: string): LiveMedia {
    return new LiveMedia(start("ffmpeg", ["-v", "error", ...VIDEO, ...AUDIO, ...H264, ...AAC, url]));
  }

  /**
   * Plays 50 frames.
   *
   * @returns The codecs, for the log.
   */
  async play(url: string): Promise<string> {
    const show = ["-show_entries", "stream=codec_name,width", "-of", "csv=p=0"];
    const codecs = await succeed(start("ffprobe", ["-v", "error", ...show, url]));
    for (const codec of ["h264,320", "aac"]) {
      if (!codecs.includes(codec)) throw new Error(`Cannot find ${codec} in ${codecs}`);
    }
    const args = ["-v", "error", "-xerror", "-i", url, "-frames:v", "50", "-f", "null", "-"];
    await succeed(start("ffmpeg", args));
    return `${codecs.trim().split("\n").join(" ")}, 50 frames`;
  }

  async end(): Promise<void> {
    await this.#publisher.kill();
  }
}

function start(name: "ffmpeg" | "ffprobe", args: readonly string[]): StartedProgram {
  return new StartedProgram([name], args, { cwd: ".", inheritsEnvironment: true });
}

/** What it wrote, when it ended well. */
async function succeed(program: StartedProgram): Promise<string> {
  try {
    const { code, stdout, stderr } = await program.end();
    if (code !== 0) throw new Error(`Cannot go on: it ended with code ${code}\n${stderr}`);
    return stdout;
  } finally {
    await program.kill();
  }
}
