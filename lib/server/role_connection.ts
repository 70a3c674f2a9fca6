import type { RtmpError } from "../base/errors.ts";
import type { ConnectionWriter } from "../net/connection_writer.ts";
import type { ServerSession } from "../session/server_session.ts";
import type { ServerRuntime } from "./server_runtime.ts";
import type { Requester } from "./stream_requests.ts";
import type { Elsewhere, StreamRequest } from "./stream_router.ts";

/** What a role needs of the connection that it is one of. */
export interface RoleConnection {
  readonly id: string;
  readonly runtime: ServerRuntime;
  readonly session: ServerSession;
  readonly writer: ConnectionWriter;
  /** Who asks, for admission. */
  readonly requester: Requester;
  readonly isClosing: boolean;
  /** Notes what was asked for: lists and the log show it from now on. */
  note(request: StreamRequest): void;
  /** Sends what the session has to say. */
  flush(): void;
  /** Sends the client to another node, where it goes by itself; one that does not is closed a little later. */
  sendAway(elsewhere: Elsewhere): void;
  close(reason: RtmpError): void;
}
