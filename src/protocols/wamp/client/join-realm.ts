import { systemClock } from '../../../base/clock.js';
import type { Clock } from '../../../base/clock.js';
import * as MessageType from '../messages/message-type.js';
import { messageName } from './message.js';
import type { Challenge, Message, Welcome } from './message.js';
import * as Uris from '../messages/uris.js';
import type { AuthExchange } from './auth/auth-method.js';
import type { AuthKeyring, KeyringExchange } from './auth/keyring.js';
import { withResolvers } from './async-queue.js';
import {
  AbortError,
  AuthError,
  BaseError,
  InvalidMessage,
  TransportError,
  UnexpectedMessageError,
} from './errors.js';
import { CLIENT_ROLES } from './features.js';
import { NO_KWARGS, NO_PAYLOAD, textIn } from './payload.js';
import type { Dict } from './payload.js';
import { Session } from './session.js';
import type { Frame, Transport, TransportEvents } from './transport/transport.js';

/** The specification knows two factors; a router that asks on and on is not one. */
const CHALLENGES_MAX = 4;

/** Long enough for a slow key derivation at both ends. */
const JOIN_TIMEOUT_MS = 15_000;

export interface JoinOptions {
  readonly realm: string;
  readonly keyring?: AuthKeyring | undefined;
  /** What to announce instead of all that this client can. */
  readonly roles?: Dict | undefined;
  /** More for HELLO. */
  readonly details?: Dict | undefined;
  /** 15,000 unless given. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * Joins a realm over an open transport, which is closed if that fails.
 *
 * Rejects with AbortError (the router refused), AuthError (no way to answer its challenge, or it did not prove itself),
 * UnexpectedMessageError, TransportError.
 */
export async function joinRealm(transport: Transport, options: JoinOptions): Promise<Session> {
  try {
    const exchange = await options.keyring?.begin(transport);
    return await new Joining(transport, options, exchange).session();
  } catch (error) {
    transport.close();
    throw error;
  }
}

class Joining implements TransportEvents {
  readonly #transport: Transport;
  readonly #options: JoinOptions;
  readonly #keyring: KeyringExchange | undefined;
  readonly #session = withResolvers<Session>();
  #answered: AuthExchange | undefined;
  #challenges = 0;

  constructor(transport: Transport, options: JoinOptions, keyring: KeyringExchange | undefined) {
    this.#transport = transport;
    this.#options = options;
    this.#keyring = keyring;
  }

  async session(): Promise<Session> {
    const { clock = systemClock, signal, timeoutMs = JOIN_TIMEOUT_MS } = this.#options;
    const timer = clock.startTimer(timeoutMs, () =>
      this.#failed(new TransportError(`the router did not answer HELLO within ${timeoutMs} ms`)),
    );
    const cancel = (): void => this.#failed(new TransportError('joining was cancelled', signal?.reason));
    signal?.addEventListener('abort', cancel, { once: true });
    // HELLO may have no form in the serializer: then nobody waits any more when the transport has closed.
    this.#session.promise.catch(() => {});
    try {
      if (signal?.aborted === true) cancel();
      else this.#begin();
      return await this.#session.promise;
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', cancel);
    }
  }

  onFrame(frame: Frame): void {
    try {
      this.#received(this.#transport.serializer.decode(frame));
    } catch (error) {
      if (error instanceof UnexpectedMessageError) this.#abort(Uris.protocolViolation, error);
      else if (error instanceof BaseError) this.#abort(Uris.authorizationFailed, error);
      else this.#abort(Uris.protocolViolation, new InvalidMessage('the router sent no message', error));
    }
  }

  onClose(reason: string, cause?: unknown): void {
    this.#failed(new TransportError(reason, cause));
  }

  #begin(): void {
    const { roles = CLIENT_ROLES, details = NO_KWARGS, realm } = this.#options;
    this.#transport.attach(this);
    this.#send({
      type: MessageType.hello,
      realm,
      details: { roles, ...this.#keyring?.helloDetails, ...details },
    });
  }

  #received(message: Message): void {
    switch (message.type) {
      case MessageType.welcome:
        this.#welcomed(message);
        return;
      case MessageType.challenge:
        void this.#challenged(message);
        return;
      case MessageType.abort:
        this.#failed(new AbortError(message.reason, message.details));
        return;
      default:
        throw new UnexpectedMessageError(messageName(message.type), 'WELCOME, CHALLENGE or ABORT');
    }
  }

  #welcomed({ session: sessionId, details }: Welcome): void {
    this.#answered?.checkWelcome?.(details);
    const realm = textIn(details, 'realm') ?? this.#options.realm;
    // At once: what follows in the same chunk is for the session already.
    this.#session.resolve(new Session(this.#transport, { sessionId, realm, details }));
  }

  async #challenged({ method, extra }: Challenge): Promise<void> {
    try {
      this.#challenges += 1;
      const exchange = this.#keyring?.exchanges.get(method);
      if (exchange === undefined) throw new AuthError(`there is no key for the method "${method}"`);
      if (this.#challenges > CHALLENGES_MAX)
        throw new AuthError('the router asks for one proof after the other');
      const proof = await exchange.authenticate({ method, extra });
      this.#answered = exchange;
      this.#send({
        type: MessageType.authenticate,
        signature: proof.signature,
        extra: proof.extra ?? NO_KWARGS,
      });
    } catch (error) {
      const known =
        error instanceof AuthError
          ? error
          : new AuthError(`the proof cannot be made: ${String(error)}`, error);
      this.#abort(Uris.authorizationFailed, known);
    }
  }

  #abort(reason: string, error: BaseError): void {
    this.#send({
      type: MessageType.abort,
      details: { message: error.message },
      reason,
      payload: NO_PAYLOAD,
    });
    this.#failed(error);
  }

  #send(message: Message): void {
    this.#transport.send([this.#transport.serializer.encode(message)]);
  }

  #failed(error: BaseError): void {
    this.#session.reject(error);
    this.#transport.close();
  }
}
