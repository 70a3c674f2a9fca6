/** A request that can't be answered as it was meant; its connection ends with this answer. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;

  /** @param message What was attempted, then the value and the limit, without a full stop. */
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}
