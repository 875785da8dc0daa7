import { assertNever } from '../../../../base/assert.js';
import type { Commit, LiveQuery, QueryDelta, TransactionOrigin } from '../../../../engine/contract.js';
import type { DatabaseSchema } from '../../../../engine/schema.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import type {
  CallProcedure,
  CallReducer,
  ClientMessage,
  OneOffQuery,
  Subscribe,
  SubscribeMulti,
  SubscribeSingle,
  Unsubscribe,
} from '../../messages/v1/client-messages.js';
import { UNKNOWN_REDUCER } from '../../messages/v1/server-messages.js';
import type {
  DatabaseUpdate,
  Format,
  QueryUpdate,
  ServerMessage,
  TableUpdate,
  TransactionStatus,
  TransactionUpdate,
} from '../../messages/v1/server-messages.js';
import type { Framing, Payload } from '../framing.js';
import { compileForSession, compileQueries, QueryRefusal } from '../queries.js';
import { QuerySets } from '../query-sets.js';
import { findReducer } from '../row-codecs.js';
import { numberOf } from '../transaction-update.js';
import type { Wire, WireSession } from '../wire.js';
import type { V1Format } from './v1-format.js';

/** The set of Subscribe, which has no id. Those of clients are not negative. */
const LEGACY_SET = -1;
// 4096: what the reference server gives a module's first table; those before it are the system's.
const FIRST_TABLE_ID = 4096;

/**
 * v1, in either encoding. Unlike in v2, everybody whose rows change hears which reducer did it, with what arguments and
 * for whom (unless he asked for `light`), and a query that a connection holds several times is told once: its rows come
 * with the first id that holds it and go with the last.
 */
export class V1Wire<F extends Format> implements Wire {
  readonly framing: Framing;
  readonly #session: WireSession;
  readonly #format: V1Format<F>;
  readonly #isLight: boolean;
  readonly #querySets: QuerySets;

  constructor(session: WireSession, format: V1Format<F>, isLight: boolean) {
    this.framing = format.framing;
    this.#session = session;
    this.#format = format;
    this.#isLight = isLight;
    this.#querySets = new QuerySets(session.live, session);
  }

  greet(): void {
    const { caller, token } = this.#session;
    const { identity, connectionId } = caller;
    this.#format.say({ kind: 'identityToken', identity, token, connectionId }, 0);
  }

