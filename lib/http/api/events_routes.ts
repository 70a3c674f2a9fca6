import type { Context, Hono } from "hono";
import type { AppBindings } from "../app_handler.ts";
import type { ClusterView, VhostFilter } from "../cluster_view.ts";
import { refusal, resource } from "../middleware/answer.ts";
import { clusterAccess } from "./cluster_access.ts";
import { CLIENT_ORDERS, readClientFilter } from "./cluster_clients.ts";
import type { ClusterClients } from "./cluster_clients_list.ts";
import { sensible } from "./cluster_errors.ts";
import { streamsQuery } from "./clusters_routes.ts";
import type { EventData, EventSourceOf, EventStreams } from "./event_streams.ts";
import type { ClusterHistories } from "./history_routes.ts";
import { BadQuery, readListQuery } from "./listing.ts";
import { TooBusy } from "./shared_answers.ts";

const HEADERS = {
  "Content-Type": "text/event-stream",
  "Cache-Control": "no-cache",
  // nginx buffers a response otherwise, where it is so configured.
  "X-Accel-Buffering": "no",
};

/** Rows of a list that a page is told of: each page's last ones are kept. */
const MAX_ROWS = 200;

export interface EventsOptions {
  readonly cluster: ClusterView;
  readonly hasAuth: boolean;
  readonly events: EventStreams;
  readonly clients: ClusterClients;
  readonly histories: ClusterHistories;
}

/** `/api/v1/events`: what a page shows, as server-sent events, whole at first and then when it changed. */
export function addEventsRoutes(app: Hono, options: EventsOptions): void {
  const access = clusterAccess(options.cluster, options.hasAuth);
  resource(app, "/api/v1/events", {
    GET: (c) => {
      const isVisible = access.forPeople(c);
      if (isVisible instanceof Response) return isVisible;
      return sensible(c, () => Promise.resolve(answer(c, options, isVisible)));
    },
  });
}

function answer(c: Context, options: EventsOptions, isVisible: VhostFilter): Response {
  const bindings = c.env as AppBindings;
  if (bindings.isWebSocket) {
    return refusal(c, 400, "Cannot speak WebSocket here: these are server-sent events");
  }
  const view = viewOf(c, options, isVisible);
  const { cluster } = options;
  bindings.isEndless = true;
  if (bindings.isHead) return c.body(null, 200, HEADERS);
  const play = options.events.open(async () => {
    const nodes = { nodes: cluster.nodes(isVisible, false) };
    return [{ event: "nodes", data: JSON.stringify(nodes), key: nodesKey(nodes) }, ...await view()];
  });
  if (play === undefined) {
    bindings.isEndless = false;
    return refusal(c, 503, "Too many pages are open: try again later, or ask for the lists themselves", {
      "Retry-After": "10",
    });
  }
  bindings.play = play;
  return c.body(null, 200, HEADERS);
}

/** Round trips change with every look, which is no news. */
function nodesKey(nodes: object): string {
  return JSON.stringify(nodes, (name, value) => name === "round_trip_ms" ? undefined : value);
}

/** @throws {BadQuery} When the query makes no sense. */
function viewOf(
  c: Context,
  { cluster, clients, histories }: EventsOptions,
  isVisible: VhostFilter,
): EventSourceOf {
  const query = c.req.query();
  switch (query["view"] ?? "streams") {
    case "none":
      return () => Promise.resolve([]);
    case "streams": {
      const asked = streamsQuery(c);
      if (typeof asked === "string") throw new BadQuery(asked);
      const shown = { ...asked, count: Math.min(asked.count, MAX_ROWS) };
      return async () => [eventOf("streams", await cluster.clusterStreams(isVisible, shown))];
    }
    case "clients": {
      const asked = readListQuery(query, Object.keys(CLIENT_ORDERS), MAX_ROWS);
      const filter = readClientFilter(query);
      return unlessBusy(async () => [eventOf("clients", await clients.all(asked, filter, isVisible))]);
    }
    case "stream": {
      const url = query["url"] ?? "";
      return unlessBusy(async () => [eventOf("history", await histories.find(url, isVisible) ?? null)]);
    }
    default:
      throw new BadQuery("Cannot show: view must be streams, clients, stream or none");
  }
}

/** How long an answer took is no news. */
function eventOf(event: string, data: object | null): EventData {
  const key = JSON.stringify(data, (name, value) => name === "took_ms" ? undefined : value);
  return { event, data: JSON.stringify(data), key };
}

/** What can't be asked for now is asked for a second later. */
function unlessBusy(source: EventSourceOf): EventSourceOf {
  return async () => {
    try {
      return await source();
    } catch (error) {
      if (error instanceof TooBusy) return [];
      throw error;
    }
  };
}
