import type { Context, Hono } from "hono";
import * as z from "zod/mini";
import type { ClusterReply, ClusterView, VhostFilter } from "../cluster_view.ts";
import { envelope, failure, refusal, resource } from "../middleware/answer.ts";
import type { ServerView, StreamSummary } from "../server_view.ts";
import { clusterAccess } from "./cluster_access.ts";
import { SharedAnswers } from "./shared_answers.ts";

const NODE_PATH = "/api/v1/clusters/node/history";
const MAX_ANSWER_BYTES = 64 * 1024;
const MAX_URL_LENGTH = 4096;

const points = z.array(z.nullable(z.number())).check(z.maxLength(600));

/** The last minutes of a stream, a number for each interval, oldest first; null: nobody fed it. */
export const STREAM_HISTORY = z.object({
  /** Id of the node that saw it. */
  node: z.string().check(z.maxLength(1024)),
  /** The stream key: `[vhost]/app/stream`. */
  url: z.string().check(z.maxLength(MAX_URL_LENGTH)),
  interval_ms: z.number(),
  /** When the last interval began, in milliseconds since 1970. */
  end_ms: z.number(),
  /** Kilobits per second that came in. */
  kbps: points,
  /** Video frames per second that came in. */
  fps: points,
  /** How many key frames came in. */
  key_frames: points,
});

export type StreamHistoryJson = z.output<typeof STREAM_HISTORY>;

/** `/api/v1/streams/ID/history`: the last minutes of a stream of this node. */
export function addHistoryRoutes(app: Hono, view: ServerView): void {
  resource(app, "/api/v1/streams/:id/history", {
    GET: (c) => {
      const stream = view.stream(c.req.param("id") ?? "");
      const data = stream && historyJson(view, stream);
      return data === undefined ? failure(c, "streamNotFound") : c.json(envelope(view, { data }));
    },
  });
}

export interface ClusterHistoryOptions {
  readonly view: ServerView;
  readonly cluster: ClusterView;
  readonly hasAuth: boolean;
  readonly histories: ClusterHistories;
}

/** `/api/v1/clusters/history?url=[VHOST]/APP/STREAM`: the last minutes of a stream of any node. */
export function addClusterHistoryRoutes(
  app: Hono,
  { view, cluster, hasAuth, histories }: ClusterHistoryOptions,
): void {
  const access = clusterAccess(cluster, hasAuth);
  const answer = async (
    c: Context,
    isVisible: VhostFilter | Response,
    find: (url: string) => StreamHistoryJson | undefined | Promise<StreamHistoryJson | undefined>,
  ): Promise<Response> => {
    if (isVisible instanceof Response) return isVisible;
    const url = c.req.query("url") ?? "";
    if (url === "" || url.length > MAX_URL_LENGTH) {
      return refusal(c, 400, "Cannot find the stream: url must be [vhost]/app/stream");
    }
    const data = await find(url);
    return data === undefined
      ? refusal(c, 404, "Cannot find the stream: no node that answers has it")
      : c.json({ code: 0, data });
  };
  resource(app, "/api/v1/clusters/history", {
    GET: (c) => {
      const isVisible = access.forPeople(c);
      return answer(c, isVisible, (url) => histories.find(url, isVisible as VhostFilter));
    },
  });
  resource(app, NODE_PATH, {
    GET: (c) => {
      const isVisible = access.forNodes(c);
      return answer(c, isVisible, (url) => ownHistory(view, url, isVisible as VhostFilter));
    },
  });
}

/** The last minutes of any stream of the cluster, from a node that is fed with it. */
export class ClusterHistories {
  readonly #view: ServerView;
  readonly #cluster: ClusterView;
  readonly #replies: SharedAnswers<readonly ClusterReply[]>;

  /** @param now Milliseconds since 1970. */
  constructor(view: ServerView, cluster: ClusterView, now: () => number) {
    this.#view = view;
    this.#cluster = cluster;
    this.#replies = new SharedAnswers(now);
  }

  /**
   * This node's, where it is fed with the stream, else the one that saw the most of it; undefined where nobody saw any.
   *
   * @throws {TooBusy} See `SharedAnswers`.
   */
  async find(url: string, isVisible: VhostFilter): Promise<StreamHistoryJson | undefined> {
    const own = ownHistory(this.#view, url, isVisible);
    if (own !== undefined && isFed(this.#view, url)) return own;
    const replies = await this.#replies.get(url, () =>
      this.#cluster.ask({
        method: "GET",
        path: `${NODE_PATH}?url=${encodeURIComponent(url)}`,
        maxBytes: MAX_ANSWER_BYTES,
      }));
    let best = own;
    for (const { answer } of replies) {
      if (answer?.status !== 200) continue;
      const told = STREAM_HISTORY.safeParse(answer.value["data"]).data;
      if (told?.url === url && seen(told) > seen(best)) best = told;
    }
    return best;
  }
}

/** Seconds of which something is known. */
function seen(history: StreamHistoryJson | undefined): number {
  return history?.kbps.reduce<number>((count, value) => count + (value === null ? 0 : 1), 1) ?? 0;
}

function ownHistory(view: ServerView, url: string, isVisible: VhostFilter): StreamHistoryJson | undefined {
  const stream = findStream(view, url);
  return stream && isVisible(stream.vhost) ? historyJson(view, stream) : undefined;
}

function isFed(view: ServerView, url: string): boolean {
  return findStream(view, url)?.publish.active === true;
}

function findStream(view: ServerView, url: string): StreamSummary | undefined {
  for (const stream of view.streams()) if (stream.url === url) return stream;
  return undefined;
}

function historyJson(view: ServerView, { id, url }: StreamSummary): StreamHistoryJson | undefined {
  const history = view.history(id);
  return history && {
    node: view.serverId,
    url,
    interval_ms: history.intervalMs,
    end_ms: history.endMs,
    kbps: [...history.kbps],
    fps: [...history.fps],
    key_frames: [...history.keyFrames],
  };
}
