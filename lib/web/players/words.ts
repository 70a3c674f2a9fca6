/// <reference lib="dom" />
import type { FailureInfo, MediaInfo } from "./mpegts.ts";
import type { Protocol, Target } from "./targets.ts";

/** The reason of a failure, for people. */
export function failureText(
  type: string,
  detail: string,
  info: FailureInfo | undefined,
  target: Target,
  protocol: Protocol,
): string {
  if (detail === "HttpStatusCodeInvalid") {
    const code = info?.code;
    if (code === 404) return "This stream is not being published.";
    if (code === 401 || code === 403) return "The server does not let you play this stream.";
    if (code === 503) return "The server takes no more players now, or can't reach the stream.";
    return `The server answered with status ${code}.`;
  }
  if (detail === "UnrecoverableEarlyEof" || detail === "EarlyEof") return "The server has ended the stream.";
  if (detail === "ConnectingTimeout") return "The server does not answer.";
  if (type === "NetworkError") {
    // A WebSocket does not tell the status; nor does fetch whether another site refused or was not there.
    const others = protocol === "ws" ? "this stream is not being published, you may not play it, or " : "";
    const isForeign = new URL(target.http).host !== location.host;
    const foreign = isForeign ? ", or it does not let pages of this site play its streams." : ".";
    return `The connection failed: ${others}the server can't be reached${foreign}`;
  }
  if (detail === "CodecUnsupported" || detail === "MediaMSEError" || detail === "FormatUnsupported") {
    return `This browser can't play what the stream is coded with${info?.msg ? ` (${info.msg})` : ""}.`;
  }
  if (detail === "FormatError") return "What came is not FLV.";
  return `Playing failed: ${[type, detail, info?.msg].filter(Boolean).join(", ")}`;
}

/** What the picture is, and a note; undefined: there is none. */
export function pictureText(media: MediaInfo): [string, string] | undefined {
  if (!media.hasVideo) return undefined;
  const fps = media.fps ? `${Math.round(media.fps * 100) / 100} frames/s` : "";
  const facts = [codecName(media.videoCodec), fps].filter((fact) => fact !== "");
  return [`${media.width}×${media.height}`, facts.join(", ")];
}

/** What the sound is, and a note; undefined: there is none. */
export function soundText(media: MediaInfo): [string, string] | undefined {
  if (!media.hasAudio) return undefined;
  const channels = media.audioChannelCount === 1 ? "mono" : "stereo";
  return [codecName(media.audioCodec), `${(media.audioSampleRate ?? 0) / 1000} kHz, ${channels}`];
}

/** @param speed In KiB per second, as mpegts.js counts. */
export function rateText(speed: number): string {
  const kbps = speed * 8 * 1.024;
  return kbps >= 1000 ? `${(kbps / 1000).toFixed(1)} Mbps` : `${Math.round(kbps)} kbps`;
}

function codecName(codec: string = ""): string {
  return codec.replace(/^avc1.*/, "H.264").replace(/^(hvc1|hev1).*/, "H.265").replace(/^mp4a.*/, "AAC")
    .replace(/^av01.*/, "AV1").replace(/^opus$/i, "Opus");
}
