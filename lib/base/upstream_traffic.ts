/** What was received from and sent to other servers, in bytes; connections add to it. */
export interface UpstreamTraffic {
  receivedBytes: number;
  sentBytes: number;
}

/** What was received from and sent to other servers since the start, by the vhost's name. */
export class TrafficByVhost {
  readonly #byVhost = new Map<string, UpstreamTraffic>();

  /** Where it is counted for a vhost. */
  of(vhost: string): UpstreamTraffic {
    let traffic = this.#byVhost.get(vhost);
    if (traffic === undefined) {
      traffic = { receivedBytes: 0, sentBytes: 0 };
      this.#byVhost.set(vhost, traffic);
    }
    return traffic;
  }

  entries(): Iterable<readonly [vhost: string, traffic: UpstreamTraffic]> {
    return this.#byVhost;
  }
}
