import { WireError } from '../../../../base/wire-error.js';
import type { Commit, LiveQuery, QueryDelta } from '../../../../engine/contract.js';
import type { ModuleDef, ReducerOutcome } from '../../../../module/module-def.js';
import { decodeFromBytes, encodeToBytes } from '../../../../values/bsatn/codec.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { valueFromJson } from '../../../../values/sats-json/decode-json.js';
import type { JsonValue } from '../../../../values/sats-json/parse-json.js';
import { encodeLegacyJson, stringifyJson, toSatsJson } from '../../messages/v1-text/legacy-json.js';
import {
  decodeTextClientMessage,
  encodeIdentityToken,
  encodeSubscriptionUpdate,
  encodeTransactionUpdate,
} from '../../messages/v1-text/messages.js';
import type { TextEvent } from '../../messages/v1-text/messages.js';
import { textFrames } from '../framing.js';
import { compileForSession, QueryRefusal } from '../queries.js';
import { findReducer } from '../row-codecs.js';
import { QuerySets } from '../query-sets.js';
import type { Wire, WireSession } from '../wire.js';
import { TextCache } from './text-cache.js';

/** The one set that a connection has. */
const THE_SET = 0;

/**
 * `v1.text`, of the Python SDK of 2024. Its cache holds a row once, under a key, so each row is told once when it enters
 * what the client follows and once when it leaves, however many queries it is in. A Subscribe is answered with the
 * difference to the last one. What cannot be said in this protocol (a query that is refused) ends the connection with
 * its text as the reason.
 */
export class TextWire implements Wire {
  readonly framing = textFrames;
  readonly #session: WireSession;
  readonly #querySets: QuerySets;
  #cache: TextCache;

  constructor(session: WireSession) {
    this.#session = session;
    this.#querySets = new QuerySets(session.live, session);
    this.#cache = new TextCache(() => this.#def.schema, []);
  }

  greet(): void {
    const { caller, token } = this.#session;
    this.#session.push(encodeIdentityToken(token, caller.identity, caller.connectionId), 0);
  }

  receive(): void {
    throw new WireError('BAD_VALUE', 'binary frames are not part of this protocol');
  }

  receiveText(text: string): void {
    if (!this.#session.admit()) return;
    const message = decodeTextClientMessage(text);
    if (message.kind === 'call') this.#call(message.reducer, message.args);
    else this.#subscribe(message.queries);
  }

  tell({ origin, offset }: Commit, deltas: readonly QueryDelta[]): void {
    const tables = this.#cache.apply(deltas);
    if (tables.length === 0) return;
    const event: TextEvent = {
      timestampMicros: origin.timestampMicros,
      status: 'committed',
      caller: origin.caller ?? Identity.zero(),
      callerConnection: origin.connectionId ?? ConnectionId.zero(),
      reducer: origin.functionName,
      args: this.#argsText(origin.functionName, origin.args),
      message: undefined,
    };
    this.#session.push(encodeTransactionUpdate(event, tables), offset);
  }

  queryFailed(_query: LiveQuery, error: string): void {
    this.#querySets.clear();
    this.#session.fail(error);
  }

  clear(): void {
    this.#querySets.clear();
  }

  get #def(): ModuleDef {
    return this.#session.database.host.def;
  }

  #subscribe(texts: readonly string[]): void {
    let queries: readonly LiveQuery[];
    try {
      queries = [...new Set(compileForSession(this.#session, texts, 0))];
    } catch (error) {
      if (!(error instanceof QueryRefusal)) throw error;
      throw new WireError('BAD_VALUE', error.message);
    }
    const cache = new TextCache(() => this.#def.schema, queries);
    const changes = cache.changesSince(this.#cache);
    this.#querySets.remove(THE_SET);
    this.#querySets.add(THE_SET, queries);
    this.#cache = cache;
    this.#session.push(encodeSubscriptionUpdate(changes));
  }

  /** The caller hears of every call: his client waits for it. */
  #call(reducer: string, args: JsonValue): void {
    const { caller } = this.#session;
    const bytes = this.#encodeArgs(reducer, args);
    const outcome: ReducerOutcome =
      bytes === undefined
        ? this.#session.callReducerJson(reducer, stringifyJson(args))
        : this.#session.callReducer(reducer, bytes);
    const isCommitted = outcome.kind === 'committed';
    const event: TextEvent = {
      timestampMicros: outcome.timestampMicros,
      status: isCommitted ? 'committed' : 'failed',
      caller: caller.identity,
      callerConnection: caller.connectionId,
      reducer,
      args: bytes === undefined ? stringifyJson(args) : this.#argsText(reducer, bytes),
      message: isCommitted ? undefined : outcome.message,
    };
    const tables = isCommitted ? this.#cache.apply(this.#session.ownDeltas) : [];
    this.#session.push(encodeTransactionUpdate(event, tables));
  }

  /** Undefined when there is no such reducer or the arguments do not fit: the module then says so. */
  #encodeArgs(name: string, args: JsonValue): Uint8Array | undefined {
    const reducer = findReducer(this.#def, name);
    if (reducer === undefined) return undefined;
    const { typespace } = this.#def.schema;
    try {
      const values = valueFromJson(reducer.params, toSatsJson(reducer.params, args, typespace), typespace);
      return encodeToBytes(reducer.codec, values);
    } catch (error) {
      if (error instanceof WireError) return undefined;
      throw error;
    }
  }

  #argsText(name: string, args: Uint8Array | undefined): string {
    const reducer = findReducer(this.#def, name);
    if (reducer === undefined || args === undefined) return '[]';
    const values = decodeFromBytes(reducer.codec, args);
    return encodeLegacyJson(reducer.params, values, this.#def.schema.typespace);
  }
}
