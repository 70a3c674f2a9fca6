import type { FlvPlay } from "./flv_source.ts";

/**
 * A play as the body of a response. Asks for a piece only when the connection takes one, so a player that stops reading holds no more
 * than the kernel's buffers.
 */
export function flvBody(play: FlvPlay): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array>({
    start(controller) {
      play.open({
        write: (bytes) => controller.enqueue(bytes),
        end: () => controller.close(),
      });
    },
    pull: () => play.request(),
    cancel: () => play.close(),
  }, { highWaterMark: 0 }) as ReadableStream<Uint8Array<ArrayBuffer>>;
}
