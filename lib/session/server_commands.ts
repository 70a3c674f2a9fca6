import { RtmpError } from "../base/errors.ts";
import type { Command } from "../wire/commands.ts";
import { meantStreamId, type MessageStreams, type PublishKind } from "./message_streams.ts";
import type { ServerAnswers } from "./server_answers.ts";
import type { ServerEvent } from "./server_event.ts";

export interface ServerCommandsOptions {
  readonly say: ServerAnswers;
  readonly streams: MessageStreams;
  /** Lets an event come right after the one that `answer` returns. */
  readonly follow: (event: ServerEvent) => void;
}

/** What the commands of a client that has been let in mean: answers, and events for the session's owner. */
export class ServerCommands {
  readonly #say: ServerAnswers;
  readonly #streams: MessageStreams;
  readonly #follow: (event: ServerEvent) => void;
  /** The name that releaseStream or FCPublish gave, for a publish without one. */
  #announcedName = "";
  #publishKind: PublishKind = "flash-publish";
  /** The client has been sent elsewhere, and says in some way whether it goes. */
  isRedirected = false;

  constructor({ say, streams, follow }: ServerCommandsOptions) {
    this.#say = say;
    this.#streams = streams;
    this.#follow = follow;
  }

  /** @throws {RtmpError} When it cannot be: the connection ends. */
  answer(command: Command, messageStreamId: number): ServerEvent | undefined {
    switch (command.name) {
      case "createStream":
        this.#say.result(command, this.#streams.create());
        return undefined;
      case "releaseStream":
      case "FCPublish":
        this.#announce(command);
        return undefined;
      case "publish":
        return this.#publish(command, meantStreamId(messageStreamId));
      case "play":
        return this.#play(command, meantStreamId(messageStreamId));
      case "FCUnpublish":
        return this.#unpublish(command);
      case "closeStream":
        return this.#stop(messageStreamId);
      case "deleteStream": {
        const id = command.arguments[0];
        const target = typeof id === "number" ? id : messageStreamId;
        const event = this.#stop(target);
        this.#streams.delete(target);
        return event;
      }
      case "pause":
      case "pauseRaw":
        return this.#pause(command, meantStreamId(messageStreamId));
      case "receiveAudio":
      case "receiveVideo":
        if (command.transactionId > 0) this.#say.result(command, null);
        return {
          kind: "receive",
          messageStreamId: meantStreamId(messageStreamId),
          media: command.name === "receiveAudio" ? "audio" : "video",
          isOn: command.arguments[0] !== false,
        };
      case "seek":
        this.#say.refused(messageStreamId, "NetStream.Seek.Failed", "Cannot seek in a live stream");
        return undefined;
      case "getStreamLength":
        this.#say.result(command, 0);
        return undefined;
      case "connect":
        throw new RtmpError("unexpected-command", "Cannot accept connect: already connected");
      default:
        if (this.isRedirected && command.arguments.some((value) => typeof value === "string")) {
          return { kind: "redirectAnswered" };
        }
        if (command.transactionId > 0 && command.name !== "_result" && command.name !== "_error") {
          this.#say.result(command, null);
        }
        return undefined;
    }
  }

  /** What comes first says what kind of encoder it is: only Haivision's says FCPublish when it has a stream. */
  #announce(command: Command): void {
    if (this.#publishKind === "flash-publish") {
      const isHaivision = command.name === "FCPublish" && this.#streams.size > 0;
      this.#publishKind = isHaivision ? "haivision-publish" : "fmle-publish";
    }
    if (typeof command.arguments[0] === "string") this.#announcedName = command.arguments[0];
    this.#say.result(command, undefined);
  }

  #publish(command: Command, id: number): ServerEvent | undefined {
    const named = command.arguments[0];
    if (named === false || named === null) return this.#stop(id); // publish(false) stops, as in Flash
    const name = typeof named === "string" && named !== "" ? named : this.#announcedName;
    const publishKind = this.#publishKind;
    this.#streams.request(id, "publish", publishKind);
    return { kind: "publish", messageStreamId: id, name, publishKind };
  }

  #play(command: Command, id: number): ServerEvent | undefined {
    const name = command.arguments[0];
    if (name === false || name === null) return this.#stop(id);
    if (typeof name !== "string") {
      throw new RtmpError(
        "message-malformed",
        `Cannot play: the stream name is a ${typeof name}, expected a string`,
      );
    }
    const before = this.#streams.request(id, "play");
    const duration = command.arguments[2];
    const play: ServerEvent = {
      kind: "play",
      messageStreamId: id,
      name,
      durationMs: typeof duration === "number" && duration > 0 ? duration : undefined,
    };
    if (before !== "playing") return play;
    this.#follow(play);
    return { kind: "stop", messageStreamId: id };
  }

  /** FCUnpublish names a stream, not a message stream; encoders have one. */
  #unpublish(command: Command): ServerEvent | undefined {
    const id = this.#streams.firstPublishing;
    if (id === undefined) {
      this.#say.result(command, undefined);
      return undefined;
    }
    this.#say.unpublished(id, command);
    return this.#stop(id);
  }

  #stop(messageStreamId: number): ServerEvent | undefined {
    const id = meantStreamId(messageStreamId);
    return this.#streams.stop(id) ? { kind: "stop", messageStreamId: id } : undefined;
  }

  #pause(command: Command, id: number): ServerEvent | undefined {
    if (this.#streams.get(id)?.state !== "playing") return undefined;
    const isPaused = command.arguments[0] === true;
    this.#say.paused(id, isPaused);
    return { kind: "pause", messageStreamId: id, isPaused };
  }
}
