import { createHash } from "node:crypto";
import { HttpError } from "./http_error.ts";
import type { ParsedRequest } from "./request_parser.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * The key of a client that asks for a WebSocket, or undefined for any other request.
 *
 * @throws {HttpError} When it asks in a way that no WebSocket can come of.
 * @see RFC 6455, section 4.2.1
 */
export function webSocketKey({ method, minorVersion, headers }: ParsedRequest): string | undefined {
  const value = (wanted: string) => headers.find(([name]) => name.toLowerCase() === wanted)?.[1] ?? "";
  if (value("upgrade").toLowerCase() !== "websocket") return undefined;
  const isUpgrade = value("connection").toLowerCase().split(",").some((option) =>
    option.trim() === "upgrade"
  );
  if (method !== "GET" || minorVersion === 0 || !isUpgrade) {
    throw new HttpError(400, "Cannot open WebSocket: it requires GET, HTTP/1.1 and Connection: Upgrade");
  }
  const key = value("sec-websocket-key");
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) {
    throw new HttpError(400, "Cannot open WebSocket: Sec-WebSocket-Key must be 16 bytes in base64");
  }
  if (value("sec-websocket-version") !== "13") {
    throw new HttpError(426, "Cannot open WebSocket: its version must be 13");
  }
  return key;
}

/** What proves to the client that its key was read. */
export function webSocketAccept(key: string): string {
  return createHash("sha1").update(key + GUID).digest("base64");
}
