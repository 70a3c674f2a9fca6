import { RtmpError } from "../base/errors.ts";
import { isActive, nextState, type StreamState } from "./stream_state.ts";

/** Streams that one connection may have created at a time. */
const MAX_STREAMS = 16;

/** How the encoder announced itself; the names SRS uses in its API. */
export type PublishKind = "fmle-publish" | "flash-publish" | "haivision-publish";

/** One message stream of a connection. */
export interface MessageStream {
  readonly state: StreamState;
  /** What it was last published as. */
  readonly publishKind: PublishKind;
}

/** The message stream that a command means: a client without createStream speaks on 0, and SRS answers it on 1. */
export function meantStreamId(messageStreamId: number): number {
  return messageStreamId === 0 ? 1 : messageStreamId;
}

/** The message streams that a client has created, and what each does. */
export class MessageStreams {
  readonly #streams = new Map<number, { state: StreamState; publishKind: PublishKind }>();

  get size(): number {
    return this.#streams.size;
  }

  /** Whether any plays or publishes. */
  get isActive(): boolean {
    for (const { state } of this.#streams.values()) if (isActive(state)) return true;
    return false;
  }

  /** A new one, under the lowest id that is free. */
  create(): number {
    let id = 1;
    while (this.#streams.has(id)) id++;
    if (id > MAX_STREAMS) {
      throw new RtmpError(
        "too-many-streams",
        `Cannot create stream: ${MAX_STREAMS} exist on this connection, which is the limit`,
      );
    }
    this.#streams.set(id, { state: "idle", publishKind: "flash-publish" });
    return id;
  }

  get(id: number): MessageStream | undefined {
    return this.#streams.get(id);
  }

  /**
   * Notes that the client asks to publish or play there; made on the spot for clients that never say createStream.
   *
   * @returns What it did before.
   * @throws {RtmpError} `too-many-streams`, or `unexpected-command` when it does something else.
   */
  request(id: number, step: "publish" | "play", publishKind: PublishKind = "flash-publish"): StreamState {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#streams.size >= MAX_STREAMS) {
        throw new RtmpError(
          "too-many-streams",
          `Cannot use message stream ${id}: ${MAX_STREAMS} exist, which is the limit`,
        );
      }
      stream = { state: "idle", publishKind };
      this.#streams.set(id, stream);
    }
    const before = stream.state;
    stream.state = nextState(before, step, id);
    if (step === "publish") stream.publishKind = publishKind;
    return before;
  }

  /**
   * Lets a request that is pending have its way.
   *
   * @throws {TypeError} When none is: a programmer's error.
   */
  accept(id: number, step: "accept publish" | "accept play"): MessageStream {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      throw new TypeError(`Cannot ${step} on message stream ${id}: it does not exist`);
    }
    stream.state = nextState(stream.state, step, id);
    return stream;
  }

  /** Ends what a stream does; whether it played or published. */
  stop(id: number): boolean {
    const stream = this.#streams.get(id);
    if (stream === undefined) return false;
    const wasActive = isActive(stream.state);
    stream.state = nextState(stream.state, "stop", id);
    return wasActive;
  }

  delete(id: number): void {
    this.#streams.delete(id);
  }

  /** The id of the first one that publishes. */
  get firstPublishing(): number | undefined {
    for (const [id, { state }] of this.#streams) if (state === "publishing") return id;
    return undefined;
  }

  /** The stream that media belongs to: the one it names, else the only one that publishes, as nobody else looks at the name. */
  publishingId(id: number): number | undefined {
    if (this.#streams.get(id)?.state === "publishing") return id;
    let only: number | undefined;
    for (const [other, { state }] of this.#streams) {
      if (state !== "publishing") continue;
      if (only !== undefined) return undefined;
      only = other;
    }
    return only;
  }
}
