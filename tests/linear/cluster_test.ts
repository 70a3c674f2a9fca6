import { splitStreamKey } from "../../lib/base/stream_address.ts";
import { parseCoworkerAddress } from "../../lib/base/host_port.ts";
import { mergeStreams, pageOf } from "../../lib/cluster/cluster_streams.ts";
import { readNodeStreams, readSrsStreams } from "../../lib/cluster/node_streams.ts";
import { nodeStateJson, parseNodeState } from "../../lib/cluster/node_state.ts";
import { OwnedStreams } from "../../lib/cluster/owned_streams.ts";
import { NODE_CLIENTS, type NodeClientJson, selectClients } from "../../lib/http/api/cluster_clients.ts";
import { STREAM_HISTORY } from "../../lib/http/api/history_routes.ts";
import { readSrsClients } from "../../lib/http/api/srs_clients.ts";
import { SignatureVerifier, signRequest } from "../../lib/cluster/request_signature.ts";
import { RtmpError } from "../../lib/base/errors.ts";
import { type PullAsker, PullAskers } from "../../lib/upstream/pull_askers.ts";
import { readStreamAnswer, streamQueryPath } from "../../lib/cluster/stream_query.ts";
import { type Entrance, HARMLESS_OBJECT_NS, testGrowth } from "./growth.ts";
import { fill, refusedOr } from "./inputs.ts";

/** A coworker's answer, read as it comes: JSON, then the state. */
function state(make: (count: number) => Record<string, unknown>): (count: number) => () => unknown {
  return (count) => {
    const text = JSON.stringify({
      node_id: "a",
      boot_id: "b",
      version: "1",
      rtmp: { port: 1935 },
      load: { clients: 0, streams: 0 },
      revision: 1,
      full: true,
      streams: [],
      ...make(count),
    });
    return () => refusedOr(Error, () => parseNodeState(JSON.parse(text)));
  };
}

/** The streams that a coworker has, read as they come and put together with another one's. */
function told(make: (count: number) => unknown[]): (count: number) => () => unknown {
  return (count) => {
    const text = JSON.stringify({ code: 0, data: { streams: make(count) } });
    return () =>
      refusedOr(Error, () => {
        const streams = readNodeStreams(JSON.parse(text));
        const nodes = ["a", "b"].map((name) => ({ name, self: false, streams }));
        const query = { search: "1", sort: "viewers", isDescending: true, start: 0, count: 10 } as const;
        return pageOf(mergeStreams(nodes), query);
      });
  };
}

const CLIENTS_QUERY = { text: "1", sort: "send_kbps", isDescending: true, start: 0, count: 10 };

function client(index: number): NodeClientJson {
  return {
    id: `${index}`,
    ip: "192.0.2.1",
    url: `/live/${index}`,
    vhost: "v",
    type: "rtmp-play",
    publish: false,
    "connected_at_ms": 1,
    "send_bytes": 1,
    "recv_bytes": 1,
    "send_kbps": index,
    "recv_kbps": 1,
    jumps: 0,
    "page_url": "",
  };
}

/** The clients of a coworker, read as they come, searched and sorted. */
function clients(make: (count: number) => unknown[]): (count: number) => () => unknown {
  return (count) => {
    const text = JSON.stringify({ total: count, clients: make(count) });
    return () =>
      selectClients(NODE_CLIENTS.safeParse(JSON.parse(text)).data?.clients ?? [], CLIENTS_QUERY, {});
  };
}

/** A history of a coworker, read as it comes. */
function history(make: (count: number) => unknown[]): (count: number) => () => unknown {
  return (count) => {
    const text = JSON.stringify({
      node: "a",
      url: "/live/a",
      "interval_ms": 1000,
      "end_ms": 1,
      kbps: make(count),
      fps: [],
      "key_frames": [],
    });
    return () => STREAM_HISTORY.safeParse(JSON.parse(text));
  };
}

function stream(name: string): Record<string, unknown> {
  return { vhost: "v", app: "live", stream: name, published_at_ms: 1 };
}

function list<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => item(index));
}

function owned(count: number): OwnedStreams {
  const streams = new OwnedStreams();
  for (let index = 0; index < count; index++) streams.add(ownedStream(index));
  return streams;
}

function ownedStream(index: number): Parameters<OwnedStreams["add"]>[0] {
  const name = String(index);
  return {
    vhost: "v",
    app: "live",
    stream: name,
    key: `v/live/${name}`,
    publishedAtMs: 1,
    connectionId: "c",
  };
}

/** Texts of one kind each. */
function texts(name: string, size: number, handle: (text: string) => unknown): Entrance {
  const units: Record<string, string> = {
    "of slashes": "/",
    "of letters": "a",
    "of digits": "1",
    "of colons": ":",
    "of brackets": "[",
    "of commas": ",",
    "of open braces": "{",
    "of percent signs": "%",
    "of half letters": "\ud800",
    "of spaces": " ",
    "of points": ".",
  };
  const kinds = Object.entries(units).map(([kind, unit]) => [kind, (size: number) => {
    const text = fill(unit, size);
    return () => refusedOr(Error, () => handle(text));
  }]);
  return { name, size, kinds: Object.fromEntries(kinds) };
}

function asker(index: number): PullAsker {
  const route = list(64, (place) => `${index}-${place}`);
  return { parameters: `?token=${index}`, pageUrl: "", swfUrl: "", route };
}

/** A search for each, which is refused. */
function refuseEach(count: number): void {
  const askers = new PullAskers(asker(0));
  for (let index = 0; index < count; index++) {
    const one = { ...asker(index), route: [] };
    askers.add(one);
    askers.wait(one).found.catch(() => {});
  }
  for (let index = 0; index < count; index++) {
    askers.failed(askers.begin(), new RtmpError("unauthorized", "The other server refuses"));
  }
  if (askers.isAwaited) throw new Error("Somebody still waits");
}