  receive(frame: Uint8Array): void {
    if (this.#session.admit()) this.#handle(this.#format.decode(frame));
  }

  receiveText(text: string): void {
    if (this.#session.admit()) this.#handle(this.#format.decodeText(text));
  }

  /** The message is made once for all connections that follow the same of the changed queries. */
  tell(commit: Commit, deltas: readonly QueryDelta[]): void {
    const [first] = deltas;
    if (first === undefined) return;
    const messages = first.memo(this.#format.memoKey, () => new Map<string, Payload | undefined>());
    const shape = deltas.reduce((text, delta) => `${text},${numberOf(delta)}`, this.#isLight ? 'light' : '');
    if (!messages.has(shape)) messages.set(shape, this.#encodeUpdate(commit, deltas));
    const message = messages.get(shape);
    if (message !== undefined) this.#session.push(message, commit.offset);
  }

  /** The protocol can say only that everything ended. */
  queryFailed(_query: LiveQuery, error: string): void {
    this.#querySets.clear();
    this.#sayError(undefined, undefined, error, this.#nowMicros());
  }

  clear(): void {
    this.#querySets.clear();
  }

  #encodeUpdate({ origin }: Commit, deltas: readonly QueryDelta[]): Payload | undefined {
    const update = this.#updateOf(deltas);
    if (update.length === 0) return undefined;
    if (this.#isLight) return this.#format.encode({ kind: 'transactionUpdateLight', requestId: 0, update });
    const status = { kind: 'committed', update } as const;
    return this.#format.encode(this.#transactionUpdate(status, origin, this.#format.argsOf(origin), 0));
  }

  #handle(message: ClientMessage<F['args']>): void {
    switch (message.kind) {
      case 'callReducer':
        return this.#callReducer(message);
      case 'subscribe':
        return this.#subscribe(message);
      case 'subscribeSingle':
        return this.#subscribeSingle(message);
      case 'subscribeMulti':
        return this.#subscribeMulti(message);
      case 'unsubscribe':
      case 'unsubscribeMulti':
        return this.#unsubscribe(message);
      case 'oneOffQuery':
        return this.#queryOnce(message);
      case 'callProcedure':
        return this.#callProcedure(message);
      default:
        assertNever(message);
    }
  }

  #callReducer({ reducer, args, requestId, noSuccessNotify }: CallReducer<F['args']>): void {
    const { caller } = this.#session;
    const outcome = this.#format.callReducer(reducer, args);
    const status: TransactionStatus<F> =
      outcome.kind === 'committed'
        ? { kind: 'committed', update: this.#updateOf(this.#session.ownDeltas) }
        : { kind: 'failed', error: outcome.message };
    if (noSuccessNotify && status.kind === 'committed' && status.update.length === 0) return;
    const origin = {
      caller: caller.identity,
      connectionId: caller.connectionId,
      functionName: reducer,
      timestampMicros: outcome.timestampMicros,
    };
    const message = this.#transactionUpdate(status, origin, args, requestId);
    // A private reducer does not exist for strangers.
    const call = outcome.kind === 'unknown' ? { ...message.call, reducerId: UNKNOWN_REDUCER } : message.call;
    this.#format.say({ ...message, call });
  }

  #transactionUpdate(
    status: TransactionStatus<F>,
    origin: TransactionOrigin,
    args: F['args'],
    requestId: number,
  ): TransactionUpdate<F> {
    const { functionName: reducer, timestampMicros } = origin;
    const reducerId = findReducer(this.#session.database.host.def, reducer)?.id ?? UNKNOWN_REDUCER;
    return {
      kind: 'transactionUpdate',
      status,
      timestampMicros,
      caller: origin.caller ?? Identity.zero(),
      callerConnection: origin.connectionId ?? ConnectionId.zero(),
      call: { reducer, reducerId, args, requestId },
      durationMicros: this.#since(timestampMicros),
    };
  }

  /** The answer holds all rows of the queries, also those that ids hold: its clients use either the one or the other. */
  #subscribe({ queries, requestId }: Subscribe): void {
    const startMicros = this.#nowMicros();
    const old = this.#querySets.queriesOf(LEGACY_SET);
    try {
      const others = this.#querySets.queryCount - old.length;
      const compiled = distinct(compileForSession(this.#session, queries, others));
      const update = this.#rowsOf(compiled, 'inserts');
      this.#querySets.remove(LEGACY_SET);
      this.#querySets.add(LEGACY_SET, compiled);
      const durationMicros = this.#since(startMicros);
      this.#format.say({ kind: 'initialSubscription', update, requestId, durationMicros });
    } catch (error) {
      this.#refuse(error, requestId, undefined, startMicros);
    }
  }

  #subscribeSingle({ query, requestId, queryId }: SubscribeSingle): void {
    const startMicros = this.#nowMicros();
    try {
      const compiled = this.#follow(queryId, [query]);
      const [only] = compiled.queries;
      if (only === undefined || compiled.queries.length > 1) {
        this.#querySets.remove(queryId);
        throw new QueryRefusal('SubscribeSingle takes a query of one table: use SubscribeMulti');
      }
      const table = this.#tableUpdate(only, compiled.added.length > 0, 'inserts');
      const durationMicros = this.#since(startMicros);
      this.#format.say({ kind: 'subscribeApplied', requestId, durationMicros, queryId, table });
    } catch (error) {
      this.#refuse(error, requestId, queryId, startMicros);
    }
  }

  #subscribeMulti({ queries, requestId, queryId }: SubscribeMulti): void {
    const startMicros = this.#nowMicros();
    try {
      const update = this.#rowsOf(this.#follow(queryId, queries).added, 'inserts');
      const durationMicros = this.#since(startMicros);
      const message = { kind: 'subscribeMultiApplied', requestId, durationMicros, queryId, update } as const;
      this.#format.say(message);
    } catch (error) {
      this.#refuse(error, requestId, queryId, startMicros);
    }
  }

  /** Follows queries under an id. `added` are those that no other id held. Throws QueryRefusal. */
  #follow(queryId: number, texts: readonly string[]): Followed {
    if (this.#querySets.has(queryId)) {
      throw new QueryRefusal(
        `query id ${queryId} is in use already: unsubscribe from it first, or use another`,
      );
    }
    const queries = distinct(compileForSession(this.#session, texts, this.#querySets.queryCount));
    const added = queries.filter((query) => !this.#isHeld(query));
    this.#querySets.add(queryId, queries);
    return { queries, added };
  }

  #unsubscribe({ kind, requestId, queryId }: Unsubscribe): void {
    const startMicros = this.#nowMicros();
    const queries = this.#querySets.remove(queryId);
    if (queries === undefined) {
      const error = `there is no query id ${queryId} on this connection`;
      return this.#sayError(requestId, queryId, error, startMicros);
    }
    const dropped = queries.filter((query) => !this.#isHeld(query));
    const head = { requestId, durationMicros: 0, queryId };
    // A client that mixes the two messages gets what fits what he subscribed with: one table, or several.
    const [only] = queries;
    const message: ServerMessage<F> =
      kind === 'unsubscribe' && only !== undefined && queries.length === 1
        ? {
            kind: 'unsubscribeApplied',
            ...head,
            table: this.#tableUpdate(only, dropped.length > 0, 'deletes'),
          }
        : { kind: 'unsubscribeMultiApplied', ...head, update: this.#rowsOf(dropped, 'deletes') };
    this.#format.say({ ...message, durationMicros: this.#since(startMicros) });
  }

  #queryOnce({ messageId, query }: OneOffQuery): void {
    const startMicros = this.#nowMicros();
    const answer = { kind: 'oneOffQueryResponse', messageId } as const;
    try {
      const { live, viewer, limits } = this.#session;
      const compiled = compileQueries(live, [query], viewer, limits);
      if (compiled.length !== 1) throw new QueryRefusal('a one-off query reads exactly one table');
      const tables = compiled.map((one) => ({ table: one.table.name, rows: this.#format.snapshotOf(one) }));
      const durationMicros = this.#since(startMicros);
      this.#format.say({ ...answer, error: undefined, tables, durationMicros });
    } catch (error) {
      if (!(error instanceof QueryRefusal)) throw error;
      const durationMicros = this.#since(startMicros);
      this.#format.say({ ...answer, error: error.message, tables: [], durationMicros });
    }
  }

  #callProcedure({ procedure, requestId }: CallProcedure<F['args']>): void {
    const timestampMicros = this.#nowMicros();
    const status = { kind: 'internalError', error: `no such procedure: \`${procedure}\`` } as const;
    this.#format.say({ kind: 'procedureResult', status, timestampMicros, durationMicros: 0, requestId });
  }

  #refuse(
    error: unknown,
    requestId: number | undefined,
    queryId: number | undefined,
    startMicros: number,
  ): void {
    if (!(error instanceof QueryRefusal)) throw error;
    this.#sayError(requestId, queryId, error.message, startMicros);
  }

  #sayError(
    requestId: number | undefined,
    queryId: number | undefined,
    error: string,
    startMicros: number,
  ): void {
    const durationMicros = this.#since(startMicros);
    this.#format.say({
      kind: 'subscriptionError',
      durationMicros,
      requestId,
      queryId,
      tableId: undefined,
      error,
    });
  }

  #isHeld(query: LiveQuery): boolean {
    return this.#querySets.setsOf(query).length > 0;
  }

  /** What a commit changed, by table. */
  #updateOf(deltas: readonly QueryDelta[]): DatabaseUpdate<F> {
    const tables = new Map<string, GrowingUpdate<F>>();
    for (const delta of deltas) {
      const rowCount = delta.deletes.length + delta.inserts.length;
      if (rowCount === 0 || !this.#isHeld(delta.query)) continue;
      this.#add(tables, delta.query, rowCount, this.#format.changesOf(delta));
    }
    return [...tables.values()];
  }

  /** All rows of queries, by table. */
  #rowsOf(queries: readonly LiveQuery[], side: Side): DatabaseUpdate<F> {
    const tables = new Map<string, GrowingUpdate<F>>();
    for (const query of queries) this.#addRows(tables, query, side);
    return [...tables.values()];
  }

  /** All rows of a query, or none of them. */
  #tableUpdate(query: LiveQuery, isTold: boolean, side: Side): TableUpdate<F> {
    const tables = new Map<string, GrowingUpdate<F>>();
    const { noRows } = this.#format;
    if (isTold) this.#addRows(tables, query, side);
    else this.#add(tables, query, 0, { deletes: noRows, inserts: noRows });
    return tables.get(query.table.name)!;
  }

