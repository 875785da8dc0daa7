/*
 * The life of a client, as a table that the compiler checks for holes: what each event does in each state.
 *
 *   state           may send   what is under way
 *   disconnected    no         nothing
 *   connecting      no         the handshake
 *   connected       yes        transports, heartbeat
 *   disconnecting   no         what was queued leaves
 *
 * `connected` is entered by `opened` alone, and every way out of it announces `disconnect`: so the two come in pairs.
 */

export type ClientState = 'disconnected' | 'connecting' | 'connected' | 'disconnecting';

export type ClientEvent =
  /** `connect()` was called. */
  | 'connect'
  /** The handshake is complete. */
  | 'opened'
  /** The handshake failed. */
  | 'failed'
  /** `disconnect()` was called. */
  | 'disconnect'
  /** `disconnect({ abort: true })` was called. */
  | 'abort'
  /** The server said goodbye, or the transport broke. */
  | 'lost'
  /** What was queued has left, or was given up. */
  | 'flushed';

export interface Step {
  readonly to: ClientState;
  /** What handlers are told. */
  readonly announce?: 'connect' | 'disconnect';
  /** What happens to the transports. */
  readonly transports?: 'open' | 'flush' | 'drop';
}

/** `refuse`: the caller made a mistake. `ignore`: nothing to be done. */
export type Reaction = Step | 'refuse' | 'ignore';

const drop: Step = { to: 'disconnected', transports: 'drop' };
const lose: Step = { to: 'disconnected', announce: 'disconnect', transports: 'drop' };

export const lifecycle = {
  disconnected: {
    connect: { to: 'connecting', transports: 'open' },
    opened: 'ignore',
    failed: 'ignore',
    disconnect: 'ignore',
    abort: 'ignore',
    lost: 'ignore',
    flushed: 'ignore',
  },
  connecting: {
    connect: 'refuse',
    opened: { to: 'connected', announce: 'connect' },
    failed: drop,
    disconnect: drop,
    abort: drop,
    lost: drop,
    flushed: 'ignore',
  },
  connected: {
    connect: 'refuse',
    opened: 'ignore',
    failed: lose,
    disconnect: { to: 'disconnecting', announce: 'disconnect', transports: 'flush' },
    abort: lose,
    lost: lose,
    flushed: 'ignore',
  },
  disconnecting: {
    connect: 'refuse',
    opened: 'ignore',
    failed: drop,
    disconnect: 'ignore',
    abort: drop,
    lost: drop,
    flushed: drop,
  },
} as const satisfies Record<ClientState, Record<ClientEvent, Reaction>>;

export function react(state: ClientState, event: ClientEvent): Reaction {
  return lifecycle[state][event];
}
