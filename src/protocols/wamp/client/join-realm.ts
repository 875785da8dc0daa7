import { startTimer } from '../../../base/timer.js';
import type { Clock } from '../../../base/clock.js';
import type { Keyring } from './auth/keyring.js';
import { TransportError } from './errors.js';
import { JOIN_TIMEOUT_MS } from './limits.js';
import { CLIENT_ROLES } from './features.js';
import { onAbort } from './on-abort.js';
import type { Dict } from './payload.js';
import { Session } from './session.js';
import type { Transport } from './transport/transport.js';

export interface JoinOptions {
  readonly realm: string;
  readonly keyring?: Keyring | undefined;
  /** What to announce instead of all that this client can. */
  readonly roles?: Dict | undefined;
  /** More for HELLO. */
  readonly details?: Dict | undefined;
  /** 15,000 unless given. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Pick<Clock, 'startTimer'> | undefined;
}

/**
 * Joins a realm over an open transport, which is closed if that fails.
 *
 * Rejects with AbortError (the router refused), AuthError (no way to answer its challenge, or it did not prove itself),
 * UnexpectedMessageError, TransportError.
 */
export async function joinRealm(
  transport: Transport,
  {
    realm,
    keyring,
    details,
    signal,
    roles = CLIENT_ROLES,
    clock = { startTimer },
    timeoutMs = JOIN_TIMEOUT_MS,
  }: JoinOptions,
): Promise<Session> {
  const proofs = await keyring?.begin(transport).catch((error: unknown) => {
    transport.close();
    throw error;
  });
  const session = new Session(transport, realm, proofs);
  const timer = clock.startTimer(timeoutMs, () =>
    session.abandon(new TransportError('the router does not answer HELLO')),
  );
  const stopListening = onAbort(signal, () =>
    session.abandon(new TransportError('cancelled', signal!.reason)),
  );
  try {
    await session.join({ roles, ...proofs?.helloDetails, ...details });
    return session;
  } finally {
    timer.cancel();
    stopListening();
  }
}
