import { assertNever } from '../../../base/assert.js';
import { ByteReader } from '../../../base/byte-reader.js';
import type { ByteWriter } from '../../../base/byte-writer.js';
import { WireError } from '../../../base/wire-error.js';
import type { Commit, LiveListener, LiveQuery, QueryDelta, Viewer } from '../../../engine/contract.js';
import type { TxOffset } from '../../../engine/log/commit-log.js';
import type { Caller, ReducerOutcome } from '../../../module/module-def.js';
import { decodeClientMessage } from '../messages/client-messages.js';
import type {
  CallReducer,
  ClientMessage,
  OneOffQuery,
  Subscribe,
  Unsubscribe,
} from '../messages/client-messages.js';
import { SERVER_FRAME_BYTES } from '../messages/frame.js';
import type { Subprotocol } from '../messages/frame.js';
import { writeMicros } from '../messages/micros.js';
import { encodeServerMessage, ReducerOutcomeTag, ServerTag } from '../messages/server-messages.js';
import type { ServerMessage, TableRows } from '../messages/server-messages.js';
import { CloseCode } from './close-code.js';
import { Outbox } from './delivery.js';
import type { SessionLink, TurnOwner } from './delivery.js';
import { SESSION_LIMITS } from './limits.js';
import type { SessionLimits } from './limits.js';
import { QuerySets } from './query-sets.js';
import { compileQueries, QueryRefusal } from './queries.js';
import { viewerOf } from './runtime.js';
import type { DatabaseRuntime } from './runtime.js';
import { encodeTransactionUpdate, snapshotRows, writeQuerySetUpdates } from './transaction-update.js';

/** Who called from a connection. */
export type ConnectedCaller = Caller & { readonly connectionId: NonNullable<Caller['connectionId']> };

export interface SessionOptions {
  readonly protocol: Subprotocol;
  readonly database: DatabaseRuntime;
  readonly caller: ConnectedCaller;
  /** The token that the client presented, or the one that was made for him: told in InitialConnection. */
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
 * One connection of the v2 or v3 protocol, without a socket: bytes in, bytes out.
 *
 * `start` once, `receive` for each binary message, `endTurn` when everything that arrived together was received,
 * `closed` once at the end, whoever closed.
 */
export class Session implements LiveListener, TurnOwner {
  readonly #database: DatabaseRuntime;
  readonly #caller: ConnectedCaller;
  readonly #token: string;
  readonly #link: SessionLink;
  readonly #limits: SessionLimits;
  readonly #onError: SessionOptions['onError'];
  readonly #viewer: Viewer;
  readonly #outbox: Outbox;
  readonly #querySets: QuerySets;
  readonly #joins: boolean;
  /** The tables it connected to: another object once the database was emptied. */
  readonly #live: DatabaseRuntime['live'];
  readonly #setsOf = (query: LiveQuery): readonly number[] => this.#querySets.setsOf(query);
  #state: 'new' | 'open' | 'failed' | 'ended' = 'new';
  /** The newest transaction that messages in the shared writer speak of. */
  #turnOffset: TxOffset = 0;
  #turnMessages = 0;
  /** How much of the shared writer is whole messages. */
  #turnLength = 0;
  #isCalling = false;
  #ownDeltas: readonly QueryDelta[] = NO_DELTAS;

  constructor(options: SessionOptions) {
    this.#database = options.database;
    this.#caller = options.caller;
    this.#token = options.token;
    this.#link = options.link;
    this.#limits = { ...SESSION_LIMITS, ...options.limits };
    this.#onError = options.onError;
    this.#viewer = viewerOf(options.database, options.caller.identity);
    this.#joins = options.protocol === 'v3.bsatn.spacetimedb';
    this.#outbox = new Outbox(options.database.delivery, options.link, options.protocol, options.confirmed);
    this.#live = options.database.live;
    this.#querySets = new QuerySets(this.#live, this);
  }

  get isOpen(): boolean {
    return this.#state === 'open' && this.#link.isOpen;
  }

  /**
   * Runs `clientConnected` and says hello. False when the module refused: the link is then to be dropped without a
   * word, and `closed` does nothing.
   */
  start(): boolean {
    const outcome = this.#database.host.clientConnected(this.#caller);
    if (outcome.kind !== 'committed') {
      this.#state = 'ended';
      return false;
    }
    this.#state = 'open';
    this.#database.sessions.add(this);
    const { identity, connectionId } = this.#caller;
    this.#say({ kind: 'initialConnection', identity, connectionId, token: this.#token }, 0);
    this.sealTurn();
    return true;
  }

