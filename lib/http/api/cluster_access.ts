import type { Context } from "hono";
import type { ClusterView, VhostFilter } from "../cluster_view.ts";
import { refusal } from "../middleware/answer.ts";
import { isFromHere } from "../middleware/changes.ts";
import { hasCredentials } from "../middleware/credentials.ts";

const SIGNATURE_HEADER = "X-Headwater-Signature";
const everything: VhostFilter = () => true;

/** Who may see what of the cluster. */
export interface ClusterAccess {
  /** Whether somebody has logged in, or, where nobody can, asks from this machine. */
  isTrusted(context: Context): boolean;
  /** What a person may see of the whole cluster; a response: why nothing. */
  forPeople(context: Context): VhostFilter | Response;
  /** What a node may see, or change, of this one's clients; a response: why nothing. */
  forNodes(context: Context): VhostFilter | Response;
}

/**
 * Access to the cluster's routes by `cluster.secret` and `http_api.auth`. Clients are told by their addresses, so that without a
 * signature they are told only to those who may read the rest of the API.
 *
 * @param hasAuth Whether the API asks for credentials.
 */
export function clusterAccess(view: ClusterView, hasAuth: boolean): ClusterAccess {
  const isTrusted = (c: Context) => hasCredentials(c) || (!hasAuth && isFromHere(c));
  return {
    isTrusted,
    forPeople(c) {
      if (isTrusted(c) || !view.hasSecret) return everything;
      return admit(c, view) ?? refusal(
        c,
        403,
        "Cannot show the cluster: cluster.secret is set. Set http_api.auth and log in, or ask from this machine itself",
      );
    },
    forNodes(c) {
      if (isTrusted(c)) return everything;
      const isVisible = admit(c, view);
      if (isVisible === undefined) return unsigned(c, view);
      if (!hasAuth) return isVisible;
      // Without a secret nobody can sign for the vhost.
      if (view.hasSecret) return (vhost) => isVisible(vhost) && view.isSecret(vhost);
      return refusal(
        c,
        401,
        "Unauthorized: http_api.auth is set, and nodes can't sign: set the same cluster.secret at all nodes",
      );
    },
  };
}

/** Who asks, by the signature of a request; undefined: nothing may be told. */
export function admit(context: Context, view: ClusterView): VhostFilter | undefined {
  const { method, target } = requestTarget(context);
  return view.admit({ method, target, signature: context.req.header(SIGNATURE_HEADER) });
}

/** A request as it is signed. */
export function requestTarget(context: Context): { method: string; target: string } {
  const { pathname, search } = new URL(context.req.url);
  return { method: context.req.method, target: pathname + search };
}

/** 401 for who has not signed, with for whom to sign. */
export function unsigned(context: Context, view: ClusterView): Response {
  const message = "Unauthorized: cluster.secret is set, and the request is not signed with it";
  return refusal(context, 401, message, { "WWW-Authenticate": view.challenge });
}
