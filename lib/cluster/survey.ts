import type { Clock } from "../base/clock.ts";
import { type Coworker, failureText } from "./coworker.ts";
import { type CoworkerClient, parseJsonObject } from "./coworker_client.ts";
import type { NodeQuestion, NodeReply } from "./directory.ts";

/** A coworker with what is needed to ask it. */
export interface AskableCoworker {
  readonly coworker: Coworker;
  readonly secret: string;
  readonly timeoutMs: number;
}

export interface SurveyOptions {
  readonly client: CoworkerClient;
  readonly clock: Clock;
  /** Other nodes, and names that can't be looked up. */
  readonly coworkers: () => Iterable<AskableCoworker | { readonly name: string; readonly error: string }>;
}

/** Most nodes that are asked at the same time: their answers are held until the last has come. */
const MAX_NODES = 256;

/**
 * Asks the other nodes for what the loop does not carry, all at once, each within its `query_timeout_ms`. One that is known to be down is
 * not asked. What comes is only text that is JSON: who asks has to check it.
 */
export class Survey {
  readonly #options: SurveyOptions;

  constructor(options: SurveyOptions) {
    this.#options = options;
  }

  /**
   * One reply for each node, this one left out, in the order of the configuration. Never rejects.
   *
   * @param node Ask only this one: its node id, or its name where it has none.
   */
  async ask(question: NodeQuestion, node?: string): Promise<readonly NodeReply[]> {
    const asked: Promise<NodeReply>[] = [];
    const boots = new Set<string>();
    for (const entry of this.#options.coworkers()) {
      if ("error" in entry) {
        if (node === undefined) asked.push(Promise.resolve({ ...entry, coworker: undefined }));
        continue;
      }
      const { coworker } = entry;
      if (coworker.kind === "self" || asked.length >= MAX_NODES) continue;
      if (node !== undefined && node !== (coworker.node?.nodeId ?? coworker.name)) continue;
      const bootId = coworker.node?.bootId;
      if (bootId !== undefined && boots.has(bootId)) continue;
      if (bootId !== undefined) boots.add(bootId);
      asked.push(this.#askOne(entry, question));
    }
    return await Promise.all(asked);
  }

  async #askOne(entry: AskableCoworker, question: NodeQuestion): Promise<NodeReply> {
    const { client, clock } = this.#options;
    const { coworker, secret, timeoutMs } = entry;
    const { name } = coworker;
    if (coworker.isUp !== true) {
      return { name, coworker, error: coworker.isUp === false ? "it is down" : "it has not been asked yet" };
    }
    const isSrs = coworker.kind === "srs";
    const path = isSrs ? question.srsPath : question.path;
    if (path === undefined) return { name, coworker, error: "SRS can't be asked for this" };
    const startMs = clock.now();
    try {
      const { status, text } = await client.ask(question.method, coworker.address, path, {
        secret: isSrs ? "" : secret,
        timeoutMs,
        maxBytes: question.maxBytes,
      });
      const tookMs = clock.now() - startMs;
      // Errors need not be JSON.
      const value = status === 200 ? parseJsonObject(text) : {};
      return { name, coworker, tookMs, answer: { status, value } };
    } catch (error) {
      return { name, coworker, tookMs: clock.now() - startMs, error: failureText(error) };
    }
  }
}
