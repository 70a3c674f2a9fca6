import type { Clock } from "../base/clock.ts";
import { type CoworkerAddress, hostAndPort } from "../base/host_port.ts";
import { MAX_NODE_STATE_BYTES, type NodeState, parseNodeState, type StateSince } from "./node_state.ts";
import { stateETag } from "./owned_streams.ts";
import { CHALLENGE_HEADER, challengedBootId, SIGNATURE_HEADER, signRequest } from "./request_signature.ts";
import {
  MAX_QUERY_ANSWER_BYTES,
  readStreamAnswer,
  type StreamOrigin,
  type StreamQuery,
  streamQueryPath,
} from "./stream_query.ts";
import { Turns } from "../base/turns.ts";
import { unlessAborted } from "../base/unless_aborted.ts";

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

/** Questions for streams that one coworker is asked at the same time; others wait their turn. */
const MAX_QUESTIONS = 16;

/** Asks coworkers over HTTP, signed where they share a secret; every answer is bounded in time and size. */
export class CoworkerClient {
  readonly #options: CoworkerClientOptions;
  /** Whom the questions to an address are signed for. */
  readonly #bootIds = new WeakMap<CoworkerAddress, string>();
  readonly #turns = new WeakMap<CoworkerAddress, Turns>();

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
      throw new Error(
        status === 401
          ? "HTTP 401: its cluster.secret differs, or its clock is more than 30 s off"
          : `HTTP ${status}`,
      );
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
   * @throws {CoworkerBusy} When none of the questions that it is asked already was answered in time.
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
    const deadline = new Deadline(this.#options.clock, timeoutMs, signal);
    const endTurn = await this.#takeTurn(address, deadline);
    try {
      return await this.#find(address, coworker, secret, query, deadline);
    } finally {
      endTurn();
    }
  }

  /**
   * Asks a coworker anything, signed where there is a secret.
   *
   * @throws {Error} When it can't be reached, is too late, or says more than `maxBytes`.
   */
  async ask(
    method: string,
    address: CoworkerAddress,
    path: string,
    { secret, timeoutMs, maxBytes }: {
      readonly secret: string;
      readonly timeoutMs: number;
      readonly maxBytes: number;
    },
  ): Promise<{ status: number; text: string }> {
    const deadline = new Deadline(this.#options.clock, timeoutMs, new AbortController().signal);
    return await this.#request(method, address, path, secret, maxBytes, deadline);
  }

  async #takeTurn(address: CoworkerAddress, deadline: Deadline): Promise<() => void> {
    let turns = this.#turns.get(address);
    if (turns === undefined) this.#turns.set(address, turns = new Turns(MAX_QUESTIONS));
    try {
      return await turns.take(deadline.signal);
    } catch {
      deadline.close();
      throw new CoworkerBusy();
    }
  }

  async #find(
    address: CoworkerAddress,
    coworker: string,
    secret: string,
    query: StreamQuery,
    deadline: Deadline,
  ): Promise<StreamOrigin | null> {
    const { status, text } = await this.#request(
      "POST",
      address,
      streamQueryPath(query, coworker),
      secret,
      MAX_QUERY_ANSWER_BYTES,
      deadline,
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
    // Signed as it is sent, after the URL's own encoding.
    const url = new URL(`http://${hostAndPort(address.host, address.port)}${path}`);
    try {
      return await deadline.race(async () => {
        for (let isAgain = false;; isAgain = true) {
          const bootId = this.#bootIds.get(address) ?? "";
          const response = await this.#send(method, url, secret, bootId, headers, deadline.signal);
          const text = await readText(response, maxBytes);
          const asked = challengedBootId(response.headers.get(CHALLENGE_HEADER));
          // The first question, or the first to one that was started anew: now it is known whom to sign for.
          const mustSignAnew = response.status === 401 && secret !== "" && asked !== undefined;
          if (isAgain || !mustSignAnew || asked === bootId) return { status: response.status, text };
          this.#bootIds.set(address, asked);
        }
      });
    } finally {
      deadline.close();
    }
  }

  async #send(
    method: string,
    url: URL,
    secret: string,
    bootId: string,
    headers: Record<string, string>,
    signal: AbortSignal,
  ): Promise<Response> {
    const { fetch, wallNow, nonce, signature } = this.#options;
    const allHeaders: Record<string, string> = { "User-Agent": signature, ...headers };
    if (secret !== "") {
      const request = { bootId, method, target: url.pathname + url.search };
      allHeaders[SIGNATURE_HEADER] = signRequest(secret, request, wallNow(), nonce());
    }
    return await fetch(url.href, { method, headers: allHeaders, signal, redirect: "manual" });
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

/** A coworker is being asked so much that a question did not come to its turn: that says nothing of the coworker. */
export class CoworkerBusy extends Error {
  override readonly name = "CoworkerBusy";

  constructor() {
    super(`${MAX_QUESTIONS} requests to it are already in progress`);
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
      throw new Error(`its response is longer than ${maxBytes} bytes`);
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** @throws {Error} When it is none. */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Below.
  }
  if (typeof value !== "object" || value === null) throw new Error("its response is not a JSON object");
  return value as Record<string, unknown>;
}