const IDENTITY = { nodeId: "a", bootId: "b", version: "1" };
const REQUEST = { bootId: "b", method: "GET", target: "/api/v1/clusters/node" };
const SECRET = "0123456789abcdef0123456789abcdef";

testGrowth([
  {
    name: "coworker's answer",
    size: 1000,
    kinds: {
      "of streams": state((count) => ({ streams: list(count, (index) => stream(`${index}`)) })),
      "of one stream over and over": state((count) => ({ streams: list(count, () => stream("a")) })),
      "of streams that are gone": state((count) => ({
        full: false,
        removed: list(count, (index) => stream(`${index}`)),
      })),
      "of one long name": state((count) => ({ streams: [stream(fill("a", count))] })),
      "of a long id": state((count) => ({ node_id: fill("a", count) })),
      "of what nobody asked for": state((count) =>
        Object.fromEntries(list(count, (index) => [`p${index}`, index]))
      ),
    },
  },
  {
    name: "streams that coworkers tell of, as one list",
    size: 1000,
    harmlessNs: HARMLESS_OBJECT_NS,
    kinds: {
      "of many streams": told((count) => list(count, (index) => stream(`${index}`))),
      "of one stream over and over": told((count) => list(count, () => stream("a"))),
      "of one long name": told((count) => [stream(fill("a", count))]),
      "of what is no stream": told((count) => list(count, () => 1)),
      "of SRS": (count) => {
        const text = JSON.stringify({
          streams: list(count, (index) => ({ name: `${index}`, app: "live", url: `/live/${index}` })),
        });
        return () => refusedOr(Error, () => readSrsStreams(JSON.parse(text)));
      },
    },
  },
  {
    name: "clients that coworkers tell of, as one list",
    size: 1000,
    harmlessNs: HARMLESS_OBJECT_NS,
    kinds: {
      "of many clients": clients((count) => list(count, client)),
      "of one client over and over": clients((count) => list(count, () => client(1))),
      "of one long address": clients((count) => [{ ...client(1), ip: fill("a", count) }]),
      "of what is no client": clients((count) => list(count, () => ({}))),
      "of SRS": (count) => {
        const text = JSON.stringify({
          clients: list(count, (index) => ({ id: `${index}`, url: `/live/${index}`, alive: index })),
        });
        return () => selectClients(readSrsClients(JSON.parse(text), 1) ?? [], CLIENTS_QUERY, {});
      },
    },
  },
  {
    name: "a stream's history that coworkers tell of",
    size: 1000,
    kinds: {
      "of numbers": history((count) => list(count, (index) => index)),
      "of nothing": history((count) => list(count, () => null)),
      "of texts": history((count) => list(count, () => "a")),
    },
  },
  {
    name: "streams of a node, told to a coworker",
    size: 1000,
    harmlessNs: HARMLESS_OBJECT_NS,
    kinds: {
      "that are published": (count) => () => owned(count),
      "all of them": (count) => {
        const streams = owned(count);
        return () => nodeStateJson(IDENTITY, { port: 1 }, { clients: 0, streams: 0 }, streams, () => true);
      },
      "what changed": (count) => {
        const streams = owned(count);
        for (let index = 0; index < count / 2; index++) streams.remove(`v/live/${index}`);
        const since = { bootId: "b", revision: count / 2 };
        return () =>
          nodeStateJson(IDENTITY, { port: 1 }, { clients: 0, streams: 0 }, streams, () => true, since);
      },
      "that come and go": (count) => () => {
        const streams = new OwnedStreams(64);
        for (let index = 0; index < count; index++) {
          streams.add(ownedStream(index));
          streams.remove(`v/live/${index}`);
        }
      },
    },
  },
  texts("coworker's answer to a question for a stream", 8192, (text) => {
    return readStreamAnswer(
      JSON.stringify({ code: 0, data: { origin: { ip: text, port: 1935, vhost: text } } }),
    );
  }),
  texts("coworker's answer that is no JSON", 8192, readStreamAnswer),
  texts("polling a coworker", 4096, (text) => {
    return streamQueryPath({ vhost: text, app: text, stream: text, host: text }, text);
  }),
  texts("coworker's address", 4096, (text) => parseCoworkerAddress(text)),
  texts("stream key", 8192, splitStreamKey),
  texts("signature", 4096, (text) => new SignatureVerifier().verify(SECRET, REQUEST, text, 1)),
  texts(
    "signature's beginning",
    4096,
    (text) => new SignatureVerifier().verify(SECRET, REQUEST, `t=1,n=${text}`, 1),
  ),
  texts("signed target", 4096, (target) => {
    const request = { ...REQUEST, target };
    return new SignatureVerifier().verify(
      SECRET,
      request,
      signRequest(SECRET, request, 1, "0123456789abcdef"),
      1,
    );
  }),
  {
    name: "clients that share a pull",
    size: 500,
    harmlessNs: HARMLESS_OBJECT_NS,
    kinds: {
      "each with a token that is refused": (count) => () => refuseEach(count),
      "each a node with a route": (count) => () => {
        const askers = new PullAskers(asker(0));
        for (let index = 0; index < count; index++) askers.add(asker(index));
        return askers.route("mark");
      },
    },
  },
  {
    name: "signed requests",
    size: 200,
    kinds: {
      "one after the other": (count) => {
        const signatures = list(count, (index) => {
          return signRequest(SECRET, REQUEST, 1, index.toString(16).padStart(16, "0"));
        });
        return () => {
          const verifier = new SignatureVerifier();
          for (const signature of signatures) verifier.verify(SECRET, REQUEST, signature, 1);
        };
      },
    },
  },
]);