  /** Handles all messages of one frame. Answers leave at the end of the turn. */
  receive(frame: Uint8Array): void {
    if (!this.isOpen) return;
    try {
      const reader = new ByteReader(frame);
      do {
        if (++this.#turnMessages > this.#limits.turnMessagesMax) {
          return this.close(CloseCode.again, 'too many requests');
        }
        this.#handle(decodeClientMessage(reader));
        if (!this.#joins) reader.expectEnd();
      } while (reader.offset < reader.end && this.isOpen);
    } catch (error) {
      this.#dropPartialMessage();
      if (error instanceof WireError) return this.close(CloseCode.error, error.message);
      this.#onError(error, 'a client message');
      this.close(CloseCode.error, 'internal error');
    }
  }

  /** A text frame is no message of v2 or v3. */
  receiveText(): void {
    this.close(CloseCode.error, 'text frames are not part of this protocol');
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
    if (this.#live === this.#database.live) this.#database.host.clientDisconnected(this.#caller);
  }

  /** Of LiveListener: a transaction changed rows of our queries. */
  onCommit(commit: Commit, deltas: readonly QueryDelta[]): void {
    if (this.#isCalling) {
      this.#ownDeltas = deltas;
      return;
    }
    try {
      this.#tell(commit, deltas);
    } catch (error) {
      // The commit stands and others must hear of it: only this connection has missed something.
      this.#onError(error, 'an update for a client');
      queueMicrotask(() => this.close(CloseCode.error, 'internal error'));
    }
  }

  #tell(commit: Commit, deltas: readonly QueryDelta[]): void {
    const message = encodeTransactionUpdate(this.#database.delivery.scratch, deltas, this.#setsOf);
    if (message === undefined) return;
    this.sealTurn();
    this.#push(message, commit.offset);
  }

  /** Of LiveListener: a query failed and is not followed any more. */
  onQueryError(query: LiveQuery, error: string): void {
    for (const querySetId of this.#querySets.removeHolders(query)) {
      this.#say({ kind: 'subscriptionError', requestId: undefined, querySetId, error }, 0);
    }
    this.sealTurn();
  }

  /** Of TurnOwner. */
  sealTurn(): void {
    const { delivery } = this.#database;
    if (!delivery.isOwner(this)) return;
    const bytes = delivery.takeTurn();
    this.#turnLength = 0;
    if (bytes.length > 0) this.#push(bytes, this.#turnOffset);
    this.#turnOffset = 0;
  }

  #handle(message: ClientMessage): void {
    switch (message.kind) {
      case 'callReducer':
        return this.#callReducer(message);
      case 'subscribe':
        return this.#subscribe(message);
      case 'unsubscribe':
        return this.#unsubscribe(message);
      case 'oneOffQuery':
        return this.#queryOnce(message);
      case 'callProcedure': {
        const status = {
          kind: 'internalError',
          error: `no such procedure: \`${message.procedure}\``,
        } as const;
        const timestampMicros = this.#database.clock.nowMicros();
        const { requestId } = message;
        return this.#say(
          { kind: 'procedureResult', status, timestampMicros, durationMicros: 0, requestId },
          0,
        );
      }
      default:
        assertNever(message);
    }
  }

  #callReducer({ requestId, reducer, args }: CallReducer): void {
    this.#ownDeltas = NO_DELTAS;
    this.#isCalling = true;
    let outcome: ReducerOutcome;
    try {
      outcome = this.#database.host.callReducer(reducer, this.#caller, args);
    } finally {
      this.#isCalling = false;
    }
    const writer = this.#database.delivery.claim(this);
    writer.writeU8(ServerTag.reducerResult);
    writer.writeU32(requestId);
    writeMicros(writer, outcome.timestampMicros);
    if (outcome.kind === 'committed') {
      writer.writeU8(ReducerOutcomeTag.ok);
      writer.writeU32(0); // reducers return nothing
      writeQuerySetUpdates(writer, this.#ownDeltas, this.#setsOf);
      this.#finishMessage(writer, outcome.commit.offset);
    } else {
      writeFailure(writer, outcome);
      this.#finishMessage(writer, 0);
    }
  }

