import { AbortError, AuthError } from './errors.js';
import type { SessionEnd } from './session.js';
import * as Uris from '../messages/uris.js';

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
  Uris.noSuchRealm,
  Uris.noSuchRole,
  Uris.notAuthorized,
  Uris.authenticationDenied,
  Uris.authenticationFailed,
  Uris.authenticationRequired,
  Uris.authorizationDenied,
  Uris.noMatchingAuthMethod,
  Uris.noSuchPrincipal,
  Uris.protocolViolation,
  Uris.closeKilled,
  Uris.closeRealm,
];

/** When to try again, and when not. */
export class ReconnectPolicy {
  readonly #initialMs: number;
  readonly #maxMs: number;
  readonly #jitter: number;
  readonly #giveUpOn: ReadonlySet<string>;
  readonly #random: () => number;

  /** `random`: from 0 up to 1. */
  constructor(options: ReconnectOptions = {}, random: () => number = Math.random) {
    this.#initialMs = options.initialMs ?? 200;
    this.#maxMs = options.maxMs ?? 10_000;
    this.#jitter = options.jitter ?? 0.2;
    this.#giveUpOn = new Set(options.giveUpOn ?? GIVE_UP_ON);
    this.#random = random;
  }

  /** How long to wait before attempt number `attempt`, which begins with 0. */
  delayMs(attempt: number): number {
    // 2^30 is more than any maximum; it must not become Infinity.
    const wait = Math.min(this.#maxMs, this.#initialMs * 2 ** Math.min(attempt, 30));
    return wait * (1 + this.#jitter * (this.#random() * 2 - 1));
  }

  isFinalEnd(end: SessionEnd): boolean {
    return end.isOurs || this.#giveUpOn.has(end.reason);
  }

  isFinalError(error: unknown): boolean {
    return error instanceof AuthError || (error instanceof AbortError && this.#giveUpOn.has(error.reason));
  }
}
