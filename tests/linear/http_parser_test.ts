import { HttpError } from "../../lib/http/server/http_error.ts";
import { type ParsedRequest, RequestParser } from "../../lib/http/server/request_parser.ts";
import { requestUrl } from "../../lib/http/server/request_url.ts";
import { webSocketKey } from "../../lib/http/server/web_socket_handshake.ts";
import { WEB_SOCKET_OPCODE, WebSocketError, WebSocketReader } from "../../lib/wire/web_socket_frame.ts";
import { joinBytes } from "../fakes/read_messages.ts";
import { type Entrance, testGrowth } from "./growth.ts";
import { fill, fillBytes, refusedOr } from "./inputs.ts";

/** What the limits keep away is looked at all the same. */
const WIDE = { maxHeadBytes: 1 << 24, maxBodyBytes: 1 << 24 };
/** Those of the server. */
const NARROW = { maxHeadBytes: 16 * 1024, maxBodyBytes: 64 * 1024 };

const GET = "GET / HTTP/1.1\r\nHost: h\r\n";
const POST = "POST / HTTP/1.1\r\nHost: h\r\n";

const REQUESTS: Readonly<Record<string, (size: number) => string>> = {
  "of short headers": (size) => `${GET}${fill("a:b\r\n", size)}\r\n`,
  "of headers without values": (size) => `${GET}${fill("a:\r\n", size)}\r\n`,
  "of one long header": (size) => `${GET}a: ${fill("b", size)}\r\n\r\n`,
  "of one long header of spaces": (size) => `${GET}a: ${fill(" ", size)}\r\n\r\n`,
  "of one long name": (size) => `${GET}${fill("a", size)}: b\r\n\r\n`,
  "of folded headers": (size) => `${GET}a: b\r\n${fill(" c\r\n", size)}\r\n`,
  "of a long URL": (size) => `GET /${fill("a", size)} HTTP/1.1\r\nHost: h\r\n\r\n`,
  "of a URL of slashes": (size) => `GET /${fill("/..", size)} HTTP/1.1\r\nHost: h\r\n\r\n`,
  "of a URL of hash signs": (size) => `GET /${fill("#", size)} HTTP/1.1\r\nHost: h\r\n\r\n`,
  "of a URL of percent signs": (size) => `GET /${fill("%", size)} HTTP/1.1\r\nHost: h\r\n\r\n`,
  "of a URL of bytes": (size) => `GET /${fill("\xff", size)} HTTP/1.1\r\nHost: h\r\n\r\n`,
  "of hosts": (size) => `GET / HTTP/1.1\r\n${fill("Host: h\r\n", size)}\r\n`,
  "of one long host": (size) => `GET / HTTP/1.1\r\nHost: ${fill("h.", size)}\r\n\r\n`,
  "of one long IPv6 host": (size) => `GET / HTTP/1.1\r\nHost: [${fill("1:", size)}]\r\n\r\n`,
  "of connection options": (size) => {
    return `${GET}Upgrade: websocket\r\nConnection: ${fill("a ,", size)}\r\nSec-WebSocket-Key: x\r\n\r\n`;
  },
  "of a long WebSocket key": (size) => {
    return `${GET}Upgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Key: ${fill("a", size)}\r\n\r\n`;
  },
  "of empty lines before": (size) => fill("\r\n", size) + `${GET}\r\n`,
  "of a body": (size) => `${POST}Content-Length: ${size}\r\n\r\n${fill("a", size)}`,
  "of a body in tiny chunks": (size) => {
    return `${POST}Transfer-Encoding: chunked\r\n\r\n${fill("1\r\na\r\n", size)}0\r\n\r\n`;
  },
  "of chunk extensions": (size) => {
    return `${POST}Transfer-Encoding: chunked\r\n\r\n1;${fill("a", size)}\r\na\r\n0\r\n\r\n`;
  },
  "of headers behind the body": (size) => {
    return `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n${fill("a:b\r\n", size)}\r\n`;
  },
  "of one request after another": (size) => fill("GET / HTTP/1.1\r\nHost: h\r\n\r\n", size),
  "of half a request": (size) => `${GET}a: ${fill("b", size)}`,
  "of one letter": (size) => fill("A", size),
};

function requests(name: string, size: number, limits: typeof WIDE, pieceBytes: number): Entrance {
  const kinds = Object.entries(REQUESTS).map(([kind, make]) => [kind, (size: number) => {
    const bytes = Uint8Array.from(make(size), (character) => character.charCodeAt(0));
    return () => refusedOr(HttpError, () => read(bytes, limits, pieceBytes));
  }]);
  return { name, size, kinds: Object.fromEntries(kinds) };
}

function read(bytes: Uint8Array, limits: typeof WIDE, pieceBytes: number): void {
  const parser = new RequestParser(limits);
  try {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      for (let piece = bytes.subarray(at, at + pieceBytes); piece.length > 0;) {
        piece = piece.subarray(parser.push(piece));
        if (parser.request === undefined) continue;
        understand(parser.request);
        parser.next();
      }
    }
  } finally {
    parser.close();
  }
}

/** What the server makes of a request before anybody answers it. */
function understand(request: ParsedRequest): void {
  webSocketKey(request);
  requestUrl(request, { localAddress: { hostname: "127.0.0.1", port: 8080 } });
  new Headers(request.headers as [string, string][]);
}

/** A frame of a client, masked with zeros. */
function frame(first: number, payload: Uint8Array): Uint8Array {
  const size = payload.length;
  const length = size < 126 ? [0x80 | size] : [0x80 | 126, size >> 8, size & 0xff];
  return joinBytes(Uint8Array.of(first, ...length, 0, 0, 0, 0), payload);
}

const FRAMES: Readonly<Record<string, (size: number) => Uint8Array>> = {
  "of pings": (size) => fillBytes([...frame(0x80 | WEB_SOCKET_OPCODE.ping, new Uint8Array(0))], size),
  "of long pings": (size) => fillBytes([...frame(0x80 | WEB_SOCKET_OPCODE.ping, new Uint8Array(125))], size),
  "of empty messages": (size) => fillBytes([...frame(0x82, new Uint8Array(0))], size),
  "of fragments without end": (size) =>
    joinBytes(frame(2, new Uint8Array(0)), fillBytes([...frame(0, new Uint8Array(0))], size)),
  "of short messages": (size) => fillBytes([...frame(0x82, new Uint8Array(100))], size),
};

function sockets(name: string, size: number, pieceBytes: number): Entrance {
  const kinds = Object.entries(FRAMES).map(([kind, make]) => [kind, (size: number) => {
    const bytes = make(size);
    return () =>
      refusedOr(WebSocketError, () => {
        const reader = new WebSocketReader(4096);
        for (let at = 0; at < bytes.length; at += pieceBytes) {
          [...reader.push(bytes.subarray(at, at + pieceBytes))];
        }
      });
  }]);
  return { name, size, kinds: Object.fromEntries(kinds) };
}

testGrowth([
  requests("HTTP requests", 16_384, WIDE, 65_536),
  requests("HTTP requests within our limits", 2048, NARROW, 65_536),
  requests("HTTP requests that come byte by byte", 2048, WIDE, 1),
  sockets("WebSocket frames", 16_384, 65_536),
  sockets("WebSocket frames that come byte by byte", 4096, 1),
]);
