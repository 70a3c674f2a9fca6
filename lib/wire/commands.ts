/**
 * The AMF0 bodies of the commands that a server or client sends, and reading those that come.
 *
 * @module
 */
import { RtmpError } from "../base/errors.ts";
import { connectUrl } from "../base/stream_address.ts";
import { Amf0EcmaArray, Amf0Object, type Amf0Value, decodeAmf0Beginning, encodeAmf0 } from "./amf0.ts";
import type { WireLimits } from "./limits.ts";
import { MESSAGE_TYPE } from "./message_type.ts";

/** A command message, RTMP 1.0 section 7.2. */
export interface Command {
  readonly name: string;
  readonly transactionId: number;
  /** The command object, or whatever stands in its place. */
  readonly object: Amf0Value;
  readonly arguments: readonly Amf0Value[];
}

/**
 * Reads a command as far as it decodes: what stands behind is left out, as other servers do with what encoders add. Undefined for what
 * has no name, such as the empty or four-byte filler messages that some programs send (ossrs/srs #3803).
 */
export function decodeCommand(typeId: number, payload: Uint8Array, limits: WireLimits): Command | undefined {
  // AMF3 commands begin with a format byte and then carry AMF0 values.
  const body = typeId === MESSAGE_TYPE.commandAmf3 && payload[0] === 0 ? payload.subarray(1) : payload;
  const [name, transactionId, object, ...rest] = decodeAmf0Beginning(body, limits);
  if (typeof name !== "string") return undefined;
  return {
    name,
    transactionId: typeof transactionId === "number" ? transactionId : 0,
    object,
    arguments: rest,
  };
}

/** The body of a command. */
export function encodeCommand(
  name: string,
  transactionId: number,
  object: Amf0Value,
  ...rest: Amf0Value[]
): Uint8Array {
  return encodeAmf0([name, transactionId, object, ...rest]);
}

/** The body of an `onStatus`; `details` adds properties. */
export function encodeStatus(
  level: "status" | "error",
  code: string,
  description: string,
  details: Readonly<Record<string, Amf0Value>> = {},
): Uint8Array {
  return encodeCommand("onStatus", 0, null, Amf0Object.from({ level, code, description, ...details }));
}

/** What `connect` said of a client. */
export interface ConnectInfo {
  /** Where it is, by `connectUrl`: what its tcUrl and its app say together, without user and password. */
  readonly tcUrl: string;
  readonly app: string;
  readonly flashVersion: string;
  readonly pageUrl: string;
  readonly swfUrl: string;
  readonly objectEncoding: number;
  /** Enhanced RTMP v2 capability flags; 0 when the client sent none. */
  readonly capsEx: number;
  /** The client speaks of Enhanced RTMP in any way. */
  readonly isEnhanced: boolean;
  /** The second object of `connect`: SRS's nodes say who they are here. */
  readonly argumentsObject: Amf0Object | undefined;
  /** What the server chose at random for this connection, by which a node of its cluster proves itself in there. */
  readonly challenge: Uint8Array;
}

/** Enhanced RTMP v2 `capsEx` flags. */
export const CAPS_EX = { reconnect: 1, multitrack: 2, modEx: 4, timestampNanoOffset: 8 } as const;
/** All of them: what a server says that hands every message on. */
export const ALL_CAPS_EX: number = CAPS_EX.reconnect | CAPS_EX.multitrack | CAPS_EX.modEx |
  CAPS_EX.timestampNanoOffset;

/** @throws {RtmpError} `connect-without-tc-url` when it names neither tcUrl nor app. */
export function readConnect(command: Command, challenge: Uint8Array = new Uint8Array(0)): ConnectInfo {
  const object = command.object instanceof Amf0Object ? command.object : new Amf0Object();
  const tcUrl = object.getString("tcUrl") ?? "";
  const app = object.getString("app") ?? "";
  if (tcUrl === "" && app === "") {
    throw new RtmpError("connect-without-tc-url", "Cannot accept connect: it names neither tcUrl nor app");
  }
  const argumentsObject = command.arguments[0];
  const capsEx = object.getNumber("capsEx") ?? 0;
  return {
    tcUrl: connectUrl(tcUrl, app),
    app,
    flashVersion: object.getString("flashVer") ?? "",
    pageUrl: object.getString("pageUrl") ?? "",
    swfUrl: object.getString("swfUrl") ?? "",
    objectEncoding: object.getNumber("objectEncoding") ?? 0,
    capsEx,
    isEnhanced: ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"].some((name) =>
      object.entries.has(name)
    ),
    argumentsObject: argumentsObject instanceof Amf0Object ? argumentsObject : undefined,
    challenge,
  };
}

/** Who answers a `connect`. */
export interface ServerIdentity {
  /** Program and version, such as `Headwater/1.2.3`. */
  readonly signature: string;
  readonly version: string;
  /** The local address of the connection. */
  readonly serverIp: string;
  readonly processId: number;
  /** The id of the connection, as in logs and the HTTP API. */
  readonly connectionId: string;
}

/** The `_result` of `connect`: SRS's properties, and Enhanced RTMP's for those who asked with theirs. */
export function encodeConnectResult(
  transactionId: number,
  info: ConnectInfo,
  identity: ServerIdentity,
): Uint8Array {
  const properties = Amf0Object.from({ fmsVer: "FMS/3,5,3,888", capabilities: 127, mode: 1 });
  const anyCodec = Amf0Object.from({ "*": 4 });
  const information = Amf0Object.from({
    level: "status",
    code: "NetConnection.Connect.Success",
    description: "Connection succeeded",
    objectEncoding: info.objectEncoding,
    data: Amf0EcmaArray.from({
      version: "3,5,3,888",
      srs_sig: "SRS",
      srs_server: identity.signature,
      srs_version: identity.version,
      srs_server_ip: identity.serverIp,
      srs_pid: identity.processId,
      srs_id: identity.connectionId,
    }),
    ...(info.isEnhanced
      ? {
        fourCcList: ["*"],
        videoFourCcInfoMap: anyCodec,
        audioFourCcInfoMap: Amf0Object.from({ "*": 4 }),
        capsEx: ALL_CAPS_EX,
      }
      : {}),
  });
  return encodeCommand("_result", transactionId, properties, information);
}
