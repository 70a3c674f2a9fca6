/**
 * What the document of the API says of each operation beside its path: the routes themselves say which there are, and a test holds each
 * against this.
 *
 * @module
 */
import * as z from "zod/mini";
import { CLIENT_ORDERS } from "../api/cluster_clients.ts";
import { STREAM_HISTORY } from "../api/history_routes.ts";
import { LOGS } from "../api/logs_routes.ts";
import { LOGIN, SESSION } from "../api/session_routes.ts";
import { CLUSTER_CLIENTS, CLUSTER_STREAMS, NODE, STREAM_ORIGIN } from "./cluster_schemas.ts";
import {
  CLIENT,
  DRAIN,
  FORWARD,
  NAMES,
  RECORDING,
  STREAM,
  SUMMARIES,
  SYSTEM_VALUES,
  VERSIONS,
  VHOST,
} from "./srs_schemas.ts";

/** A parameter of a query. */
export interface Parameter {
  readonly about: string;
  readonly schema: z.ZodMiniType;
  readonly isRequired?: boolean;
}

export interface Operation {
  readonly group: string;
  readonly summary: string;
  readonly query?: Readonly<Record<string, Parameter>>;
  /** JSON that is sent. */
  readonly body?: z.ZodMiniType;
  /** What the answer holds beside SRS's envelope (`code`, `server`, `service`, `pid`); absent with another content type. */
  readonly answer?: z.ZodMiniType;
  /** Whether the answer has no more of the envelope than `code`. */
  readonly isBare?: boolean;
  /** Of an answer that is no JSON. */
  readonly contentType?: string;
  /** Whether it changes something, or shows what only those may see who may. */
  readonly isGuarded?: boolean;
}

const number = z.number();
const text = z.string();
const whole = z.coerce.number();
const data = (schema: z.ZodMiniType) => z.object({ data: schema });

const PAGE: Operation["query"] = {
  start: { about: "The first.", schema: whole },
  count: { about: "How many, at least 10.", schema: whole },
};
const clusterPage = (
  orders: readonly [string, ...string[]],
  max: number,
  matched: string,
): Operation["query"] => ({
  search: { about: `Part of ${matched}, in any case; at most 200 characters.`, schema: text },
  sort: {
    about: "The order; a - before it reverses it.",
    schema: z.enum(orders.flatMap((order) => [order, `-${order}`])),
  },
  start: { about: "The first.", schema: whole },
  count: { about: `How many: 100, at most ${max}.`, schema: whole },
});
const STREAM_URL: Operation["query"] = {
  url: { about: "The stream: [vhost]/app/stream.", schema: text, isRequired: true },
};
const CLIENTS_QUERY: Operation["query"] = {
  ...clusterPage(
    Object.keys(CLIENT_ORDERS) as [string, ...string[]],
    500,
    "an id, address, stream or type",
  ),
  url: { about: "Only clients of this stream: [vhost]/app/stream.", schema: text },
  type: { about: "Only these.", schema: z.enum(["publish", "play"]) },
};
const STREAMS_QUERY: Operation["query"] = clusterPage(
  ["name", "owner", "viewers", "recv_kbps", "send_kbps", "fps", "key_frame_interval_s"],
  1000,
  "a stream's url, its owner's name, or its publisher's address or program",
);
const ORIGIN_QUERY: Operation["query"] = {
  vhost: { about: "Of this node; another, or none, is the default one.", schema: text },
  ip: { about: "The host that the player dialled; repeated.", schema: text },
  app: { about: "The stream's application.", schema: text },
  stream: { about: "The stream; .flv at its end is left out.", schema: text },
  coworker: { about: "How the asker knows this node: host or host:port.", schema: text },
};
const KICKED = z.object({ kicked: number });
const NODE_STATE = z.record(text, z.unknown());

const server = (summary: string, answer: z.ZodMiniType): Operation => ({
  group: "The server",
  summary,
  answer,
});
const cluster = (summary: string, answer: z.ZodMiniType, query?: Operation["query"]): Operation => ({
  group: "The cluster",
  summary,
  answer: data(answer),
  isBare: true,
  ...(query === undefined ? {} : { query }),
});

