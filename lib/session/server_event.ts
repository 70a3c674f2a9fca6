import type { ConnectInfo } from "../wire/commands.ts";
import type { LeftOutMessage, MediaMessage } from "./message_input.ts";
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
  | MediaMessage
  | LeftOutMessage
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
