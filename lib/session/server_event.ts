import type { RtmpError } from "../base/errors.ts";
import type { ConnectInfo } from "../wire/commands.ts";
import type { PublishKind } from "./message_streams.ts";

/** What a session tells its owner. Requests must be answered before the next event is taken. */
export type ServerEvent =
  | { readonly kind: "connect"; readonly info: ConnectInfo }
  | {
    readonly kind: "publish";
    readonly messageStreamId: number;
    readonly name: string;
    readonly publishKind: PublishKind;
  }
  | {
    readonly kind: "play";
    readonly messageStreamId: number;
    readonly name: string;
    /** How much to send, in milliseconds of media; undefined: no end. */
    readonly durationMs: number | undefined;
  }
  | {
    readonly kind: "media";
    readonly messageStreamId: number;
    /** 8 audio, 9 video, 18 data (AMF0, `@setDataFrame` removed). */
    readonly typeId: number;
    readonly timestamp: number;
    /** A view, valid until the next `receive`. */
    readonly payload: Uint8Array;
  }
  /** A part of what a publisher sent could not be read, and counts for nothing. */
  | {
    readonly kind: "leftOut";
    readonly messageStreamId: number;
    readonly what: "aggregate";
    readonly error: RtmpError;
  }
  | { readonly kind: "pause"; readonly messageStreamId: number; readonly isPaused: boolean }
  | {
    readonly kind: "receive";
    readonly messageStreamId: number;
    readonly media: "audio" | "video";
    readonly isOn: boolean;
  }
  | { readonly kind: "stop"; readonly messageStreamId: number }
  /** A command with a string argument after a redirect: SRS's sign that the client took it. */
  | { readonly kind: "redirectAnswered" };
