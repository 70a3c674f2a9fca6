/** What was received from and sent to other servers, in bytes; connections add to it. */
export interface UpstreamTraffic {
  receivedBytes: number;
  sentBytes: number;
}
