import type { AccessRequest } from "./access_request.ts";

/** Who tells. */
export interface HookNode {
  /** The node's name in the API. */
  readonly serverId: string;
  /** Another at each start. */
  readonly serviceId: string;
  /** The id of a stream in the API. */
  readonly streamId: (streamKey: string) => string;
}

type Fields = Readonly<Record<string, string | number>>;

/** Keys, order and types are SRS's (`srs_app_http_hooks.cpp`): backends count on them. */
export function connectFields(node: HookNode, request: AccessRequest): Fields {
  const { app, stream, parameters, tcUrl, pageUrl } = request;
  return { ...who(node, "on_connect", request), app, stream, param: parameters, tcUrl, pageUrl };
}

export function closeFields(
  node: HookNode,
  request: AccessRequest,
  traffic: { readonly sendBytes: number; readonly receiveBytes: number },
): Fields {
  return {
    ...who(node, "on_close", request),
    app: request.app,
    send_bytes: traffic.sendBytes,
    recv_bytes: traffic.receiveBytes,
  };
}

/** Of `on_publish`, `on_unpublish` and `on_stop`. */
export function streamFields(node: HookNode, action: string, request: AccessRequest): Fields {
  const { app, tcUrl, stream, parameters } = request;
  return { ...who(node, action, request), app, tcUrl, stream, param: parameters, ...urlOf(node, request) };
}

export function playFields(node: HookNode, request: AccessRequest): Fields {
  const { app, stream, tcUrl, parameters, pageUrl } = request;
  return {
    ...who(node, "on_play", request),
    app,
    stream,
    tcUrl,
    param: parameters,
    pageUrl,
    ...urlOf(node, request),
  };
}

/** A file of a recording. */
export interface RecordedFile {
  /** The folder that `file` starts from where it is not absolute. */
  readonly cwd: string;
  readonly file: string;
}

/** What is told of the publish that was recorded. */
export type RecordedRequest = Pick<
  AccessRequest,
  "clientId" | "ip" | "vhost" | "app" | "stream" | "streamKey" | "parameters" | "tcUrl"
>;

export function dvrFields(node: HookNode, request: RecordedRequest, { cwd, file }: RecordedFile): Fields {
  const { app, tcUrl, stream, parameters } = request;
  return {
    ...who(node, "on_dvr", request),
    app,
    tcUrl,
    stream,
    param: parameters,
    cwd,
    file,
    ...urlOf(node, request),
  };
}

function who({ serverId, serviceId }: HookNode, action: string, request: RecordedRequest): Fields {
  const { clientId, ip, vhost } = request;
  return { server_id: serverId, service_id: serviceId, action, client_id: clientId, ip, vhost };
}

function urlOf({ streamId }: HookNode, { streamKey }: RecordedRequest): Fields {
  return { stream_url: streamKey, stream_id: streamId(streamKey) };
}
