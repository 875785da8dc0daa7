import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';

import { loadModule } from '../module/load-module.js';
import { bundleModule } from '../module/bundle.js';
import { schema, table, t } from '../module/index.js';
import { makeProject } from '../module/testing/project.js';
import { decodeFrame, encodeMessage } from '../protocols/rooms/messages/message.js';
import { type ChoraleServer, createServer, type ServerOptions } from './create-server.js';

const PROGRAM = `
import { schema, table, t } from 'chorale/server';
const app = schema({
  member: table({ public: true }, { note: t.string().primaryKey(), access: t.string() }),
  other: table({}, { id: t.u32().primaryKey() }),
});
export default app;
export const grant = app.reducer({ note: t.string(), access: t.string() }, (ctx, row) => {
  if (ctx.db.member.note.find(row.note) === null) ctx.db.member.insert(row);
  else ctx.db.member.note.update(row);
});
export const noise = app.reducer({ id: t.u32() }, (ctx, row) => void ctx.db.other.insert(row));
globalThis.roomEvents = [];
export const notes = app.room('notes/:id', {
  authorize(ctx, { id }) {
    globalThis.roomEvents.push('authorize ' + id);
    return ctx.db.member.note.find(id)?.access ?? 'deny';
  },
  onLoad: (room) => room.seed((doc) => doc.getText('t').insert(0, 'seed')),
  onUpdate: (room, { sender }) => void globalThis.roomEvents.push('update ' + room.params.id + ' ' + (sender ? 'client' : 'server')),
  onUnload: (room) => void globalThis.roomEvents.push('unload ' + room.params.id),
  limits: { clientsMax: 3 },
});
export const greedy = app.room('greedy', { authorize: (ctx) => ctx.db.other.insert({ id: 1 }) && 'write' });
`;

let server: ChoraleServer;
let errors: unknown[] = [];
let folder: string;
beforeEach(async () => {
  errors = [];
  folder = await mkdtemp(join(tmpdir(), 'chorale-rooms-'));
});
afterEach(async () => {
  await server.close({ drainMs: 0 });
  await rm(folder, { recursive: true });
});

async function start(options: ServerOptions = {}): Promise<void> {
  server = await createServer({
    dataDirectory: folder,
    onError: (error) => void errors.push(error),
    onNotice: () => {},
    ...options,
  });
}

async function publish(): Promise<void> {
  await start();
  const project = await makeProject({ 'package.json': '{}', 'src/index.ts': PROGRAM });
  const { program } = await bundleModule(project.directory);
  const publisher = server.owner.identity;
  const request = { target: undefined, name: 'notes', publisher, program, clear: false };
  expect((await server.catalog.publish(request)).kind).toBe('created');
}

const events = (): string[] => (globalThis as unknown as { roomEvents: string[] }).roomEvents;

function call(reducer: string, ...args: readonly unknown[]): void {
  const caller = { identity: server.owner.identity, connectionId: undefined, tokenPayload: undefined };
  const outcome = server.database('notes')!.host.callReducerJson(reducer, caller, JSON.stringify(args));
  expect(outcome.kind).toBe('committed');
}

/** A y-websocket client without reconnection. */
class Client {
  readonly doc = new Y.Doc();
  readonly denied: string[] = [];
  code: number | undefined;
  isSynced = false;
  readonly socket: WebSocket;

  constructor(room: string) {
    this.socket = new WebSocket(`${server.url.replace('http', 'ws')}/${room}`);
    this.socket.on('message', (data: Buffer) => this.#receive(data));
    this.socket.on('close', (code) => void (this.code = code));
    this.socket.on('open', () => {
      this.#send({ kind: 'syncStep1', stateVector: Y.encodeStateVector(this.doc) });
    });
    this.doc.on('update', (update: Uint8Array, origin: unknown) => {
      if (origin !== this) this.#send({ kind: 'update', update });
    });
  }

  get text(): string {
    return this.doc.getText('t').toJSON();
  }

  #send(message: Parameters<typeof encodeMessage>[0]): void {
    this.socket.send(encodeMessage(message));
  }

  #receive(data: Buffer): void {
    for (const message of decodeFrame(data)) {
      if (message.kind === 'denied') this.denied.push(message.reason);
      if (message.kind === 'syncStep1')
        this.#send({ kind: 'syncStep2', update: Y.encodeStateAsUpdate(this.doc, message.stateVector) });
      if (message.kind !== 'syncStep2' && message.kind !== 'update') continue;
      Y.applyUpdate(this.doc, message.update, this);
      this.isSynced = true;
    }
  }
}

describe('rooms of a published module', () => {
  it('authorize reads tables, and what a transaction changes in them takes effect on open sockets', async () => {
    await publish();
    const stranger = new Client('notes/a');
    await expect.poll(() => stranger.code).toBe(4403);
    call('grant', 'a', 'read');
    const client = new Client('notes/a');
    await expect.poll(() => client.text).toBe('seed');
    client.doc.getText('t').insert(0, 'my ');
    await expect.poll(() => client.denied).toEqual(['this document is read-only for you']);
    const other = new Client('notes/a');
    await expect.poll(() => other.isSynced).toBe(true);
    call('grant', 'a', 'write');
    // What was refused before is asked for.
    await expect.poll(() => other.text).toBe('my seed');
    call('grant', 'a', 'deny');
    await expect.poll(() => [client.code, other.code]).toEqual([4403, 4403]);
    await expect.poll(() => events().at(-1)).toBe('unload a');
    expect(events()).toContain('update a client');
  });

  it('transactions on other tables ask nobody, and many on that one ask seldom', async () => {
    await publish();
    call('grant', 'a', 'write');
    const client = new Client('notes/a');
    await expect.poll(() => client.isSynced).toBe(true);
    events().length = 0;
    for (let id = 1; id <= 20; id++) call('noise', id);
    for (let i = 0; i < 20; i++) {
      call('grant', `b${i}`, 'write');
      await new Promise((resolve) => void setImmediate(resolve));
    }
    const asked = (): number => events().filter((event) => event === 'authorize a').length;
    // At once for the first, and again for the others together.
    await expect.poll(asked).toBeGreaterThanOrEqual(2);
    expect(asked()).toBeLessThan(10);
  });

  it('authorize cannot write: who asks is denied, and the error is told', async () => {
    await publish();
    const client = new Client('greedy');
    await expect.poll(() => client.code).toBe(4403);
    expect(String(errors[0])).toContain('transaction');
  });

  it('content is seeded once, over restarts as well', async () => {
    const app = schema({ note: table({}, { id: t.u32().primaryKey() }) });
    const room = app.room('*path', {
      onLoad: (opened) => opened.seed((doc) => doc.getText('t').insert(0, 'seed')),
    });
    const databases = { notes: loadModule({ default: app, room }) };
    for (let round = 0; round < 3; round++) {
      await start({ databases });
      const clients = [new Client('r'), new Client('r')];
      for (const client of clients) await expect.poll(() => client.text).toBe('seed');
      clients[0]!.socket.terminate();
      await once(clients[0]!.socket, 'close');
      if (round < 2) await server.close({ drainMs: 0 });
    }
  });
});