  #subscribe({ requestId, querySetId, queries }: Subscribe): void {
    try {
      if (this.#querySets.has(querySetId)) {
        throw new QueryRefusal(
          `query set ${querySetId} is in use already: unsubscribe from it first, or use another id`,
        );
      }
      const compiled = compileQueries(this.#live, queries, this.#viewer, this.#limits);
      if (this.#querySets.queryCount + compiled.length > this.#limits.queriesMax) {
        throw new QueryRefusal(
          `a connection may hold ${this.#limits.queriesMax} queries: unsubscribe from some first`,
        );
      }
      const tables = tablesOf(compiled);
      this.#querySets.add(querySetId, compiled);
      this.#say({ kind: 'subscribeApplied', requestId, querySetId, tables }, this.#database.log.lastOffset);
    } catch (error) {
      if (!(error instanceof QueryRefusal)) throw error;
      this.#say({ kind: 'subscriptionError', requestId, querySetId, error: error.message }, 0);
    }
  }

  #unsubscribe({ requestId, querySetId, sendDroppedRows }: Unsubscribe): void {
    const queries = this.#querySets.remove(querySetId);
    if (queries === undefined) {
      const error = `there is no query set ${querySetId} on this connection`;
      return this.#say({ kind: 'subscriptionError', requestId, querySetId, error }, 0);
    }
    const tables = sendDroppedRows ? tablesOf(queries) : undefined;
    this.#say({ kind: 'unsubscribeApplied', requestId, querySetId, tables }, this.#database.log.lastOffset);
  }

  #queryOnce({ requestId, query }: OneOffQuery): void {
    try {
      const compiled = compileQueries(this.#live, [query], this.#viewer, this.#limits);
      if (compiled.length !== 1) throw new QueryRefusal('a one-off query reads exactly one table');
      const result = { kind: 'ok', tables: tablesOf(compiled) } as const;
      this.#say({ kind: 'oneOffQueryResult', requestId, result }, this.#database.log.lastOffset);
    } catch (error) {
      if (!(error instanceof QueryRefusal)) throw error;
      const result = { kind: 'err', error: error.message } as const;
      this.#say({ kind: 'oneOffQueryResult', requestId, result }, 0);
    }
  }

  /** Adds a message that reflects transactions up to `offset`, 0 if none. */
  #say(message: ServerMessage, offset: TxOffset): void {
    const writer = this.#database.delivery.claim(this);
    encodeServerMessage(writer, message);
    this.#finishMessage(writer, offset);
  }

  #finishMessage(writer: ByteWriter, offset: TxOffset): void {
    if (offset > this.#turnOffset) this.#turnOffset = offset;
    this.#turnLength = writer.length;
    if (!this.#joins || writer.length > SERVER_FRAME_BYTES) this.sealTurn();
  }

  #dropPartialMessage(): void {
    const { delivery } = this.#database;
    if (delivery.isOwner(this)) delivery.turnWriter.length = this.#turnLength;
  }

  #push(bytes: Uint8Array, offset: TxOffset): void {
    this.#outbox.push(bytes, offset);
    if (this.#outbox.waitingBytes <= this.#limits.heldBytesMax) return;
    this.#outbox.flush();
    if (this.#outbox.waitingBytes <= this.#limits.heldBytesMax) return;
    // Not now: this may be within a commit that is still being told to other sessions.
    queueMicrotask(() => this.close(CloseCode.again, 'too much waits for the disk'));
  }

  #forget(): void {
    this.#database.sessions.delete(this);
    this.#database.delivery.disclaim(this);
    this.#outbox.close();
    this.#querySets.clear();
  }
}

function tablesOf(queries: readonly LiveQuery[]): TableRows[] {
  return queries.map((query) => ({ table: query.table.name, rows: snapshotRows(query) }));
}

/** The part of a ReducerResult that says why nothing happened. */
function writeFailure(writer: ByteWriter, outcome: Exclude<ReducerOutcome, { kind: 'committed' }>): void {
  if (outcome.kind !== 'refused') {
    writer.writeU8(ReducerOutcomeTag.internalError);
    writer.writeString(outcome.message);
    return;
  }
  writer.writeU8(ReducerOutcomeTag.err);
  // A BSATN string within bytes: its length twice.
  const lengthAt = writer.length;
  writer.writeU32(0);
  writer.writeString(outcome.message);
  writer.view.setUint32(lengthAt, writer.length - lengthAt - 4, true);
}
