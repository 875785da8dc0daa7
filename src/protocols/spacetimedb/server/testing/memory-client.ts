import { assertNever } from '../../../../base/assert.js';
import { ByteReader } from '../../../../base/byte-reader.js';
import { ByteWriter } from '../../../../base/byte-writer.js';
import { ConnectionId, Identity } from '../../../../values/identity.js';
import { encodeClientMessage } from '../../messages/client-messages.js';
import type { ClientMessage } from '../../messages/client-messages.js';
import type { Subprotocol } from '../../messages/frame.js';
import { decodeServerMessage } from '../../messages/server-messages.js';
import type { QuerySetUpdate, ServerMessage, TableRows } from '../../messages/server-messages.js';
import type { RowList } from '../../messages/row-list.js';
import type { SessionLink } from '../delivery.js';
import type { SessionLimits } from '../limits.js';
import type { DatabaseRuntime } from '../runtime.js';
import { Session } from '../session.js';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export interface MemoryClientOptions {
  readonly version?: 'v2' | 'v3';
  readonly confirmed?: boolean;
  readonly id?: bigint;
  readonly identity?: Identity;
  readonly limits?: Partial<SessionLimits>;
}

/** A client in the same process: what it receives is kept frame by frame, and described one line per message. */
export class MemoryClient implements SessionLink {
  readonly session: Session;
  readonly frames: Uint8Array[] = [];
  readonly errors: unknown[] = [];
  isOpen = true;
  closedWith: string | undefined;

  constructor(database: DatabaseRuntime, options: MemoryClientOptions = {}) {
    const { version = 'v3', confirmed = false, id = 1n, identity = new Identity(7n), limits = {} } = options;
    this.session = new Session({
      protocol: `${version}.bsatn.spacetimedb` satisfies Subprotocol,
      database,
      caller: { identity, connectionId: new ConnectionId(id), tokenPayload: undefined },
      token: 'tok',
      confirmed,
      link: this,
      limits,
      onError: (error) => this.errors.push(error),
    });
  }

  send(...parts: Uint8Array[]): void {
    const writer = new ByteWriter();
    for (const part of parts) writer.writeRaw(part);
    if (this.isOpen) this.frames.push(writer.finish());
  }

  close(code: number, reason: string): void {
    this.isOpen = false;
    this.closedWith = `${code} ${reason}`;
  }

  /** Sends messages in one frame, as one turn. */
  say(...messages: readonly ClientMessage[]): void {
    this.deliver(encodeFrame(messages));
  }

  deliver(...frames: readonly Uint8Array[]): void {
    for (const frame of frames) this.session.receive(frame);
    this.session.endTurn();
  }

  /** What arrived since the last time, one line per message, ` / ` between frames. */
  trace(): string {
    return this.frames
      .splice(0)
      .map((frame) => decodeFrame(frame).map(describeMessage).join('\n'))
      .join('\n/\n');
  }
}

export function encodeFrame(messages: readonly ClientMessage[]): Uint8Array {
  const writer = new ByteWriter();
  for (const message of messages) encodeClientMessage(writer, message);
  return writer.finish();
}

export function decodeFrame(frame: Uint8Array): ServerMessage[] {
  const reader = new ByteReader(frame);
  if (reader.readU8() !== 0) throw new Error('a frame that is not compressed starts with 0');
  const messages: ServerMessage[] = [];
  while (reader.remaining > 0) messages.push(decodeServerMessage(reader));
  return messages;
}

/** Rows as text: tests store words. */
function describeRows(rows: RowList): string {
  return rows.rows().map(text).join(',');
}

function describeTables(tables: readonly TableRows[]): string {
  return tables.map(({ table, rows }) => ` ${table}[${describeRows(rows)}]`).join('');
}

function describeSets(sets: readonly QuerySetUpdate[]): string {
  return sets
    .map(({ querySetId, tables }) => {
      const updates = tables.map(({ table, rows }) => {
        const changes = rows.map((update) =>
          update.kind === 'event'
            ? `!${describeRows(update.events)}`
            : `+${describeRows(update.inserts)}${update.deletes.rowCount > 0 ? `-${describeRows(update.deletes)}` : ''}`,
        );
        return ` ${table}(${changes.join(' ')})`;
      });
      return ` set${querySetId}:${updates.join('')}`;
    })
    .join('');
}

export function describeMessage(message: ServerMessage): string {
  switch (message.kind) {
    case 'initialConnection':
      return `hello ${message.token}`;
    case 'subscribeApplied':
      return `applied ${message.requestId}/${message.querySetId}${describeTables(message.tables)}`;
    case 'unsubscribeApplied':
      return `dropped ${message.requestId}/${message.querySetId}${describeTables(message.tables ?? [])}`;
    case 'subscriptionError':
      return `refused ${message.requestId ?? '-'}/${message.querySetId} ${message.error}`;
    case 'transactionUpdate':
      return `update${describeSets(message.querySets)}`;
    case 'oneOffQueryResult': {
      const { result } = message;
      return `rows ${message.requestId}${result.kind === 'ok' ? describeTables(result.tables) : ` ${result.error}`}`;
    }
    case 'reducerResult': {
      const { outcome } = message;
      if (outcome.kind === 'ok') return `ok ${message.requestId}${describeSets(outcome.querySets)}`;
      if (outcome.kind === 'err') return `err ${message.requestId} ${text(outcome.error.subarray(4))}`;
      return outcome.kind === 'okEmpty'
        ? `ok ${message.requestId}`
        : `broke ${message.requestId} ${outcome.error}`;
    }
    case 'procedureResult': {
      const { status } = message;
      return `procedure ${message.requestId} ${status.kind === 'returned' ? text(status.value) : status.error}`;
    }
    default:
      return assertNever(message);
  }
}