/** By method and path, as the routes have them. */
export const OPERATIONS: Readonly<Record<string, Operation>> = {
  "GET /": server("What is below.", z.object({ urls: NAMES })),
  "GET /api": server("What is below.", z.object({ urls: NAMES })),
  "GET /api/v1": server("What is below.", z.object({ urls: NAMES, tests: NAMES })),
  "GET /api/v1/versions": server("The program's version.", data(VERSIONS)),
  "GET /api/v1/authors": server("License and authors.", data(NAMES)),
  "GET /api/v1/features": server(
    "What the server can do, in SRS's words.",
    data(z.record(text, z.unknown())),
  ),
  "GET /api/v1/summaries": server("The process and the machine at a glance.", data(SUMMARIES)),
  "GET /api/v1/rusages": server("What the process has used.", data(SYSTEM_VALUES)),
  "GET /api/v1/self_proc_stats": server("The process, as the system sees it.", data(SYSTEM_VALUES)),
  "GET /api/v1/system_proc_stats": server("The machine's processors.", data(SYSTEM_VALUES)),
  "GET /api/v1/meminfos": server("The machine's memory.", data(SYSTEM_VALUES)),
  "GET /api/v1/logs": { ...server("The last warnings and errors of the log.", data(LOGS)), isGuarded: true },
  "GET /api/v1/vhosts": {
    group: "Vhosts",
    summary: "All vhosts.",
    answer: z.object({ vhosts: z.array(VHOST) }),
  },
  "GET /api/v1/vhosts/:id": { group: "Vhosts", summary: "One vhost.", answer: z.object({ vhost: VHOST }) },
  "GET /api/v1/streams": {
    group: "Streams",
    summary: "Streams of this node, a page of them.",
    query: PAGE,
    answer: z.object({ streams: z.array(STREAM) }),
  },
  "GET /api/v1/streams/:id": {
    group: "Streams",
    summary: "One stream.",
    answer: z.object({ stream: STREAM }),
  },
  "DELETE /api/v1/streams/:id": {
    group: "Streams",
    summary: "Disconnects the stream's publisher and players.",
    answer: KICKED,
    isGuarded: true,
  },
  "GET /api/v1/streams/:id/history": {
    group: "Streams",
    summary: "The last minutes of a stream, a number a second.",
    answer: data(STREAM_HISTORY),
  },
  "GET /api/v1/clients": {
    group: "Clients",
    summary: "Clients of this node, a page of them.",
    query: PAGE,
    answer: z.object({ clients: z.array(CLIENT) }),
  },
  "DELETE /api/v1/clients": {
    group: "Clients",
    summary: "Disconnects all that the query names; all that is named must be so.",
    query: {
      ip: { about: "Their address.", schema: text },
      stream: { about: "Their stream: [vhost]/app/stream.", schema: text },
      type: { about: "With another one: only these.", schema: z.enum(["publish", "play"]) },
    },
    answer: KICKED,
    isGuarded: true,
  },
  "GET /api/v1/clients/:id": {
    group: "Clients",
    summary: "One client.",
    answer: z.object({ client: CLIENT }),
  },
  "DELETE /api/v1/clients/:id": {
    group: "Clients",
    summary: "Disconnects a client.",
    answer: z.object({}),
    isGuarded: true,
  },
  "GET /api/v1/forwards": {
    group: "Outputs",
    summary: "Streams that are sent on to other servers, a page of them.",
    query: PAGE,
    answer: z.object({ forwards: z.array(FORWARD) }),
  },
  "GET /api/v1/recordings": {
    group: "Outputs",
    summary: "Streams that are recorded now, a page of them.",
    query: PAGE,
    answer: z.object({ recordings: z.array(RECORDING) }),
  },
  "POST /api/v1/recordings": {
    group: "Outputs",
    summary: "Begins to record a stream that is published at this node.",
    query: {
      vhost: { about: "Its vhost; absent: the default one.", schema: text },
      app: { about: "Its application.", schema: text },
      stream: { about: "Its name.", schema: text, isRequired: true },
    },
    answer: z.object({ recording: RECORDING }),
    isGuarded: true,
  },
  "GET /api/v1/recordings/:id": {
    group: "Outputs",
    summary: "One recording.",
    answer: z.object({ recording: RECORDING }),
  },
  "DELETE /api/v1/recordings/:id": {
    group: "Outputs",
    summary: "Ends a recording.",
    answer: z.object({ recording: RECORDING }),
    isGuarded: true,
  },
  "GET /api/v1/clusters": {
    ...cluster("SRS's question: does this node own a stream, and where do players find it.", STREAM_ORIGIN),
    query: ORIGIN_QUERY,
  },
  "POST /api/v1/clusters": {
    ...cluster("The same; a body is not read.", STREAM_ORIGIN),
    query: ORIGIN_QUERY,
  },
  "GET /api/v1/clusters/nodes": cluster(
    "Every node that this one knows, itself first.",
    z.object({ nodes: z.array(NODE) }),
    { streams: { about: "false: without their streams.", schema: z.enum(["true", "false"]) } },
  ),
  "GET /api/v1/clusters/streams": cluster("The streams of all nodes.", CLUSTER_STREAMS, STREAMS_QUERY),
  "GET /api/v1/clusters/clients": cluster("The clients of all nodes.", CLUSTER_CLIENTS, CLIENTS_QUERY),
  "DELETE /api/v1/clusters/clients/:id": {
    ...cluster("Disconnects a client of any node.", z.object({ node: text })),
    query: { node: { about: "Id of its node; absent: all are asked.", schema: text } },
    isGuarded: true,
  },
  "GET /api/v1/clusters/history": cluster(
    "The last minutes of a stream of any node.",
    STREAM_HISTORY,
    STREAM_URL,
  ),
  "GET /api/v1/clusters/node": {
    ...cluster("Between nodes: what this one owns, or what changed.", NODE_STATE),
    query: {
      since: { about: "The revision that the asker has.", schema: whole },
      boot: { about: "Of which start of the node that is.", schema: text },
    },
  },
  "GET /api/v1/clusters/node/streams": cluster("Between nodes: the streams of this one.", NODE_STATE),
  "GET /api/v1/clusters/node/clients": cluster(
    "Between nodes: the clients of this one.",
    NODE_STATE,
    CLIENTS_QUERY,
  ),
  "DELETE /api/v1/clusters/node/clients/:id": {
    ...cluster("Between nodes: disconnects a client of this one.", z.object({ node: text })),
    isGuarded: true,
  },
  "GET /api/v1/clusters/node/history": cluster(
    "Between nodes: a history of this one.",
    STREAM_HISTORY,
    STREAM_URL,
  ),
  "GET /api/v1/events": {
    group: "The cluster",
    summary: "Server-sent events: the nodes and a list of the cluster, when they change.",
    query: {
      view: {
        about: "Which list; streams by default.",
        schema: z.enum(["streams", "clients", "stream", "none"]),
      },
      url: { about: "With view=stream: the stream, [vhost]/app/stream.", schema: text },
    },
    contentType: "text/event-stream",
  },
  "GET /api/v1/session": { ...server("Whether one has to log in.", data(SESSION)), group: "Access" },
  "POST /api/v1/session": { ...server("Logs a browser in.", z.object({})), group: "Access", body: LOGIN },
  "DELETE /api/v1/session": { ...server("Logs a browser out.", z.object({})), group: "Access" },
  "GET /api/v1/raw": {
    group: "The server",
    summary: "SRS's raw API: settings, a reload, or how the last one went. A reload is a change.",
    query: {
      rpc: { about: "What.", schema: z.enum(["raw", "reload", "reload-fetch"]), isRequired: true },
    },
    answer: z.object({ http_api: z.optional(z.record(text, z.unknown())), data: z.optional(SYSTEM_VALUES) }),
    isBare: true,
  },
  "POST /api/v1/raw": {
    group: "The server",
    summary: "The same.",
    query: {
      rpc: { about: "What.", schema: z.enum(["raw", "reload", "reload-fetch"]), isRequired: true },
    },
    answer: z.object({ http_api: z.optional(z.record(text, z.unknown())), data: z.optional(SYSTEM_VALUES) }),
    isBare: true,
  },
  "GET /api/v1/drain": server("How far a drain is.", data(DRAIN)),
  "POST /api/v1/drain": {
    ...server("Takes the server out of service.", data(DRAIN)),
    query: { grace_s: { about: "How long clients may stay; absent: as configured.", schema: whole } },
    isGuarded: true,
  },
  "DELETE /api/v1/drain": { ...server("Takes it back into service.", data(DRAIN)), isGuarded: true },
  "GET /api/v1/openapi.json": {
    group: "The server",
    summary: "This document.",
    answer: z.record(text, z.unknown()),
    isBare: true,
  },
  "GET /api/v1/docs": { group: "The server", summary: "This document for people.", contentType: "text/html" },
  "GET /healthz": {
    group: "Monitoring",
    summary: "Answers while the process does.",
    answer: z.object({ status: text }),
    isBare: true,
  },
  "GET /readyz": {
    group: "Monitoring",
    summary: "200 while new clients are welcome, else 503 with a reason.",
    answer: z.object({ status: text, reason: z.optional(text) }),
    isBare: true,
  },
  "GET /metrics": { group: "Monitoring", summary: "For Prometheus.", contentType: "text/plain" },
  "GET /console": { group: "Monitoring", summary: "The console.", contentType: "text/html" },
};
