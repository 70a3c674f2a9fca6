import type { AccessAction, AccessRequest } from "./access_request.ts";

/** What is to be done when a client that was let in has stopped, or is refused by what is asked later. */
export type Leave = () => void;

/** One way of deciding who may come in: address rules, tokens, referrers, hooks. */
export interface AccessCheck {
  /** As in the configuration, such as `security`. */
  readonly name: string;
  /** Whether it is asked, and may refuse, who wants to do this. */
  decides(action: AccessAction): boolean;
  /**
   * Lets a request pass.
   *
   * @throws {AccessRefusal} When it may not.
   */
  check(request: AccessRequest): void | Leave | Promise<void | Leave>;
}

/** Why a check refuses: for the log. Clients are told nothing of it. */
export class AccessRefusal extends Error {
  override readonly name = "AccessRefusal";
  /** It brought nothing that could let it in, such as a token: HTTP's 401 rather than 403. */
  readonly isCredentialMissing: boolean;

  /** @param reason The rule that decided, such as `deny publish all`, or what was wrong; holds no secret. */
  constructor(reason: string, options: ErrorOptions & { readonly isCredentialMissing?: boolean } = {}) {
    super(reason, options);
    this.isCredentialMissing = options.isCredentialMissing ?? false;
  }
}
