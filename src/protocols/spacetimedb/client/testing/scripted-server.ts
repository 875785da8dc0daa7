import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { compileCodec, encodeToBytes } from '../../../../values/bsatn/codec.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import {
  decodeResumableClientMessage,
  encodeResumeServerMessage,
  ResumeTag,
} from '../../messages/resume-messages.js';
import type {
  ResumableClientMessage,
  ResumableServerMessage,
  ResumeServerMessage,
} from '../../messages/resume-messages.js';
import { packRows } from '../../messages/row-list.js';
import type { RowList } from '../../messages/row-list.js';
import { encodeServerMessage } from '../../messages/server-messages.js';
import type { QuerySetUpdate } from '../../messages/server-messages.js';
import { memoryTransport } from '../transport/memory.js';
import type { MemoryPeer } from '../transport/memory.js';
import type { OpenTransport, TransportRequest } from '../transport/transport.js';
import { CHAT_MODULE } from './chat-bindings.js';

type TableName = keyof typeof CHAT_MODULE.tables;

/** The server's end of a connection, or of one after the other, played by a test. */
export class ScriptedServer {
  readonly requests: TransportRequest[] = [];
  /** One entry per frame: the messages in it. */
  readonly frames: ResumableClientMessage[][] = [];
  readonly closes: number[] = [];
  #peer: MemoryPeer | undefined;
  /** What it chooses for the next connection. */
  protocol: string;
  /** Whether it introduces itself to the next connection. */
  greets: boolean;
  /** Whether it takes the next connection. */
  isUp = true;

  constructor({ protocol = 'v3.bsatn.spacetimedb', greets = true } = {}) {
    this.protocol = protocol;
    this.greets = greets;
  }

  get transport(): OpenTransport {
    return memoryTransport((request, peer) => {
      this.requests.push(request);
      if (!this.isUp) return { kind: 'reject', reason: 'down' };
      this.#peer = peer;
      queueMicrotask(() => {
        if (this.greets) this.greet();
      });
      return {
        kind: 'accept',
        protocol: this.protocol,
        handler: {
          onMessage: (frame) => void this.frames.push(decodeFrame(frame)),
          onClose: (code) => void this.closes.push(code),
        },
      };
    });
  }

  /** All messages that came, of all frames. */
  get messages(): ResumableClientMessage[] {
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
  send(...messages: ResumableServerMessage[]): void {
    const writer = new ByteWriter();
    writer.writeU8(0);
    for (const message of messages) {
      if (message.kind in ResumeTag) encodeResumeServerMessage(writer, message as ResumeServerMessage);
      else encodeServerMessage(writer, message as Exclude<ResumableServerMessage, ResumeServerMessage>);
    }
    this.sendRaw(writer.finish());
  }

  sendRaw(frame: Uint8Array): void {
    this.#peer!.send(frame);
  }

  close(code: number, reason = ''): void {
    this.#peer!.close(code, reason);
  }
}

function decodeFrame(frame: Uint8Array): ResumableClientMessage[] {
  const reader = new ByteReader(frame);
  const messages: ResumableClientMessage[] = [];
  while (reader.remaining > 0) messages.push(decodeResumableClientMessage(reader));
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
