import { Amf0Object, type Amf0Value, encodeAmf0 } from "../wire/amf0.ts";
import {
  type Command,
  type ConnectInfo,
  encodeCommand,
  encodeConnectResult,
  encodeStatus,
  type ServerIdentity,
} from "../wire/commands.ts";
import { encodePeerBandwidth, encodeUint32 } from "../wire/control.ts";
import { CHUNK_STREAM, MESSAGE_TYPE, USER_CONTROL } from "../wire/message_type.ts";
import type { MessageOutput } from "./message_output.ts";
import type { PublishKind } from "./message_streams.ts";

const CLIENT_ID = "ASAICiss";

/** What a server says to its client, in SRS's words and order. */
export class ServerAnswers {
  readonly #output: MessageOutput;

  constructor(output: MessageOutput) {
    this.#output = output;
  }

  /** @param bytes Window Acknowledgement Size and Set Peer Bandwidth; 0: not said. */
  window(bytes: number): void {
    if (bytes === 0) return;
    this.#output.control(MESSAGE_TYPE.windowAcknowledgementSize, encodeUint32(bytes));
    this.#output.control(MESSAGE_TYPE.setPeerBandwidth, encodePeerBandwidth(bytes));
  }

  /** The client is let in. */
  connected(command: Command, info: ConnectInfo, identity: ServerIdentity): void {
    this.#output.command(0, encodeConnectResult(command.transactionId, info, identity));
    this.#output.command(0, encodeCommand("onBWDone", 0, null));
  }

  result(command: Command, value: Amf0Value): void {
    this.#output.command(0, encodeCommand("_result", command.transactionId, null, value));
  }

  error(command: Command, code: string, description: string): void {
    const information = Amf0Object.from({ level: "error", code, description });
    this.#output.command(0, encodeCommand("_error", command.transactionId, null, information));
  }

  publishStarted(messageStreamId: number, kind: PublishKind): void {
    const code = "NetStream.Publish.Start";
    const description = "Started publishing stream.";
    if (kind !== "flash-publish") {
      const status = Amf0Object.from({ code, description });
      this.#output.command(messageStreamId, encodeCommand("onFCPublish", 0, null, status));
    }
    this.#status(messageStreamId, code, description, { clientid: CLIENT_ID });
  }

  /** The answer to FCUnpublish. */
  unpublished(messageStreamId: number, command: Command): void {
    const code = "NetStream.Unpublish.Success";
    const status = Amf0Object.from({ code, description: "Stop publishing stream." });
    this.#output.command(messageStreamId, encodeCommand("onFCUnpublish", 0, null, status));
    this.result(command, undefined);
    this.#status(messageStreamId, code, "Stream is now unpublished", { clientid: CLIENT_ID });
  }

  /** @param chunkSize That of the stream's bytes. */
  playStarted(messageStreamId: number, chunkSize: number): void {
    this.#output.setChunkSize(chunkSize);
    this.#output.userControl(USER_CONTROL.streamBegin, messageStreamId);
    const details = { details: "stream", clientid: CLIENT_ID };
    this.#status(messageStreamId, "NetStream.Play.Reset", "Playing and resetting stream.", details);
    this.#status(messageStreamId, "NetStream.Play.Start", "Started playing stream.", details);
    this.#output.message({
      typeId: MESSAGE_TYPE.data,
      timestamp: 0,
      messageStreamId,
      chunkStreamId: CHUNK_STREAM.streamCommand,
    }, encodeAmf0(["|RtmpSampleAccess", true, true]));
  }

  paused(messageStreamId: number, isPaused: boolean): void {
    const code = isPaused ? "NetStream.Pause.Notify" : "NetStream.Unpause.Notify";
    const description = isPaused ? "Paused stream." : "Unpaused stream.";
    this.#status(messageStreamId, code, description, { clientid: CLIENT_ID });
    this.#output.userControl(
      isPaused ? USER_CONTROL.streamEof : USER_CONTROL.streamBegin,
      messageStreamId,
    );
  }

  /** Ends a playing stream in words: its duration is over, or the server stops. */
  playFinished(messageStreamId: number, code: string, description: string): void {
    this.#status(messageStreamId, code, description, { clientid: CLIENT_ID });
    this.#output.userControl(USER_CONTROL.streamEof, messageStreamId);
  }

  /** Tells another node that the publisher has left: it looks elsewhere at once. SRS tells nobody, and programs would end. */
  unpublishNotify(messageStreamId: number): void {
    this.#status(messageStreamId, "NetStream.Play.UnpublishNotify", "The publisher has left", {});
  }

  /** Refuses a publish or play with an `onStatus` of level error; send the output, then close. */
  refused(messageStreamId: number, code: string, description: string): void {
    this.#output.command(messageStreamId, encodeStatus("error", code, description, { clientid: CLIENT_ID }));
  }

  /** The connection ends because of the client. */
  closed(description: string): void {
    this.#output.command(0, encodeStatus("error", "NetConnection.Connect.Closed", description));
  }

  /** SRS's RTMP 302: `tcUrl` for old followers, `url` with the stream for newer ones. */
  redirected(tcUrl: string, url: string): void {
    const ex = Amf0Object.from({ code: 302, redirect: tcUrl, redirect2: url });
    this.#output.message(
      {
        typeId: MESSAGE_TYPE.command,
        timestamp: 0,
        messageStreamId: 0,
        chunkStreamId: CHUNK_STREAM.streamCommand,
      },
      encodeStatus("error", "NetConnection.Connect.Rejected", "RTMP 302 Redirect", { ex }),
    );
  }

  /** Enhanced RTMP's request to connect elsewhere; the client leaves when it suits it. */
  reconnect(tcUrl: string, description: string): void {
    const code = "NetConnection.Connect.ReconnectRequest";
    this.#output.command(0, encodeStatus("status", code, description, { tcUrl }));
  }

  #status(
    messageStreamId: number,
    code: string,
    description: string,
    details: Record<string, Amf0Value>,
  ): void {
    this.#output.command(messageStreamId, encodeStatus("status", code, description, details));
  }
}
