import type { Clock } from "../base/clock.ts";
import { hostAndPort } from "../base/stream_address.ts";
import type { CoworkerAddress } from "./coworker_address.ts";
import { MAX_NODE_STATE_BYTES, type NodeState, parseNodeState, type StateSince } from "./node_state.ts";
import { stateETag } from "./owned_streams.ts";
import { SIGNATURE_HEADER, signRequest } from "./request_signature.ts";
import {
  MAX_QUERY_ANSWER_BYTES,
  readStreamAnswer,
  type StreamOrigin,
  type StreamQuery,
  streamQueryPath,
} from "./stream_query.ts";
import { unlessAborted } from "./unless_aborted.ts";

/** The web's `fetch`, or what a test puts in its place. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

/** What coworkers are asked with. */
export interface CoworkerClientOptions {
  readonly fetch: Fetch;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallNow: () => number;
  /** 32 hexadecimal digits, never the same. */
  readonly nonce: () => string;
  /** Sent as User-Agent, such as `Headwater/1.2.3`. */
  readonly signature: string;
}

/** What a coworker said of itself. */
export type NodeAnswer =
  | { readonly kind: "unchanged" }
  | { readonly kind: "state"; readonly state: NodeState }
  /** It has no such route: SRS, or a discovery service in its manner. */
  | { readonly kind: "srs" };

/** Asks coworkers over HTTP, signed where they share a secret; every answer is bounded in time and size. */
export class CoworkerClient {
  readonly #options: CoworkerClientOptions;

  constructor(options: CoworkerClientOptions) {
    this.#options = options;
  }

  /**
   * Asks a coworker for its state.
   *
   * @param since The state that is known; the answer says what changed.
   * @param ifChanged Only when the state is not the known one.
   * @throws {Error} When it can't be reached, answers too late, or rubbish, or `signal` is aborted.
   */
  async nodeState(
    address: CoworkerAddress,
    secret: string,
    timeoutMs: number,
    signal: AbortSignal,
    since?: StateSince,
    ifChanged: boolean = true,
  ): Promise<NodeAnswer> {
    const query = since === undefined
      ? ""
      : `?since=${since.revision}&boot=${encodeURIComponent(since.bootId)}`;
    const headers = since === undefined || !ifChanged
      ? undefined
      : { "If-None-Match": stateETag(since.bootId, since.revision) };
    const { status, text } = await this.#request(
      "GET",
      address,
      `/api/v1/clusters/node${query}`,
      secret,
      MAX_NODE_STATE_BYTES,
      new Deadline(this.#options.clock, timeoutMs, signal),
      headers,
    );
    if (status === 304) return { kind: "unchanged" };
    if (status !== 200) {
      // What SRS, or a service that stands in for it, says to a path that it does not have.
      if (status >= 400 && status < 500 && ![401, 403, 429].includes(status)) return { kind: "srs" };
      throw new Error(status === 401 ? "HTTP 401: it has another secret" : `HTTP ${status}`);
    }
    const answer = parseJsonObject(text);
    const state = parseNodeState(answer.data);
    return state === undefined ? { kind: "srs" } : { kind: "state", state };
  }

  /**
   * Asks a coworker whether it owns a stream, as SRS does: POST without a body.
   *
   * @param coworker The coworker as it was named.
   * @returns null when it does not own it, or says nothing that SRS would accept.
   * @throws {Error} When it can't be reached or is too late.
   */
  async findStream(
    address: CoworkerAddress,
    coworker: string,
    secret: string,
    query: StreamQuery,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<StreamOrigin | null> {
    const { status, text } = await this.#request(
      "POST",
      address,
      streamQueryPath(query, coworker),
      secret,
      MAX_QUERY_ANSWER_BYTES,
      new Deadline(this.#options.clock, timeoutMs, signal),
      { "Content-Type": "application/json" },
    );
    if (status !== 200 && status !== 201) return null;
    return readStreamAnswer(text) ?? null;
  }

  async #request(
    method: string,
    address: CoworkerAddress,
    path: string,
    secret: string,
    maxBytes: number,
    deadline: Deadline,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string }> {
    const { fetch, wallNow, nonce, signature } = this.#options;
    // Signed as it is sent, after the URL's own encoding.
    const url = new URL(`http://${hostAndPort(address.host, address.port)}${path}`);
    const allHeaders: Record<string, string> = { "User-Agent": signature, ...headers };
    if (secret !== "") {
      allHeaders[SIGNATURE_HEADER] = signRequest(
        secret,
        { method, target: url.pathname + url.search },
        wallNow(),
        nonce(),
      );
    }
    try {
      return await deadline.race(async () => {
        const response = await fetch(url.href, {
          method,
          headers: allHeaders,
          signal: deadline.signal,
          redirect: "manual",
        });
        return { status: response.status, text: await readText(response, maxBytes) };
      });
    } finally {
      deadline.close();
    }
  }
}

/** Aborts after a time or with another signal. */
class Deadline {
  readonly #controller = new AbortController();
  readonly #close: () => void;

  constructor(clock: Clock, timeoutMs: number, outer: AbortSignal) {
    const timer = clock.setTimer(
      () => this.#controller.abort(new CoworkerTimeout(timeoutMs)),
      timeoutMs,
    );
    const follow = () => this.#controller.abort(outer.reason);
    outer.addEventListener("abort", follow);
    if (outer.aborted) follow();
    this.#close = () => {
      clock.clearTimer(timer);
      outer.removeEventListener("abort", follow);
    };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Rejects at the deadline even where `run` takes no notice of the signal. */
  async race<T>(run: () => Promise<T>): Promise<T> {
    this.signal.throwIfAborted();
    return await unlessAborted(run(), this.signal);
  }

  close(): void {
    this.#close();
  }
}

/** A coworker did not answer in time. */
export class CoworkerTimeout extends Error {
  override readonly name = "CoworkerTimeout";

  constructor(timeoutMs: number) {
    super(`no answer within ${timeoutMs} ms`);
  }
}

async function readText(response: Response, maxBytes: number): Promise<string> {
  if (response.body === null) return "";
  const reader = response.body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.length;
    if (length > maxBytes) {
      await reader.cancel();
      throw new Error(`its answer is longer than ${maxBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

function parseJsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Below.
  }
  if (typeof value !== "object" || value === null) throw new Error("its answer is not a JSON object");
  return value as Record<string, unknown>;
}
