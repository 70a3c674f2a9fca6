import type { MiddlewareHandler } from "hono";
import { basicAuth } from "hono/basic-auth";

/** What nodes of a cluster ask of each other, without credentials, as SRS does. */
const OPEN_PATH = "/api/v1/clusters";

/** Asks for HTTP Basic credentials, compared in constant time, except on the cluster's paths. */
export function password(
  credentials: { readonly username: string; readonly password: string },
): MiddlewareHandler {
  if (credentials.username === "" || credentials.password === "") {
    throw new RangeError("Cannot protect the HTTP API: username or password is empty");
  }
  const invalidUserMessage = {
    code: 401,
    message: "Unauthorized: user name or password is wrong or missing",
  };
  const check = basicAuth({ ...credentials, realm: "Headwater", invalidUserMessage });
  return async function passwordMiddleware(c, next) {
    if (c.req.path === OPEN_PATH || c.req.path.startsWith(`${OPEN_PATH}/`)) return await next();
    return await check(c, next);
  };
}
