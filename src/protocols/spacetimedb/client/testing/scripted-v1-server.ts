import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { compileCodec, encodeToBytes } from '../../../../values/bsatn/codec.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { packRows } from '../../messages/row-list.js';
import { decodeClientMessage } from '../../messages/v1/client-messages.js';
import type { CallReducer, ClientMessage, Subscribe } from '../../messages/v1/client-messages.js';
import { encodeServerMessage } from '../../messages/v1/encode-server-message.js';
import type { DatabaseUpdate, ServerMessage, TransactionStatus } from '../../messages/v1/server-messages.js';
import { memoryTransport } from '../transport/memory.js';
import type { MemoryPeer } from '../transport/memory.js';
import type { OpenTransport, TransportRequest } from '../transport/transport.js';
import { rowType } from '../schema/type-builder.js';
import type { RowShape } from '../schema/type-builder.js';
import { lazyTypespace } from '../schema/type-builder.js';

export const ME = new Identity(7n);
export const SOMEBODY = new Identity(8n);
const SOMEBODYS_CONNECTION = new ConnectionId(80n);

interface Call {
  readonly reducer: string;
  readonly params: RowShape;
  readonly args: object;
}

/** The server's end of one v1 connection, played by a test. */
export class ScriptedV1Server {
  readonly requests: TransportRequest[] = [];
  readonly messages: ClientMessage[] = [];
  readonly closes: number[] = [];
  #peer: MemoryPeer | undefined;
  readonly #protocol: string;
  readonly #greets: boolean;

  constructor({ protocol = 'v1.bsatn.spacetimedb', greets = true } = {}) {
    this.#protocol = protocol;
    this.#greets = greets;
  }

  get transport(): OpenTransport {
    return memoryTransport((request, peer) => {
      this.requests.push(request);
      this.#peer = peer;
      queueMicrotask(() => {
        if (this.#greets) this.greet();
      });
      return {
        kind: 'accept',
        protocol: this.#protocol,
        handler: {
          onMessage: (frame) => void this.messages.push(decodeClientMessage(new ByteReader(frame))),
          onClose: (code) => void this.closes.push(code),
        },
      };
    });
  }

  get subscribes(): Subscribe[] {
    return this.messages.filter((message) => message.kind === 'subscribe');
  }

  get calls(): CallReducer[] {
    return this.messages.filter((message) => message.kind === 'callReducer');
  }

  greet(): void {
    this.send({ kind: 'identityToken', identity: ME, token: 'minted', connectionId: this.#connectionId() });
  }

  /** Answers the last Subscribe. */
  applied(...tables: DatabaseUpdate): void {
    const { requestId } = this.subscribes.at(-1)!;
    this.send({ kind: 'initialSubscription', update: tables, requestId, durationMicros: 1 });
  }

  refuse(error: string, requestId: number | undefined = this.subscribes.at(-1)?.requestId): void {
    const ids = { requestId, queryId: undefined, tableId: undefined };
    this.send({ kind: 'subscriptionError', durationMicros: 1, error, ...ids });
  }

  /** Answers the client's last call, or tells of somebody else's. */
  ran(status: TransactionStatus, by: 'client' | 'somebody' | 'schedule', call?: Call): void {
    const mine = by === 'client' ? this.calls.at(-1) : undefined;
    const args =
      call === undefined
        ? new Uint8Array()
        : encodeToBytes(compileCodec<object>(rowType(call.params), lazyTypespace()), call.args);
    this.send({
      kind: 'transactionUpdate',
      status,
      timestampMicros: 5,
      caller: mine === undefined ? SOMEBODY : ME,
      callerConnection:
        by === 'client'
          ? this.#connectionId()
          : by === 'somebody'
            ? SOMEBODYS_CONNECTION
            : ConnectionId.zero(),
      call: {
        reducer: call?.reducer ?? mine?.reducer ?? '',
        reducerId: 1,
        args: mine?.args ?? args,
        requestId: mine?.requestId ?? 0,
      },
      durationMicros: 1,
    });
  }

  send(message: ServerMessage): void {
    const writer = new ByteWriter();
    writer.writeU8(0);
    encodeServerMessage(writer, message);
    this.sendRaw(writer.finish());
  }

  sendRaw(frame: Uint8Array): void {
    this.#peer!.send(frame);
  }

  close(code: number, reason = ''): void {
    this.#peer!.close(code, reason);
  }

  #connectionId(): ConnectionId {
    return ConnectionId.fromString(this.requests.at(-1)!.url.searchParams.get('connection_id')!);
  }
}

/** Changes of one query of one table. */
export function tableUpdate(
  table: string,
  shape: RowShape,
  { inserts = [], deletes = [] }: { inserts?: object[]; deletes?: object[] },
): DatabaseUpdate[number] {
  const codec = compileCodec<object>(rowType(shape), lazyTypespace());
  const pack = (rows: object[]) => packRows(rows.map((row) => encodeToBytes(codec, row)));
  const updates = [{ inserts: pack(inserts), deletes: pack(deletes) }];
  return { tableId: 1, table, rowCount: inserts.length + deletes.length, updates };
}
