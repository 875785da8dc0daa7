import { once } from 'node:events';

import { WebSocket } from 'ws';

import { ByteReader } from '../../src/base/byte-reader.js';
import { ByteWriter } from '../../src/base/byte-writer.js';
import type { ClientMessage } from '../../src/protocols/spacetimedb/messages/client-messages.js';
import type { ServerMessage } from '../../src/protocols/spacetimedb/messages/server-messages.js';
import { decodeFrame, encodeFrame } from '../../src/protocols/spacetimedb/server/testing/memory-client.js';

/** A database whose rows carry a text of the client's choice, and how to write and read it. */
export interface Subject {
  readonly database: string;
  /** Takes one string, which becomes part of a new row. */
  readonly reducer: string;
  readonly table: string;
  /** Where in a row that string is: the column, and the bytes before it. */
  readonly column: number;
  readonly bytesBefore: number;
  /** Strings are filled up to this length, so that batches are large. */
  readonly keyBytes?: number;
  /** Where the module is, when it is not the ledger. */
  readonly moduleFolder?: string;
}

export const LEDGER: Subject = {
  database: 'ledger',
  reducer: 'put',
  table: 'entry',
  column: 1,
  bytesBefore: 8,
};

/** A client of a subject, whatever the link. It keeps what the server told it, and nothing else. */
export class SubjectClient {
  /** Keys whose `put` was answered as committed, in the order of the answers. */
  readonly acked: string[] = [];
  /** Keys of the lines that the subscription has shown, in order. */
  readonly seen: string[] = [];
  /** Keys whose `putOnce` was refused, since they are there. */
  readonly refused: string[] = [];
  /** What was said, one word each: `ok`, `refused`, `applied`, `update`, `hello`. */
  readonly trace: string[] = [];
  onAcked: () => void = () => {};
  readonly #subject: Subject;
  readonly #send: (frame: Uint8Array) => void;
  readonly #asked = new Map<number, string>();
  #lastRequest = 0;

  constructor(subject: Subject, send: (frame: Uint8Array) => void) {
    this.#subject = subject;
    this.#send = send;
  }

  receive(frame: Uint8Array): void {
    for (const message of decodeFrame(frame)) this.#hear(message);
  }

  /** How many puts were asked and not answered. */
  get unanswered(): number {
    return this.#asked.size;
  }

  put(...keys: readonly string[]): void {
    this.#call(this.#subject.reducer, keys);
  }

  /** Of the ledger only: puts what is not there already. */
  putOnce(...keys: readonly string[]): void {
    this.#call('put_once', keys);
  }

  #call(reducer: string, keys: readonly string[]): void {
    const messages = keys.map((key): ClientMessage => {
      const args = new ByteWriter();
      args.writeString(key);
      this.#asked.set(++this.#lastRequest, key);
      return { kind: 'callReducer', requestId: this.#lastRequest, reducer, args: args.finish() };
    });
    this.#send(encodeFrame(messages));
  }

  subscribe(): void {
    const sql = `SELECT * FROM ${this.#subject.table}`;
    const requestId = ++this.#lastRequest;
    this.#send(encodeFrame([{ kind: 'subscribe', requestId, querySetId: requestId, queries: [sql] }]));
  }

  #hear(message: ServerMessage): void {
    switch (message.kind) {
      case 'reducerResult': {
        const key = this.#asked.get(message.requestId)!;
        this.#asked.delete(message.requestId);
        const isOk = message.outcome.kind === 'ok' || message.outcome.kind === 'okEmpty';
        if (isOk) this.acked.push(key);
        else if (message.outcome.kind === 'err') this.refused.push(key);
        this.trace.push(isOk ? 'ok' : 'refused');
        if (message.outcome.kind === 'ok') this.#see(message.outcome.querySets);
        this.onAcked();
        return;
      }
      case 'transactionUpdate':
        this.trace.push('update');
        return this.#see(message.querySets);
      case 'subscribeApplied':
        this.trace.push('applied');
        for (const { rows } of message.tables)
          for (const row of rows.rows()) this.seen.push(this.#keyOf(row));
        return;
      default:
        this.trace.push(message.kind === 'initialConnection' ? 'hello' : message.kind);
    }
  }

  #keyOf(row: Uint8Array): string {
    const reader = new ByteReader(row);
    reader.readRaw(this.#subject.bytesBefore);
    return reader.readString();
  }

  #see(querySets: Extract<ServerMessage, { kind: 'transactionUpdate' }>['querySets']): void {
    for (const { tables } of querySets) {
      for (const { rows } of tables) {
        for (const update of rows) {
          if (update.kind === 'event') continue;
          for (const row of update.inserts.rows()) this.seen.push(this.#keyOf(row));
        }
      }
    }
  }
}

/** The same over a real WebSocket. */
export class WireClient extends SubjectClient {
  /** Resolves when the connection has ended, with its code and reason. */
  readonly closed: Promise<string>;
  readonly #socket: WebSocket;

  private constructor(socket: WebSocket, subject: Subject) {
    super(subject, (frame) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame);
    });
    this.#socket = socket;
    socket.binaryType = 'nodebuffer';
    socket.on('message', (data: Buffer) => this.receive(new Uint8Array(data)));
    // Servers are killed here.
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', (code, reason) => resolve(`${code} ${String(reason)}`));
    });
  }

  static async connect(serverUrl: string, subject = LEDGER, confirmed = true): Promise<WireClient> {
    const { database } = subject;
    const url = `${serverUrl.replace('http', 'ws')}/v1/database/${database}/subscribe?confirmed=${confirmed}`;
    const socket = new WebSocket(url, 'v3.bsatn.spacetimedb');
    const client = new WireClient(socket, subject);
    await once(socket, 'open');
    return client;
  }

  close(): void {
    this.#socket.terminate();
  }
}

/** The texts that the rows of a subject carry, over HTTP. */
export async function readKeys(
  url: string,
  { database, table, column }: Subject,
  confirmed = true,
): Promise<readonly string[]> {
  const rows = await sql(url, database, `SELECT * FROM ${table}`, confirmed);
  return rows.map((row) => row[column] as string);
}

/** The lines of the ledger and the count beside them. */
export async function readLedger(
  url: string,
  confirmed = true,
): Promise<{ readonly keys: readonly string[]; readonly total: number }> {
  const keys = await readKeys(url, LEDGER, confirmed);
  const totals = await sql(url, LEDGER.database, 'SELECT * FROM total', confirmed);
  return { keys, total: Number(totals[0]?.[1] ?? 0) };
}

async function sql(url: string, database: string, text: string, confirmed: boolean): Promise<unknown[][]> {
  const response = await fetch(`${url}/v1/database/${database}/sql?confirmed=${confirmed}`, {
    method: 'POST',
    body: text,
  });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  return ((await response.json()) as { rows: unknown[][] }[])[0]!.rows;
}
