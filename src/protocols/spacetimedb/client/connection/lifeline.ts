import type { Timer } from '../../../../base/clock.js';
import { SUBPROTOCOLS } from '../../messages/frame.js';
import { decodeResumableServerMessage } from '../../messages/resume-messages.js';
import type { ResumableServerMessage } from '../../messages/resume-messages.js';
import { ConnectionError } from '../errors.js';
import type { UntypedRemoteModule } from '../schema/remote-module.js';
import type { Transport, TransportRequest } from '../transport/transport.js';
import { Backoff } from './backoff.js';
import type { DbConnectionConfig, ReconnectingInfo } from './options.js';
import { openPlainFrame } from './plain-frame.js';
import { closeError } from './socket.js';

/*
 * | state      | event              | next       | what happens                                                        |
 * | connecting | InitialConnection  | active     | onConnect                                                           |
 * | connecting | closed, timeout    | closed     | onConnectError; everything that waits is rejected                   |
 * | active     | a message          | active     | cache, callbacks, promises                                          |
 * | active     | closed             | waiting    | calls that wait are rejected; onReconnecting                        |
 * | waiting    | time               | resuming   | connects with our token                                             |
 * | resuming   | what was missed    | active     | callbacks for it; onReconnected; subscriptions that waited are sent |
 * | resuming   | closed, timeout    | waiting    | onReconnecting; a longer wait                                       |
 * | those      | bad bytes          | closed     | onDisconnect with the error; everything waiting rejected            |
 * | resuming   | token refused      | closed     | the same                                                            |
 * | any        | disconnect()       | closed     | onDisconnect without an error, if it had been active                |
 *
 * Without reconnecting, `closed` leads from active to closed as bad bytes do.
 */
type State = 'connecting' | 'active' | 'waiting' | 'resuming' | 'closed';

/** Whose line it is: what is done with messages, and with being cut off. */
export interface LifelineOwner {
  /** Where the next transport is to lead. */
  address(): Pick<TransportRequest, 'url' | 'token'>;
  /** @param isResuming whether it was there before. */
  opened(transport: Transport, protocol: string, isResuming: boolean): void;
  /** What it throws ends the connection: the server does not keep to the protocol. */
  receive(message: ResumableServerMessage): void;
  /** The transport is gone, another one is tried later. */
  suspended(info: ReconnectingInfo & { readonly error: ConnectionError }): void;
  /** Nothing comes any more. Once. */
  ended(error: ConnectionError): void;
}

type LifelineConfig = Pick<
  DbConnectionConfig<UntypedRemoteModule>,
  'clock' | 'connectTimeoutMs' | 'openTransport' | 'random' | 'reconnect'
>;

/** What holds a connection to its server: one transport after the other, and the time between them. */
export class Lifeline {
  readonly #config: LifelineConfig;
  readonly #owner: LifelineOwner;
  readonly #backoff: Backoff | undefined;
  #transport: Transport | undefined;
  /** Counts transports: what an older one still tells is not for us. */
  #transportCount = 0;
  #connectTimer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #wasActive = false;
  #state: State = 'connecting';

  constructor(config: LifelineConfig, owner: LifelineOwner) {
    this.#config = config;
    this.#owner = owner;
    this.#backoff = config.reconnect && new Backoff(config.random, config.reconnect);
  }

  get state(): State {
    return this.#state;
  }

  /** Whether it has ever been active. */
  get wasActive(): boolean {
    return this.#wasActive;
  }

  /** Names the present transport: another number once it is gone. */
  get transportNumber(): number {
    return this.#transportCount;
  }

  open(): void {
    const { clock, connectTimeoutMs, openTransport } = this.#config;
    const count = ++this.#transportCount;
    const isCurrent = (): boolean => count === this.#transportCount;
    this.#connectTimer = clock.startTimer(connectTimeoutMs, () => {
      this.cut(new ConnectionError('TIMEOUT', `not connected within ${connectTimeoutMs} ms`));
    });
    this.#transport = openTransport(
      { ...this.#owner.address(), protocols: SUBPROTOCOLS },
      {
        onOpen: (protocol) => void (isCurrent() && this.#opened(protocol)),
        onMessage: (frame) => void (isCurrent() && this.#receiveFrame(frame)),
        onClose: (info) => void (isCurrent() && this.#lost(closeError(info, this.#state === 'active'))),
      },
    );
  }

  /** The server has said hello. */
  greeted(): void {
    this.#connectTimer?.cancel();
  }

  /** All is as it should be, for the first time or again. */
  activate(): void {
    this.#state = 'active';
    this.#wasActive = true;
    this.#backoff?.reset();
  }

  /** Tries again at once instead of when the wait is over. */
  reconnectNow(): void {
    if (this.#state === 'waiting') this.#reconnect();
  }

  /** Lets go of the transport, to come back on another one. */
  cut(error: ConnectionError): void {
    this.#transport?.close(1000);
    this.#lost(error);
  }

  /** Closes for good. */
  end(closeCode: number, error: ConnectionError): void {
    this.#transport?.close(closeCode);
    this.#end(error);
  }

  #opened(protocol: string): void {
    if (this.#state === 'closed') return;
    this.#owner.opened(this.#transport!, protocol, this.#state === 'resuming');
  }

  #receiveFrame(frame: Uint8Array): void {
    const count = this.#transportCount;
    try {
      const reader = openPlainFrame(frame);
      // disconnect() inside a callback ends this, too.
      while (reader.remaining > 0 && count === this.#transportCount)
        this.#owner.receive(decodeResumableServerMessage(reader));
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      // It would not be better next time. Browsers let applications close with 1000 or 3000-4999 only.
      this.end(
        4002,
        error instanceof ConnectionError ? error : new ConnectionError('PROTOCOL', text, { cause: error }),
      );
    }
  }

  /** The transport is gone: comes back later, or ends. */
  #lost(error: ConnectionError): void {
    const isRefused = error.httpStatus === 401 || error.httpStatus === 403;
    const delayMs = this.#wasActive && !isRefused ? this.#backoff?.next() : undefined;
    if (delayMs === undefined) return this.#end(error);
    this.#detach('waiting');
    this.#retryTimer = this.#config.clock.startTimer(delayMs, () => this.#reconnect(), { keepsAlive: true });
    this.#owner.suspended({ error, attempt: this.#backoff!.attempts, delayMs });
  }

  #reconnect(): void {
    this.#retryTimer?.cancel();
    this.#state = 'resuming';
    this.open();
  }

  #end(error: ConnectionError): void {
    if (this.#state === 'closed') return;
    this.#detach('closed');
    this.#owner.ended(error);
  }

  /** Lets go of the transport; whatever it still tells is not heard. */
  #detach(next: 'waiting' | 'closed'): void {
    this.#state = next;
    this.#transportCount++;
    this.#connectTimer?.cancel();
    this.#retryTimer?.cancel();
  }
}
