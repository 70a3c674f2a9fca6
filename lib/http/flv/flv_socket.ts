import type { FlvPlay } from "./flv_source.ts";

/** More than this that a WebSocket has not sent yet, in bytes: its player is given nothing. */
const MAX_BUFFERED_BYTES = 64 * 1024;
/** How often a WebSocket that is full is looked at, in milliseconds. */
const POLL_MS = 50;
/** The WebSocket close code for a stream's end. */
const NORMAL_CLOSURE = 1000;

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
      end() {
        clearTimeout(timer);
        if (socket.readyState === WebSocket.OPEN) socket.close(NORMAL_CLOSURE);
      },
    });
    requestWhenRoom();
  };
  socket.onclose = leave;
  socket.onerror = leave;
}
