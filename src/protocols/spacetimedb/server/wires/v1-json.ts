import { WireError } from '../../../../base/wire-error.js';
import type { LiveQuery, QueryDelta, TransactionOrigin } from '../../../../engine/contract.js';
import type { TxOffset } from '../../../../engine/log/commit-log.js';
import type { ReducerOutcome } from '../../../../module/module-def.js';
import { decodeFromBytes } from '../../../../values/bsatn/codec.js';
import { encodeJson } from '../../../../values/sats-json/encode-json.js';
import type { ClientMessage } from '../../messages/v1/client-messages.js';
import { decodeJsonClientMessage } from '../../messages/v1/json-client-messages.js';
import { encodeJsonServerMessage, jsonRows } from '../../messages/v1/json-server-messages.js';
import type { JsonFormat } from '../../messages/v1/json-server-messages.js';
import type { QueryUpdate, ServerMessage } from '../../messages/v1/server-messages.js';
import { textFrames } from '../framing.js';
import { findReducer, rowCodec } from '../row-codecs.js';
import type { WireSession } from '../wire.js';
import type { V1Format } from './v1-format.js';

const ROWS = Symbol('rows as v1.json has them');
const CHANGES = Symbol('delta as v1.json has it');
const MESSAGES = Symbol('v1.json messages by shape');

/** `v1.json`. */
export class V1Json implements V1Format<JsonFormat> {
  readonly framing = textFrames;
  readonly noRows = '[]';
  readonly memoKey = MESSAGES;
  readonly #session: WireSession;

  constructor(session: WireSession) {
    this.#session = session;
  }

  decode(): never {
    throw new WireError('BAD_VALUE', 'binary frames are not part of this protocol');
  }

  decodeText(text: string): ClientMessage<string> {
    return decodeJsonClientMessage(text);
  }

  encode(message: ServerMessage<JsonFormat>): string {
    return encodeJsonServerMessage(message);
  }

  say(message: ServerMessage<JsonFormat>, offset?: TxOffset): void {
    this.#session.push(encodeJsonServerMessage(message), offset);
  }

  callReducer(name: string, args: string): ReducerOutcome {
    return this.#session.callReducerJson(name, args);
  }

  argsOf({ functionName, args }: TransactionOrigin): string {
    const { def } = this.#session.database.host;
    const reducer = findReducer(def, functionName);
    if (reducer === undefined || args === undefined) return '[]';
    const values = decodeFromBytes(reducer.codec, args);
    return encodeJson(reducer.params, values, { form: 'untyped', typespace: def.schema.typespace });
  }

  snapshotOf(query: LiveQuery): string {
    const snapshot = query.snapshot();
    return snapshot.memo(ROWS, () => this.#rows(query, snapshot.rows));
  }

  changesOf(delta: QueryDelta): QueryUpdate<JsonFormat> {
    return delta.memo(CHANGES, () => ({
      deletes: this.#rows(delta.query, delta.deletes),
      inserts: this.#rows(delta.query, delta.inserts),
    }));
  }

  #rows({ table }: LiveQuery, rows: readonly Uint8Array[]): string {
    const { typespace } = this.#session.database.host.def.schema;
    const codec = rowCodec(table, typespace);
    const options = { form: 'row', typespace } as const;
    return jsonRows(rows.map((row) => encodeJson(table.rowType, decodeFromBytes(codec, row), options)));
  }
}
