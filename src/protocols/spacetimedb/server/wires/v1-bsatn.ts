import { ByteReader } from '../../../../base/byte-reader.js';
import { WireError } from '../../../../base/wire-error.js';
import type { LiveQuery, QueryDelta, TransactionOrigin } from '../../../../engine/contract.js';
import type { TxOffset } from '../../../../engine/log/commit-log.js';
import type { ReducerOutcome } from '../../../../module/module-def.js';
import { EMPTY_ROWS, packRows } from '../../messages/row-list.js';
import type { RowList } from '../../messages/row-list.js';
import { decodeClientMessage } from '../../messages/v1/client-messages.js';
import type { ClientMessage } from '../../messages/v1/client-messages.js';
import { encodeServerMessage } from '../../messages/v1/encode-server-message.js';
import type { BsatnFormat, QueryUpdate, ServerMessage } from '../../messages/v1/server-messages.js';
import type { Framing } from '../framing.js';
import { snapshotRows } from '../transaction-update.js';
import type { WireSession } from '../wire.js';
import type { V1Format } from './v1-format.js';

const CHANGES = Symbol('delta as a v1 QueryUpdate');
const MESSAGES = Symbol('v1.bsatn messages by shape');
const NO_BYTES = new Uint8Array(0);

/** `v1.bsatn`. */
export class V1Bsatn implements V1Format<BsatnFormat> {
  readonly framing: Framing;
  readonly noRows = EMPTY_ROWS;
  readonly memoKey = MESSAGES;
  readonly #session: WireSession;

  constructor(session: WireSession, framing: Framing) {
    this.#session = session;
    this.framing = framing;
  }

  decode(frame: Uint8Array): ClientMessage {
    const reader = new ByteReader(frame);
    const message = decodeClientMessage(reader);
    reader.expectEnd();
    return message;
  }

  decodeText(): never {
    throw new WireError('BAD_VALUE', 'text frames are not part of this protocol');
  }

  encode(message: ServerMessage): Uint8Array {
    const { scratch } = this.#session.database.delivery;
    scratch.reset();
    encodeServerMessage(scratch, message);
    return scratch.finish();
  }

  say(message: ServerMessage, offset?: TxOffset): void {
    const writer = this.#session.claim();
    encodeServerMessage(writer, message);
    this.#session.finish(writer, offset);
  }

  callReducer(name: string, args: Uint8Array): ReducerOutcome {
    return this.#session.callReducer(name, args);
  }

  argsOf({ args }: TransactionOrigin): Uint8Array {
    return args ?? NO_BYTES;
  }

  snapshotOf(query: LiveQuery): RowList {
    return snapshotRows(query);
  }

  changesOf(delta: QueryDelta): QueryUpdate {
    return delta.memo(CHANGES, () => ({
      deletes: packRows(delta.deletes),
      inserts: packRows(delta.inserts),
    }));
  }
}
