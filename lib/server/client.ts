import type { AccessProtocol } from "../access/access_request.ts";
import { RateMeter } from "../base/rate_meter.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { VhostSettings } from "./vhost_settings.ts";
import type { StreamAddress } from "../base/stream_address.ts";

/** What a client does, in SRS's words. */
export type ClientType =
  | "rtmp-play"
  | "flv-play"
  | "fmle-publish"
  | "flash-publish"
  | "haivision-publish"
  | "Unknown";

/** A client as statistics see it: one connection that publishes or plays. */
export interface Client {
  readonly id: string;
  readonly protocol: AccessProtocol;
  readonly ip: string;
  readonly type: ClientType;
  readonly vhost: VhostSettings | undefined;
  readonly address: StreamAddress | undefined;
  readonly stream: LiveStream | undefined;
  readonly tcUrl: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  /** Milliseconds since 1970. */
  readonly connectedAtMs: number;
  readonly sendBytes: number;
  readonly receiveBytes: number;
  readonly jumps: number;
  /** Whether it is another node of ours, which plays for its own players. */
  readonly isNode: boolean;
  readonly sendRate: RateMeter;
  readonly receiveRate: RateMeter;
  /** What names it in the log. */
  readonly logProperties: Readonly<Record<string, unknown>>;
  /** Ends the connection; the client sees it closed. */
  kick(): void;
}
