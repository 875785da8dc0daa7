import type { ByteWriter } from '../../../base/byte-writer.js';
import { WireError } from '../../../base/wire-error.js';
import type { Commit, LiveQuery, QueryDelta, Viewer } from '../../../engine/contract.js';
import type { TxOffset } from '../../../engine/log/commit-log.js';
import type { ReducerOutcome } from '../../../module/module-def.js';
import { SERVER_FRAME_BYTES } from '../messages/frame.js';
import { CloseCode } from './close-code.js';
import { Outbox } from './delivery.js';
import type { TurnOwner } from './delivery.js';
import type { Payload, SessionLink } from './framing.js';
import { SESSION_LIMITS } from './limits.js';
import type { SessionLimits } from './limits.js';
import { viewerOf } from './runtime.js';
import type { DatabaseRuntime } from './runtime.js';
import type { ConnectedCaller, Wire, WireSession } from './wire.js';
import { makeWire } from './wires/make-wire.js';
import type { WireOptions } from './wires/make-wire.js';

export interface SessionOptions extends WireOptions {
  readonly database: DatabaseRuntime;
  readonly caller: ConnectedCaller;
  /** The token that the client presented, or the one that was made for him: told in the first message. */
  readonly token: string;
  /** Whether the client hears of transactions only when they are on disk. */
  readonly confirmed: boolean;
  readonly link: SessionLink;
  readonly limits?: Partial<SessionLimits>;
  /** Hears of errors that are our own fault. */
  readonly onError: (error: unknown, where: string) => void;
}

const NO_DELTAS: readonly QueryDelta[] = [];

/**
 * One connection of the protocol, without a socket: frames in, frames out. What the frames mean is its wire's.
 *
 * `start` once, `receive` for each binary message, `endTurn` when everything that arrived together was received,
 * `closed` once at the end, whoever closed.
 */
export class Session implements WireSession, TurnOwner {
  readonly database: DatabaseRuntime;
  readonly caller: ConnectedCaller;
  readonly token: string;
  readonly limits: SessionLimits;
  readonly viewer: Viewer;
  /** The tables it connected to: another object once the database was emptied. */
  readonly live: DatabaseRuntime['live'];
  ownDeltas: readonly QueryDelta[] = NO_DELTAS;
  readonly #link: SessionLink;
  readonly #onError: SessionOptions['onError'];
  readonly #wire: Wire;
  readonly #outbox: Outbox;
  readonly #joins: boolean;
  #state: 'new' | 'open' | 'failed' | 'ended' = 'new';
  /** The newest transaction that messages in the shared writer may have seen. */
  #turnOffset: TxOffset = 0;
  #turnMessages = 0;
  /** How much of the shared writer is whole messages. */
  #turnLength = 0;
  #isCalling = false;

  constructor(options: SessionOptions) {
    this.database = options.database;
    this.caller = options.caller;
    this.token = options.token;
    this.limits = { ...SESSION_LIMITS, ...options.limits };
    this.viewer = viewerOf(options.database, options.caller.identity);
    this.live = options.database.live;
    this.#link = options.link;
    this.#onError = options.onError;
    this.#wire = makeWire(this, options);
    this.#joins = this.#wire.framing.joins;
    this.#outbox = new Outbox(options.database.delivery, options.link, this.#wire.framing, options.confirmed);
  }

  get isOpen(): boolean {
    return this.#state === 'open' && this.#link.isOpen;
  }

  /**
   * Runs `clientConnected` and says hello. False when the module refused: the link is then to be dropped without a
   * word, and `closed` does nothing.
   */
  start(): boolean {
    const outcome = this.database.host.clientConnected(this.caller);
    if (outcome.kind !== 'committed') {
      this.#state = 'ended';
      return false;
    }
    this.#state = 'open';
    this.database.sessions.add(this);
    this.#wire.greet();
    this.sealTurn();
    return true;
  }

  /** Handles all messages of one frame. Answers leave at the end of the turn. */
  receive(frame: Uint8Array): void {
    if (this.isOpen) this.#guard(() => this.#wire.receive(frame));
  }

  /** The same for a text frame. */
  receiveText(text: string): void {
    if (this.isOpen) this.#guard(() => this.#wire.receiveText(text));
  }

  endTurn(): void {
    this.#turnMessages = 0;
    this.sealTurn();
  }

