import type { Context, MiddlewareHandler } from "hono";
import { refusal } from "./answer.ts";

/**
 * Refuses requests whose body is too long with 413, by the length that is announced, or else as soon as it has come in.
 *
 * Hono's own copies a request without `Content-Length`, as any `DELETE` is, together with its signal, and touching that makes Deno
 * print a warning.
 *
 * @param maxBytes Longest body.
 */
export function bodyLimit(maxBytes: number): MiddlewareHandler {
  return async function bodyLimitMiddleware(c, next) {
    const announced = c.req.header("Content-Length");
    if (announced !== undefined && c.req.header("Transfer-Encoding") === undefined) {
      return Number(announced) > maxBytes ? tooLarge(c, maxBytes) : await next();
    }
    const { body, headers, method, url } = c.req.raw;
    if (body === null) return await next();
    const parts: Uint8Array<ArrayBuffer>[] = [];
    let size = 0;
    for await (const part of body as ReadableStream<Uint8Array<ArrayBuffer>>) {
      size += part.length;
      if (size > maxBytes) return tooLarge(c, maxBytes);
      parts.push(part);
    }
    if (size > 0) c.req.raw = new Request(url, { method, headers, body: new Blob(parts) });
    return await next();
  };
}

function tooLarge(context: Context, maxBytes: number): Response {
  return refusal(context, 413, `Request body is too large: limit is ${maxBytes} bytes`);
}
