/** Bounds of one WebSocket connection. Times are milliseconds. */
export interface WebSocketLimits {
  /** Largest message, all fragments together; larger ones are answered with close 1009. */
  readonly messageBytesMax: number;
  /** Most fragments of one message; more are answered with close 1008. */
  readonly fragmentsMax: number;
  /** Longest time from the first to the last octet of one message; then close 1008. */
  readonly messageMs: number;
  /** A ping leaves this often, unless the previous one is still unanswered. 0 turns pings off. */
  readonly pingMs: number;
  /** A peer that was not heard for this long is dropped. 0 turns it off. */
  readonly idleMs: number;
  /** How long to wait for the peer's close frame once ours has left. */
  readonly closeHandshakeMs: number;
  /** How long a closing connection may take to send what was queued before its close frame. */
  readonly closeDrainMs: number;
  /** Above this many unsent bytes `onOverflow` is called and nothing more is read from the peer. */
  readonly sendSoftBytes: number;
  /** A message sent on top of this many unsent bytes closes the connection with 1013. */
  readonly sendHardBytes: number;
}

export const webSocketLimitsDefault: WebSocketLimits = {
  messageBytesMax: 32 * 1024 * 1024, // the reference SpacetimeDB server refuses more
  fragmentsMax: 16_384, // 32 MiB in the reference's 4 KiB fragments, twice
  messageMs: 300_000, // 32 MiB at 1 Mbit/s
  pingMs: 15_000, // SpacetimeDB
  idleMs: 30_000, // SpacetimeDB
  closeHandshakeMs: 250, // SpacetimeDB
  closeDrainMs: 5_000, // as long as a graceful shutdown usually gets
  sendSoftBytes: 1024 * 1024, // about what a busy second of one subscriber produces
  sendHardBytes: 16 * 1024 * 1024, // sixteen times the soft limit; a thousand such peers are 16 GB
};

/** Bounds of a listener, all of them in force before anybody has authenticated. Times are milliseconds. */
export interface NetLimits {
  /** Open sockets; the kernel's next ones are dropped at once. */
  readonly connectionsMax: number;
  /** From accept to the end of the request's headers (and to the first octet). */
  readonly headersMs: number;
  /** From accept to the end of the request's body. */
  readonly requestMs: number;
  /** An idle HTTP connection is kept this long. */
  readonly keepAliveMs: number;
  /** All headers together; more are answered with 431. */
  readonly headerBytesMax: number;
  /** A request body, unless its route says otherwise; more are answered with 413. */
  readonly bodyBytesMax: number;
  /** How long a route may take to decide on an upgrade; then 503. */
  readonly upgradeDecisionMs: number;
  readonly webSocket: WebSocketLimits;
}

export const netLimitsDefault: NetLimits = {
  connectionsMax: 65_536, // about 0.7 GB at the 10 KB per idle socket that was measured
  headersMs: 10_000, // browsers on bad lines take 1-2 s; slow-loris peers take for ever
  requestMs: 120_000, // 32 MiB at 2 Mbit/s
  keepAliveMs: 5_000, // Node's own
  headerBytesMax: 16 * 1024, // Node's own
  bodyBytesMax: 1024 * 1024, // calls and queries are small; routes that take modules say more
  upgradeDecisionMs: 10_000, // one fetch of an issuer's keys and a retry
  webSocket: webSocketLimitsDefault,
};
