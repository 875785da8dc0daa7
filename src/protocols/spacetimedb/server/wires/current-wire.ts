import { assertNever } from '../../../../base/assert.js';
import { ByteReader } from '../../../../base/byte-reader.js';
import type { ByteWriter } from '../../../../base/byte-writer.js';
import { WireError } from '../../../../base/wire-error.js';
import type { Commit, LiveQuery, QueryDelta } from '../../../../engine/contract.js';
import type { TxOffset } from '../../../../engine/log/commit-log.js';
import type { ReducerOutcome } from '../../../../module/module-def.js';
import { decodeClientMessage } from '../../messages/client-messages.js';
import type {
  CallReducer,
  ClientMessage,
  OneOffQuery,
  Subscribe,
  Unsubscribe,
} from '../../messages/client-messages.js';
import { writeMicros } from '../../messages/micros.js';
import { encodeServerMessage, ReducerOutcomeTag, ServerTag } from '../../messages/server-messages.js';
import type { ServerMessage, TableRows } from '../../messages/server-messages.js';
import type { Framing } from '../framing.js';
import { compileForSession, compileQueries, QueryRefusal } from '../queries.js';
import { QuerySets } from '../query-sets.js';
import { encodeTransactionUpdate, snapshotRows, writeQuerySetUpdates } from '../transaction-update.js';
import type { Wire, WireSession } from '../wire.js';

/** v2 and v3: they differ in their frames only. */
export class CurrentWire implements Wire {
  readonly framing: Framing;
  protected readonly session: WireSession;
  protected readonly querySets: QuerySets;
  protected readonly setsOf = (query: LiveQuery): readonly number[] => this.querySets.setsOf(query);

  constructor(session: WireSession, framing: Framing) {
    this.session = session;
    this.framing = framing;
    this.querySets = new QuerySets(session.live, session);
  }

  greet(): void {
    const { caller, token } = this.session;
    const { identity, connectionId } = caller;
    // Who he is depends on no row. As the reference server does, and a position here would make a client that comes back miss rows.
    this.#say({ kind: 'initialConnection', identity, connectionId, token }, 0);
  }

  receive(frame: Uint8Array): void {
    const reader = new ByteReader(frame);
    do {
      if (!this.session.admit()) return;
      this.handleNext(reader);
      if (!this.framing.joins) reader.expectEnd();
    } while (reader.offset < reader.end && this.session.isOpen);
  }

  receiveText(): void {
    throw new WireError('BAD_VALUE', 'text frames are not part of this protocol', {});
  }

  tell(commit: Commit, deltas: readonly QueryDelta[]): void {
    const message = encodeTransactionUpdate(this.session.database.delivery.scratch, deltas, this.setsOf);
    if (message !== undefined) this.session.push(message, commit.offset);
  }

  queryFailed(query: LiveQuery, error: string): void {
    for (const querySetId of this.querySets.removeHolders(query)) {
      this.#say({ kind: 'subscriptionError', requestId: undefined, querySetId, error });
    }
  }

  clear(): void {
    this.querySets.clear();
  }

  /** Reads a message and does what it says. */
  protected handleNext(reader: ByteReader): void {
    this.handle(decodeClientMessage(reader));
  }

  protected handle(message: ClientMessage): void {
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
        const timestampMicros = this.session.database.clock.nowMicros();
        const { requestId } = message;
        return this.#say({ kind: 'procedureResult', status, timestampMicros, durationMicros: 0, requestId });
      }
      default:
        assertNever(message);
    }
  }

  #callReducer({ requestId, reducer, args }: CallReducer): void {
    const session = this.session;
    const outcome = session.callReducer(reducer, args);
    const writer = session.claim();
    writer.writeU8(ServerTag.reducerResult);
    writer.writeU32(requestId);
    writeMicros(writer, outcome.timestampMicros);
    if (outcome.kind === 'committed') {
      writer.writeU8(ReducerOutcomeTag.ok);
      writer.writeU32(0); // reducers return nothing
      writeQuerySetUpdates(writer, session.ownDeltas, this.setsOf);
    } else {
      writeFailure(writer, outcome);
    }
    session.finish(writer);
  }

  #subscribe({ requestId, querySetId, queries }: Subscribe): void {
    try {
      if (this.querySets.has(querySetId)) {
        throw new QueryRefusal(
          `query set ${querySetId} is in use already: unsubscribe from it first, or use another id`,
        );
      }
      const compiled = compileForSession(this.session, queries, this.querySets.queryCount);
      const tables = tablesOf(compiled);
      this.querySets.add(querySetId, compiled);
      this.#say({ kind: 'subscribeApplied', requestId, querySetId, tables });
    } catch (error) {
      if (!(error instanceof QueryRefusal)) throw error;
      this.#say({ kind: 'subscriptionError', requestId, querySetId, error: error.message });
    }
  }

  #unsubscribe({ requestId, querySetId, sendDroppedRows }: Unsubscribe): void {
    const queries = this.querySets.remove(querySetId);
    if (queries === undefined) {
      const error = `there is no query set ${querySetId} on this connection`;
      return this.#say({ kind: 'subscriptionError', requestId, querySetId, error });
    }
    const tables = sendDroppedRows ? tablesOf(queries) : undefined;
    this.#say({ kind: 'unsubscribeApplied', requestId, querySetId, tables });
  }

  #queryOnce({ requestId, query }: OneOffQuery): void {
    try {
      const { live, viewer, limits } = this.session;
      const compiled = compileQueries(live, [query], viewer, limits);
      if (compiled.length !== 1) throw new QueryRefusal('a one-off query reads exactly one table');
      const result = { kind: 'ok', tables: tablesOf(compiled) } as const;
      this.#say({ kind: 'oneOffQueryResult', requestId, result });
    } catch (error) {
      if (!(error instanceof QueryRefusal)) throw error;
      const result = { kind: 'err', error: error.message } as const;
      this.#say({ kind: 'oneOffQueryResult', requestId, result });
    }
  }

  #say(message: ServerMessage, offset?: TxOffset): void {
    const writer = this.session.claim();
    encodeServerMessage(writer, message);
    this.session.finish(writer, offset);
  }
}

export function tablesOf(queries: readonly LiveQuery[]): TableRows[] {
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
