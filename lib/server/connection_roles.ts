import { RtmpError } from "../base/errors.ts";
import type { LiveStream } from "../hub/live_stream.ts";
import type { PlayRole } from "./play_role.ts";
import type { PublishRole } from "./publish_role.ts";

/** What one message stream of a connection does. */
export type ConnectionRole = PublishRole | PlayRole;

/** What one connection publishes and plays, by message stream. */
export class ConnectionRoles {
  readonly #roles = new Map<number, ConnectionRole>();
  #endedJumps = 0;
  /** The pause between two reads of a publisher; undefined while it is none. */
  readPauseMs: number | "auto" | undefined;

  /** The stream of the first of them. */
  get stream(): LiveStream | undefined {
    return this.#roles.values().next().value?.stream;
  }

  /** Times that a play, also one that has ended, was too slow and was moved to the newest key frame. */
  get jumps(): number {
    let jumps = this.#endedJumps;
    for (const role of this.#roles.values()) if (role.kind === "play") jumps += role.cursor.jumps;
    return jumps;
  }

  get isPublishing(): boolean {
    for (const { kind } of this.#roles.values()) if (kind === "publish") return true;
    return false;
  }

  /** All as they are now, so that they may be ended meanwhile. */
  get entries(): [messageStreamId: number, role: ConnectionRole][] {
    return [...this.#roles];
  }

  publish(messageStreamId: number): PublishRole | undefined {
    const role = this.#roles.get(messageStreamId);
    return role?.kind === "publish" ? role : undefined;
  }

  play(messageStreamId: number): PlayRole | undefined {
    const role = this.#roles.get(messageStreamId);
    return role?.kind === "play" ? role : undefined;
  }

  add(messageStreamId: number, role: ConnectionRole): void {
    this.#roles.set(messageStreamId, role);
    if (role.kind === "publish") this.readPauseMs = role.readPauseMs;
  }

  /** Takes one out, for its end. */
  remove(messageStreamId: number): ConnectionRole | undefined {
    const role = this.#roles.get(messageStreamId);
    this.#roles.delete(messageStreamId);
    if (role?.kind === "play") this.#endedJumps += role.cursor.jumps;
    else if (role !== undefined) this.readPauseMs = undefined;
    return role;
  }

  /** Those of players that have bytes left to be given. */
  *behind(): Iterable<PlayRole> {
    for (const role of this.#roles.values()) if (role.kind === "play" && role.cursor.isBehind) yield role;
  }

  /**
   * @param onRefused Is told of one that has had its time, where the protocol has words for it, before it is thrown.
   * @throws {RtmpError} When one has had its time.
   */
  checkTime(nowMs: number, onRefused: (messageStreamId: number, status: string, text: string) => void): void {
    for (const [id, role] of this.#roles) {
      try {
        role.checkTime(nowMs);
      } catch (error) {
        if (error instanceof RtmpError && error.rtmpStatus !== undefined) {
          onRefused(id, error.rtmpStatus, error.message);
        }
        throw error;
      }
    }
  }
}
