import type { Clock, Timer } from '../../../../base/clock.js';
import { ConnectionId } from '../../../../values/identity.js';
import { encodeClientMessage } from '../../messages/v1/client-messages.js';
import type { ClientMessage } from '../../messages/v1/client-messages.js';
import { decodeServerMessage } from '../../messages/v1/decode-server-message.js';
import type { ServerMessage } from '../../messages/v1/server-messages.js';
import { Outbox } from '../connection/outbox.js';
import { openPlainFrame } from '../connection/plain-frame.js';
import { closeError, socketUrl } from '../connection/socket.js';
import { ConnectionError } from '../errors.js';
import type { OpenTransport, Transport } from '../transport/transport.js';

/** v1, because it is the last version that names the reducer and its caller to those who did not call. */
export const V1_SUBPROTOCOL = 'v1.bsatn.spacetimedb';

/** A server that has not answered a close frame by then will not; the connection counts as closed. */
const CLOSE_TIMEOUT_MS = 2000;

export interface V1ConnectionConfig {
  readonly uri: URL;
  readonly databaseName: string;
  readonly token: string | undefined;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly openTransport: OpenTransport;
}

export interface V1ConnectionEvents {
  /** Throws what is not the protocol; the connection closes then. */
  onMessage(message: ServerMessage): void;
  /** Exactly once, unless `close` was called: then never. */
  onFailed(error: ConnectionError): void;
}

/*
 * | state      | event                                   | next                                        |
 * | connecting | the first message                       | active                                      |
 * | connecting | closed, timeout                         | closed, onFailed CONNECT_FAILED or TIMEOUT  |
 * | active     | closed, bytes that are not the protocol | closed, onFailed DISCONNECTED or PROTOCOL   |
 * | any        | close()                                 | closed; `whenClosed` when the socket is     |
 */

/** Messages of v1 over a transport. */
export class V1Connection {
  readonly outbox = new Outbox();
  readonly connectionId = ConnectionId.random();
  readonly #events: V1ConnectionEvents;
  readonly #clock: Clock;
  readonly #transport: Transport;
  #timer: Timer | undefined;
  #wasActive = false;
  #isClosed = false;
  #resolveClosed!: () => void;
  /** Resolves when the socket is gone, or has had its time to go. */
  readonly whenClosed = new Promise<void>((resolve) => (this.#resolveClosed = resolve));

  constructor(config: V1ConnectionConfig, events: V1ConnectionEvents) {
    this.#events = events;
    this.#clock = config.clock;
    const { connectTimeoutMs, token } = config;
    this.#timer = config.clock.startTimer(connectTimeoutMs, () => {
      this.#fail(new ConnectionError('TIMEOUT', `not connected within ${connectTimeoutMs} ms`));
    });
    // Rows that were shown must not be lost: as our other client's default.
    const url = socketUrl(config.uri, config.databaseName, this.connectionId, true);
    this.#transport = config.openTransport(
      { url, protocols: [V1_SUBPROTOCOL], token },
      {
        onOpen: (protocol) => this.#opened(protocol),
        onMessage: (frame) => this.#receive(frame),
        onClose: (info) => this.#transportClosed(closeError(info, this.#wasActive)),
      },
    );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** Throws ConnectionError when too much waits to be sent. */
  send(message: ClientMessage): void {
    encodeClientMessage(this.outbox.begin(), message);
    this.outbox.end();
  }

  /** What was sent still leaves; nothing is told any more. */
  close(): void {
    if (this.#isClosed) return;
    this.outbox.flush();
    this.#end(1000);
  }

  #opened(protocol: string): void {
    if (this.#isClosed) return;
    if (protocol !== V1_SUBPROTOCOL) {
      const text = `the server does not speak ${V1_SUBPROTOCOL}: it chose "${protocol}"`;
      this.#fail(new ConnectionError('CONNECT_FAILED', text));
      return;
    }
    this.outbox.open(this.#transport, false);
  }

  #receive(frame: Uint8Array): void {
    if (this.#isClosed) return;
    try {
      const reader = openPlainFrame(frame);
      const message = decodeServerMessage(reader);
      reader.expectEnd();
      this.#wasActive = true;
      this.#timer?.cancel();
      this.#events.onMessage(message);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.#fail(
        error instanceof ConnectionError ? error : new ConnectionError('PROTOCOL', text, { cause: error }),
      );
    }
  }

  #fail(error: ConnectionError): void {
    if (this.#isClosed) return;
    // Browsers let applications close with 1000 or 3000-4999 only.
    this.#end(error.code === 'PROTOCOL' ? 4002 : 1000);
    this.#events.onFailed(error);
  }

  #end(closeCode: number): void {
    this.#isClosed = true;
    this.outbox.close();
    this.#timer?.cancel();
    this.#timer = this.#clock.startTimer(CLOSE_TIMEOUT_MS, () => this.#resolveClosed());
    this.#transport.close(closeCode);
  }

  #transportClosed(error: ConnectionError): void {
    this.#timer?.cancel();
    this.#resolveClosed();
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.outbox.close();
    this.#events.onFailed(error);
  }
}
