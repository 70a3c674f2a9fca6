import type { FlvPlay } from "./flv_source.ts";

/** More than this that a WebSocket has not sent yet, in bytes: its player is given nothing. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** How often a WebSocket that is full is looked at, in milliseconds. */
const POLL_MS = 50;
/** The WebSocket close codes for a stream's end, and for a peer that takes nothing. */
const NORMAL_CLOSURE = 1000;
const POLICY_VIOLATION = 1008;

/** Sends a play over a WebSocket, a binary message for each piece. A WebSocket does not say when it has room: it is asked. */
export function sendOverSocket(play: FlvPlay, socket: WebSocket): void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const requestWhenRoom = () => {
    timer = undefined;
    if (socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount <= MAX_BUFFERED_BYTES) play.request();
    else timer = setTimeout(requestWhenRoom, POLL_MS);
  };
  const leave = () => {
    clearTimeout(timer);
    play.close();
  };
  socket.onopen = () => {
    play.open({
      write(bytes) {
        socket.send(bytes as Uint8Array<ArrayBuffer>);
        // Not from within: the next piece follows when this one is accounted for.
        queueMicrotask(requestWhenRoom);
      },
      end(isCut) {
        clearTimeout(timer);
        if (socket.readyState === WebSocket.OPEN) socket.close(isCut ? POLICY_VIOLATION : NORMAL_CLOSURE);
      },
    });
    requestWhenRoom();
  };
  socket.onclose = leave;
  socket.onerror = leave;
}
