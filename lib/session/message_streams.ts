import { RtmpError } from "../base/errors.ts";

/** Streams that one connection may have created at a time. */
const MAX_STREAMS = 16;

/** How the encoder announced itself; the names SRS uses in its API. */
export type PublishKind = "fmle-publish" | "flash-publish" | "haivision-publish";

/** One message stream of a connection. */
export interface MessageStream {
  kind: "idle" | "playing" | "publishing";
  publishKind: PublishKind;
}

/** The message streams that a client has created, and what each does. */
export class MessageStreams {
  readonly #streams = new Map<number, MessageStream>();

  get size(): number {
    return this.#streams.size;
  }

  /** Whether any plays or publishes. */
  get isActive(): boolean {
    for (const { kind } of this.#streams.values()) if (kind !== "idle") return true;
    return false;
  }

  /** A new one, under the lowest id that is free. */
  create(): number {
    let id = 1;
    while (this.#streams.has(id)) id++;
    if (id > MAX_STREAMS) {
      throw new RtmpError(
        "too-many-streams",
        `Cannot create stream: ${MAX_STREAMS} exist on this connection, the limit`,
      );
    }
    this.#streams.set(id, { kind: "idle", publishKind: "flash-publish" });
    return id;
  }

  get(id: number): MessageStream | undefined {
    return this.#streams.get(id);
  }

  /** The stream of that id; made on the spot for clients that never say createStream. */
  open(id: number): MessageStream {
    let stream = this.#streams.get(id);
    if (stream === undefined) {
      if (this.#streams.size >= MAX_STREAMS) {
        throw new RtmpError(
          "too-many-streams",
          `Cannot use message stream ${id}: ${MAX_STREAMS} exist, the limit`,
        );
      }
      stream = { kind: "idle", publishKind: "flash-publish" };
      this.#streams.set(id, stream);
    }
    return stream;
  }

  delete(id: number): void {
    this.#streams.delete(id);
  }

  /** The id of the first one that publishes. */
  get firstPublishing(): number | undefined {
    for (const [id, { kind }] of this.#streams) if (kind === "publishing") return id;
    return undefined;
  }

  /** The stream that media belongs to: the one it names, else the only one that publishes, as nobody else looks at the name. */
  publishingId(id: number): number | undefined {
    if (this.#streams.get(id)?.kind === "publishing") return id;
    let only: number | undefined;
    for (const [other, { kind }] of this.#streams) {
      if (kind !== "publishing") continue;
      if (only !== undefined) return undefined;
      only = other;
    }
    return only;
  }
}