  #addRows(tables: Map<string, GrowingUpdate<F>>, query: LiveQuery, side: Side): void {
    const { noRows } = this.#format;
    const rows = this.#format.snapshotOf(query);
    const update = { deletes: noRows, inserts: noRows, [side]: rows };
    this.#add(tables, query, query.snapshot().rows.length, update);
  }

  #add(
    tables: Map<string, GrowingUpdate<F>>,
    { table: { name } }: LiveQuery,
    rowCount: number,
    update: QueryUpdate<F>,
  ): void {
    let growing = tables.get(name);
    if (growing === undefined) {
      const tableId = FIRST_TABLE_ID + placeOfTable(this.#session.database.host.def.schema, name);
      tables.set(name, (growing = { tableId, table: name, rowCount: 0, updates: [] }));
    }
    growing.rowCount += rowCount;
    growing.updates.push(update);
  }

  #nowMicros(): number {
    return this.#session.database.clock.nowMicros();
  }

  /** Clocks may be set back. */
  #since(startMicros: number): number {
    return Math.max(0, this.#nowMicros() - startMicros);
  }
}

interface Followed {
  readonly queries: readonly LiveQuery[];
  readonly added: readonly LiveQuery[];
}

/** The same query in other words is one query. */
function distinct(queries: readonly LiveQuery[]): readonly LiveQuery[] {
  return [...new Set(queries)];
}

interface GrowingUpdate<F extends Format> extends TableUpdate<F> {
  rowCount: number;
  readonly updates: QueryUpdate<F>[];
}

type Side = 'inserts' | 'deletes';

function placeOfTable({ tables }: DatabaseSchema, name: string): number {
  return tables.findIndex((table) => table.name === name);
}
