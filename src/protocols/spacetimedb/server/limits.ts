/** What one connection may ask of the server. */
export interface SessionLimits {
  /** Live queries of all its query sets together. */
  readonly queriesMax: number;
  /** UTF-16 units of one query. */
  readonly queryLengthMax: number;
  /** Messages that may arrive within one turn. */
  readonly turnMessagesMax: number;
  /** Bytes that may wait for the disk before they may be said. */
  readonly heldBytesMax: number;
  /** Bytes of missed transactions that a client who comes back is told one by one; with more he gets all rows anew. */
  readonly resumedBytesMax: number;
}

export const SESSION_LIMITS: SessionLimits = {
  // Ours: ten times the tables of the largest module we know (109), with room for a query per visible object.
  queriesMax: 10_000,
  // Ours: generated queries are below 1 KiB; enough for some thousand constants in one OR.
  queryLengthMax: 50_000,
  // 256 Ki: about a second of the simplest calls, as everybody else waits meanwhile. The reference server lets 16384
  // frames wait; ours never wait, but one v3 frame may hold many messages (17,000 calls in the npm client's 256 KiB).
  turnMessagesMax: 256 * 1024,
  // 64 MiB: two messages of the greatest length (32 MiB). Reached only when the disk stands still.
  heldBytesMax: 64 * 1024 * 1024,
  // 16 MiB: a quarter of what may be held, as many clients come back at once; most caches are smaller.
  resumedBytesMax: 16 * 1024 * 1024,
};