  /** Says what may be said, then ends the connection. */
  close(code: number, reason: string): void {
    if (this.#state !== 'open') return;
    this.sealTurn();
    this.#outbox.flush();
    this.#state = 'failed';
    this.#forget();
    this.#link.close(code, reason);
  }

  /** The link is gone, whoever closed it: runs `clientDisconnected`, once. */
  closed(): void {
    if (this.#state === 'new' || this.#state === 'ended') return;
    if (this.#state === 'open') this.#forget();
    this.#state = 'ended';
    // Tables that were emptied meanwhile have never heard of this connection.
    if (this.live === this.database.live) this.database.host.clientDisconnected(this.caller);
  }

  /** Of LiveListener: a transaction changed rows of our queries. */
  onCommit(commit: Commit, deltas: readonly QueryDelta[]): void {
    if (this.#isCalling) {
      this.ownDeltas = deltas;
      return;
    }
    try {
      this.#wire.tell(commit, deltas);
    } catch (error) {
      // The commit stands and others must hear of it: only this connection has missed something.
      this.#onError(error, 'an update for a client');
      queueMicrotask(() => this.close(CloseCode.error, 'internal error'));
    }
  }

  /** Of LiveListener: a query failed and is not followed any more. */
  onQueryError(query: LiveQuery, error: string): void {
    this.#wire.queryFailed(query, error);
    this.sealTurn();
  }

  /** Of TurnOwner. */
  sealTurn(): void {
    const { delivery } = this.database;
    if (!delivery.isOwner(this)) return;
    const bytes = delivery.takeTurn();
    this.#turnLength = 0;
    if (bytes.length > 0) this.#enqueue(bytes, this.#turnOffset);
    this.#turnOffset = 0;
  }

  // Of WireSession.

  admit(): boolean {
    if (++this.#turnMessages <= this.limits.turnMessagesMax) return true;
    this.close(CloseCode.again, 'too many requests');
    return false;
  }

  callReducer(name: string, args: Uint8Array): ReducerOutcome {
    this.ownDeltas = NO_DELTAS;
    this.#isCalling = true;
    try {
      return this.database.host.callReducer(name, this.caller, args);
    } finally {
      this.#isCalling = false;
    }
  }

  callReducerJson(name: string, args: string): ReducerOutcome {
    this.ownDeltas = NO_DELTAS;
    this.#isCalling = true;
    try {
      return this.database.host.callReducerJson(name, this.caller, args);
    } finally {
      this.#isCalling = false;
    }
  }

  fail(reason: string): void {
    // Not now: this may be within a commit that is still being told to other sessions.
    queueMicrotask(() => this.close(CloseCode.error, reason));
  }

  claim(): ByteWriter {
    return this.database.delivery.claim(this);
  }

  finish(writer: ByteWriter, offset: TxOffset = this.database.log.lastOffset): void {
    if (offset > this.#turnOffset) this.#turnOffset = offset;
    this.#turnLength = writer.length;
    if (!this.#joins || writer.length > SERVER_FRAME_BYTES) this.sealTurn();
  }

  push(payload: Payload, offset: TxOffset = this.database.log.lastOffset): void {
    this.sealTurn();
    this.#enqueue(payload, offset);
  }

  /** Closes the connection for what is no message, and for our own mistakes. */
  #guard(handle: () => void): void {
    try {
      handle();
    } catch (error) {
      this.#dropPartialMessage();
      if (error instanceof WireError) return this.close(CloseCode.error, error.message);
      this.#onError(error, 'a client message');
      this.close(CloseCode.error, 'internal error');
    }
  }

  #dropPartialMessage(): void {
    const { delivery } = this.database;
    if (delivery.isOwner(this)) delivery.turnWriter.length = this.#turnLength;
  }

  #enqueue(payload: Payload, offset: TxOffset): void {
    this.#outbox.push(payload, offset);
    if (this.#outbox.waitingBytes <= this.limits.heldBytesMax) return;
    this.#outbox.flush();
    if (this.#outbox.waitingBytes <= this.limits.heldBytesMax) return;
    // Not now: this may be within a commit that is still being told to other sessions.
    queueMicrotask(() => this.close(CloseCode.again, 'too much waits for the disk'));
  }

  #forget(): void {
    this.database.sessions.delete(this);
    this.database.delivery.disclaim(this);
    this.#outbox.close();
    this.#wire.clear();
  }
}
