import type { LiveQuery, QueryDelta, TransactionOrigin } from '../../../../engine/contract.js';
import type { TxOffset } from '../../../../engine/log/commit-log.js';
import type { ReducerOutcome } from '../../../../module/module-def.js';
import type { ClientMessage } from '../../messages/v1/client-messages.js';
import type { Format, QueryUpdate, ServerMessage } from '../../messages/v1/server-messages.js';
import type { Framing, Payload } from '../framing.js';

/** One encoding of v1: BSATN or JSON. What the messages mean is in v1-wire.ts. */
export interface V1Format<F extends Format> {
  readonly framing: Framing;
  /** Throws WireError for what is no message. */
  decode(frame: Uint8Array): ClientMessage<F['args']>;
  decodeText(text: string): ClientMessage<F['args']>;
  /** A message as bytes of its own, which many connections may share. */
  encode(message: ServerMessage<F>): Payload;
  /** Says a message to one connection. @param offset as for WireSession's `finish`. */
  say(message: ServerMessage<F>, offset?: TxOffset): void;
  callReducer(name: string, args: F['args']): ReducerOutcome;
  /** The arguments of whatever started a transaction. */
  argsOf(origin: TransactionOrigin): F['args'];
  /** No rows. */
  readonly noRows: F['rows'];
  /** All rows of a query, made once until they change. */
  snapshotOf(query: LiveQuery): F['rows'];
  /** What a commit changed of a query, made once. */
  changesOf(delta: QueryDelta): QueryUpdate<F>;
  /** Names this format's memos. */
  readonly memoKey: symbol;
}
