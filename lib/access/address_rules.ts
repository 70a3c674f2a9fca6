import type { AddressRule } from "../base/address_rule.ts";
import { isInBlock, parseIp } from "../base/ip_address.ts";
import { type AccessCheck, AccessRefusal } from "./access_check.ts";
import type { AccessAction, AccessRequest } from "./access_request.ts";

/**
 * A vhost's `security`, evaluated as SRS does it: a deny rule that matches refuses, then an allow rule that matches lets in. Where none
 * matches it is refused, unless there are only deny rules: so `allow play all` alone refuses all publishers.
 */
export class AddressRules implements AccessCheck {
  readonly name = "security";
  readonly #rules: readonly AddressRule[];
  readonly #hasOnlyDeny: boolean;

  /** @param rules None at all refuses everyone. */
  constructor(rules: readonly AddressRule[]) {
    this.#rules = rules;
    this.#hasOnlyDeny = rules.length > 0 && rules.every(({ verdict }) => verdict === "deny");
  }

  decides(action: AccessAction): boolean {
    return !this.#hasOnlyDeny || this.#rules.some((rule) => rule.action === action);
  }

  check({ action, ip }: AccessRequest): void {
    const bytes = parseIp(ip);
    const denied = this.#find("deny", action, bytes);
    if (denied !== undefined) throw new AccessRefusal(denied.text);
    if (this.#hasOnlyDeny || this.#find("allow", action, bytes) !== undefined) return;
    throw new AccessRefusal(`no rule allows ${action}`);
  }

  #find(
    verdict: AddressRule["verdict"],
    action: AccessAction,
    address: Uint8Array | undefined,
  ): AddressRule | undefined {
    return this.#rules.find((rule) =>
      rule.verdict === verdict && rule.action === action &&
      (rule.from === "all" || (address !== undefined && isInBlock(address, rule.from)))
    );
  }
}
