import { getLogger } from "@logtape/logtape";
import { RtmpError } from "../base/errors.ts";
import { Tally } from "../base/tally.ts";
import { type AccessCheck, AccessRefusal, type Leave } from "./access_check.ts";
import type { AccessAction, AccessRequest } from "./access_request.ts";

const log = getLogger(["headwater", "access"]);

/** The checks of every vhost, in the order in which they are asked. */
export type AccessChecks = ReadonlyMap<string, readonly AccessCheck[]>;

/** Is told that a client's connection has ended. */
export type OnClosed = (
  clientId: string,
  traffic: { readonly sendBytes: number; readonly receiveBytes: number },
) => void;

/**
 * Decides who may publish and play, whatever protocol they speak. It is asked before anything reaches the hub and before a client is
 * told that it started. The first check that refuses decides; which one, and why, is logged and not told.
 */
export class Access {
  /** Who was refused by which check. */
  readonly refusals: Tally<"check" | "action"> = new Tally();
  #checks: AccessChecks;
  readonly #onClosed: OnClosed;

  /**
   * @param checks Those of all vhosts; of a vhost that is not among them nobody is let in.
   * @param onClosed Is told of the end of every client that asked, whether it was let in or not.
   */
  constructor(checks: AccessChecks, onClosed: OnClosed = () => {}) {
    this.#checks = checks;
    this.#onClosed = onClosed;
  }

  /** Takes new checks for who comes next. */
  reload(checks: AccessChecks): void {
    this.#checks = checks;
  }

  /** The checks that whoever publishes or plays in a vhost has passed here, by name: what this node can vouch for towards others. */
  vouchedFor(vhost: string, action: AccessAction): string[] {
    const checks = this.#checks.get(vhost) ?? [];
    return checks.filter((check) => check.decides(action)).map(({ name }) => name);
  }

  /** The connection of a client has ended; what it did was left before. */
  closed(...end: Parameters<OnClosed>): void {
    this.#onClosed(...end);
  }

  /**
   * Lets a client in.
   *
   * @returns To be called once, when it has stopped, or could not begin.
   * @throws {RtmpError} `access-denied` or `credentials-required`.
   */
  async admit(request: AccessRequest): Promise<Leave> {
    const checks = this.#checks.get(request.vhost);
    if (checks === undefined) throw this.#refuse(request, "vhost", new AccessRefusal("no longer configured"));
    const leaves: Leave[] = [];
    const leave = () => {
      for (const each of leaves.splice(0).reverse()) each();
    };
    for (const each of checks) {
      if (request.vouched.includes(each.name)) continue;
      try {
        // Most checks know at once.
        const result = each.check(request);
        const passed = result instanceof Promise ? await result : result;
        if (passed !== undefined) leaves.push(passed);
      } catch (error) {
        leave();
        throw error instanceof AccessRefusal ? this.#refuse(request, each.name, error) : error;
      }
    }
    return leave;
  }

  #refuse(request: AccessRequest, check: string, refusal: AccessRefusal): RtmpError {
    const { action, protocol, clientId, ip, streamKey } = request;
    this.refusals.count({ check, action });
    log.info("Access refused", {
      connectionId: clientId,
      peer: ip,
      stream: streamKey,
      action,
      protocol,
      check,
      rule: refusal.message,
    });
    const code = refusal.isCredentialMissing ? "credentials-required" : "access-denied";
    const what = action === "publish" ? "Publishing" : "Playback";
    return new RtmpError(code, `${what} is not permitted`, { cause: refusal });
  }
}
