import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { compileCodec, encodeToBytes } from '../../../../values/bsatn/codec.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { decodeClientMessage } from '../../messages/client-messages.js';
import type { ClientMessage } from '../../messages/client-messages.js';
import { packRows } from '../../messages/row-list.js';
import type { RowList } from '../../messages/row-list.js';
import { encodeServerMessage } from '../../messages/server-messages.js';
import type { QuerySetUpdate, ServerMessage } from '../../messages/server-messages.js';
import { memoryTransport } from '../transport/memory.js';
import type { MemoryPeer } from '../transport/memory.js';
import type { OpenTransport, TransportRequest } from '../transport/transport.js';
import { CHAT_MODULE } from './chat-bindings.js';

type TableName = keyof typeof CHAT_MODULE.tables;

/** The server's end of one connection, played by a test. */
export class ScriptedServer {
  readonly requests: TransportRequest[] = [];
  /** One entry per frame: the messages in it. */
  readonly frames: ClientMessage[][] = [];
  readonly closes: number[] = [];
  #peer: MemoryPeer | undefined;
  readonly #protocol: string;
  readonly #greets: boolean;

  constructor({ protocol = 'v3.bsatn.spacetimedb', greets = true } = {}) {
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
          onMessage: (frame) => void this.frames.push(decodeFrame(frame)),
          onClose: (code) => void this.closes.push(code),
        },
      };
    });
  }

  /** All messages that came, of all frames. */
  get messages(): ClientMessage[] {
    return this.frames.flat();
  }

  greet(): void {
    this.send({
      kind: 'initialConnection',
      identity: new Identity(7n),
      connectionId: new ConnectionId(9n),
      token: 'minted',
    });
  }

  /** Sends messages in one frame. */
  send(...messages: ServerMessage[]): void {
    const writer = new ByteWriter();
    writer.writeU8(0);
    for (const message of messages) encodeServerMessage(writer, message);
    this.sendRaw(writer.finish());
  }

  sendRaw(frame: Uint8Array): void {
    this.#peer!.send(frame);
  }

  close(code: number, reason = ''): void {
    this.#peer!.close(code, reason);
  }
}

function decodeFrame(frame: Uint8Array): ClientMessage[] {
  const reader = new ByteReader(frame);
  const messages: ClientMessage[] = [];
  while (reader.remaining > 0) messages.push(decodeClientMessage(reader));
  return messages;
}

export function rowsOf(table: TableName, ...rows: object[]): RowList {
  const codec = compileCodec<object>(CHAT_MODULE.tables[table].rowType);
  return packRows(rows.map((row) => encodeToBytes(codec, row)));
}

/** The changes of one query of one query set. */
export function changes(
  querySetId: number,
  table: TableName,
  { inserts = [], deletes = [] }: { inserts?: object[]; deletes?: object[] },
): QuerySetUpdate {
  const rows = {
    kind: 'persistent',
    inserts: rowsOf(table, ...inserts),
    deletes: rowsOf(table, ...deletes),
  } as const;
  return { querySetId, tables: [{ table: CHAT_MODULE.tables[table].sourceName, rows: [rows] }] };
}

/** Lets everything happen that was queued in microtasks, some dozens of steps deep. */
export async function settle(): Promise<void> {
  for (let step = 0; step < 64; step++) await Promise.resolve();
}
