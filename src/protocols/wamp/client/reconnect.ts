import { AuthError } from './errors.js';
import type { SessionEnd } from './session.js';
import type { ProtocolUri } from './message.js';

export interface ReconnectOptions {
  /** Before the first attempt. 200 unless given. */
  readonly initialMs?: number;
  /** Each wait is twice the one before, up to this. 10,000 unless given. */
  readonly maxMs?: number;
  /** Waits are shortened or lengthened by up to this share, so that not all clients come back at once. 0.2 unless given. */
  readonly jitter?: number;
  /** Reasons (URIs) after which coming back is pointless. */
  readonly giveUpOn?: readonly string[];
}

/** The router has said that it does not want us, not that it cannot serve us now. */
const GIVE_UP_ON: readonly string[] = [
  'wamp.error.no_such_realm',
  'wamp.error.no_such_role',
  'wamp.error.no_such_principal',
  'wamp.error.no_matching_auth_method',
  'wamp.error.not_authorized',
  'wamp.error.authorization_denied',
  'wamp.error.authentication_denied',
  'wamp.error.authentication_failed',
  'wamp.error.authentication_required',
  'wamp.error.protocol_violation',
  'wamp.close.killed',
  'wamp.close.close_realm',
] satisfies ProtocolUri[];

/** How long to wait before attempt number `attempt`, which begins with 0. `random`: from 0 up to 1. */
export function reconnectDelayMs(
  { initialMs = 200, maxMs = 10_000, jitter = 0.2 }: ReconnectOptions,
  attempt: number,
  random = Math.random(),
): number {
  // 2^30 is more than any maximum; it must not become Infinity.
  const wait = Math.min(maxMs, initialMs * 2 ** Math.min(attempt, 30));
  return wait * (1 + jitter * (random * 2 - 1));
}

/** Whether coming back after such an end is pointless. */
export function isFinal(
  { isOurs, reason, error }: SessionEnd,
  { giveUpOn = GIVE_UP_ON }: ReconnectOptions,
): boolean {
  return isOurs || error instanceof AuthError || giveUpOn.includes(reason);
}
