import { once } from 'node:events';

import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import * as Y from 'yjs';

import type { RoomAccess, RoomDefinitions } from '../../../documents/room-definition.js';
import { loadModule } from '../../../module/load-module.js';
import { schema } from '../../../module/schema.js';
import { type ChoraleServer, createServer } from '../../../server/create-server.js';
import { encodeMessage, decodeFrame, type RoomMessage } from '../messages/message.js';
import { SimulatedFolders } from '../../../../test/sim/simulated-folders.js';
import { encodeAwareness } from '../messages/awareness.js';

let server: ChoraleServer;
const errors: unknown[] = [];
afterEach(async () => {
  await server.close({ drainMs: 0 });
  expect(errors.splice(0)).toEqual([]);
});

async function serve(rooms: RoomDefinitions): Promise<void> {
  const databases = { notes: loadModule({ default: schema({}) }) };
  server = await createServer({ databases, rooms, onError: (error) => void errors.push(error) });
}

/** A raw socket that collects what it hears. */
class Raw {
  readonly heard: RoomMessage[] = [];
  closed: { readonly code: number; readonly reason: string } | undefined;
  readonly socket: WebSocket;

  constructor(path: string) {
    this.socket = new WebSocket(`${server.url.replace('http', 'ws')}/${path}`);
    this.socket.on('message', (data: Buffer) => this.heard.push(...decodeFrame(data)));
    this.socket.on('close', (code, reason) => void (this.closed = { code, reason: reason.toString() }));
  }

  static async open(path = 'r'): Promise<Raw> {
    const raw = new Raw(path);
    await once(raw.socket, 'open');
    return raw;
  }

  send(message: Exclude<RoomMessage, { kind: 'unknown' }>): this {
    this.socket.send(encodeMessage(message));
    return this;
  }

  kinds(): string[] {
    return this.heard.map(({ kind }) => kind);
  }
}

const STEP1 = { kind: 'syncStep1', stateVector: Uint8Array.of(0) } as const;

function hello(word = 'hello'): Uint8Array {
  const doc = new Y.Doc();
  doc.getText('t').insert(0, word);
  return Y.encodeStateAsUpdate(doc);
}

async function textOf(room = 'r'): Promise<string> {
  return (await fetch(`${server.url}/v1/rooms/${room}/text?root=t`)).text();
}

describe('bad input costs its sender only', () => {
  it.each([
    ['an empty frame', (raw: Raw) => raw.socket.send(new Uint8Array(0)), 1007],
    ['a text frame', (raw: Raw) => raw.socket.send('hello'), 1003],
    ['a lying length', (raw: Raw) => raw.socket.send(Uint8Array.of(0, 2, 255, 255, 3)), 1007],
    [
      'garbage behind a good message',
      (raw: Raw) => raw.socket.send(Uint8Array.of(0, 0, 1, 0, 0, 9, 0)),
      1007,
    ],
    [
      'an update that is none',
      (raw: Raw) => raw.send({ kind: 'update', update: Uint8Array.of(9, 9, 9) }),
      1007,
    ],
    [
      'millions of structs',
      (raw: Raw) => raw.send({ kind: 'update', update: Uint8Array.of(1, 255, 255, 255, 127, 1, 0) }),
      1009,
    ],
    [
      'a state vector that is none',
      (raw: Raw) => raw.send({ kind: 'syncStep1', stateVector: Uint8Array.of(9, 9) }),
      1007,
    ],
    [
      'an awareness update that lies',
      (raw: Raw) => raw.send({ kind: 'awareness', update: Uint8Array.of(255, 255, 3) }),
      1007,
    ],
  ] as const)('%s', async (_name, send, code) => {
    await serve({ '*path': {} });
    const good = (await Raw.open()).send(STEP1);
    await expect.poll(() => good.kinds()).toContain('syncStep2');
    const bad = await Raw.open();
    send(bad);
    await expect.poll(() => bad.closed?.code).toBe(code);
    expect(bad.closed?.reason).not.toBe('');
    const other = (await Raw.open()).send({ kind: 'update', update: hello() });
    await expect.poll(() => good.kinds()).toContain('update');
    expect(await textOf()).toBe('hello');
    expect([good.closed, other.closed]).toEqual([undefined, undefined]);
  });

  it.each([
    // The listener's own: a path does not climb.
    ['a%2f..%2f..%2fb', 404],
    ['a%00b', 400],
    ['a%0ab', 400],
    ['x'.repeat(513), 400],
    // Node's own limit of a request's head.
    ['x'.repeat(65_536), 431],
  ])('a room called %.20s is refused in the handshake', async (name, status) => {
    await serve({ '*path': {} });
    const socket = new WebSocket(`${server.url.replace('http', 'ws')}/rooms/${name}`);
    const [, response] = (await once(socket, 'unexpected-response')) as [
      unknown,
      { readonly statusCode: number },
    ];
    expect(response.statusCode).toBe(status);
    socket.on('error', () => {});
    socket.terminate();
    expect(server.rooms()?.openCount).toBe(0);
  });

  it('a room called a%2Fb is the room a/b', async () => {
    await serve({ '*path': {} });
    const raw = (await Raw.open('rooms/a%2Fb')).send(STEP1);
    await expect.poll(() => raw.kinds()).toContain('syncStep2');
    expect(server.rooms()?.find('a/b')?.members.size).toBe(1);
  });

  it('Hocuspocus messages before auth wait, and too many of them end the socket', async () => {
    await serve({ '*path': {} });
    const raw = await Raw.open('');
    for (let i = 0; i < 1001; i++) raw.socket.send(Uint8Array.of(4, 100, 111, 99, 115, 0, 0, 1, 0));
    await expect.poll(() => raw.closed?.code).toBe(1008);
  });
});

describe('who may do what', () => {
  it('a room that nobody has named does not exist', async () => {
    await serve({ 'notes/:id': {} });
    const raw = (await Raw.open('other')).send(STEP1);
    await expect.poll(() => raw.closed).toEqual({ code: 4403, reason: 'you may not use this document' });
    expect((await fetch(`${server.url}/v1/rooms/other/json`)).status).toBe(404);
  });

  it('a change takes effect on open sockets', async () => {
    let access: RoomAccess = 'write';
    await serve({ '*path': { authorize: () => access } });
    const raw = (await Raw.open()).send(STEP1).send({ kind: 'update', update: hello() });
    await expect.poll(() => raw.kinds()).toContain('update');
    access = 'read';
    server.rooms()?.reauthorize();
    await new Promise((resolve) => setImmediate(resolve));
    raw.send({ kind: 'update', update: hello('more') });
    await expect.poll(() => raw.kinds()).toContain('denied');
    expect(await textOf()).toBe('hello');
    access = 'deny';
    server.rooms()?.reauthorize('r');
    await expect.poll(() => raw.closed?.code).toBe(4403);
  });

  it('the author of every update is in the log', async () => {
    await serve({ '*path': {} });
    const raw = await Raw.open(`r?token=${server.owner.token}`);
    raw.send({ kind: 'update', update: hello() });
    await expect.poll(() => textOf()).toBe('hello');
    const versions = (await (await fetch(`${server.url}/v1/rooms/r/versions`)).json()) as {
      author: string;
    }[];
    expect(versions.map(({ author }) => author)).toEqual([server.owner.identity.toHexString()]);
  });
});

describe('databases', () => {
  it('each has rooms of its own under the same names', async () => {
    const databases = { one: loadModule({ default: schema({}) }), two: loadModule({ default: schema({}) }) };
    // Those of the default database are handed in; the other's come from its module.
    const app = schema({});
    const two = loadModule({ default: app, rooms: app.room('*path') });
    server = await createServer({ databases: { ...databases, two }, rooms: { '*path': {} } });
    const first = (await Raw.open('rooms/r')).send(STEP1).send({ kind: 'update', update: hello('one') });
    const second = (await Raw.open('v1/database/two/rooms/r')).send(STEP1);
    second.send({ kind: 'update', update: hello('two') });
    for (const raw of [first, second]) await expect.poll(() => raw.kinds()).toContain('update');
    const texts = ['/v1/rooms/r', '/v1/database/two/rooms/r'].map(async (path) =>
      (await fetch(`${server.url}${path}/text?root=t`)).text(),
    );
    expect(await Promise.all(texts)).toEqual(['one', 'two']);
  });

  it('a log that fails closes the rooms, which can be read from then on, as they are on disk', async () => {
    const folders = new SimulatedFolders();
    const databases = { notes: loadModule({ default: schema({}) }) };
    server = await createServer({ databases, rooms: { '*path': {} }, folders, onError: () => {} });
    const raw = (await Raw.open()).send(STEP1).send({ kind: 'update', update: hello('kept') });
    await expect.poll(() => raw.kinds()).toContain('update');
    folders.only.faults.beforeOperation = (operation) => {
      if (operation === 'write') throw new Error('ENOSPC: no space left on device');
    };
    raw.send({ kind: 'update', update: hello('lost') });
    await expect.poll(() => raw.closed).toEqual({ code: 1011, reason: "the database's log has failed" });
    const reader = (await Raw.open()).send(STEP1).send({ kind: 'update', update: hello('refused') });
    await expect.poll(() => reader.kinds()).toContain('denied');
    const reasons = reader.heard.flatMap((message) => (message.kind === 'denied' ? message.reason : []));
    expect(reasons[0]).toContain('answers reads only until the server is started again');
    expect(await textOf()).toBe('kept');
    folders.only.faults = {};
  });
});

describe('limits', () => {
  it('a room takes as many clients as it may, and not one more', async () => {
    await serve({ '*path': { limits: { clientsMax: 2 } } });
    const two = [(await Raw.open()).send(STEP1), (await Raw.open()).send(STEP1)];
    for (const raw of two) await expect.poll(() => raw.kinds()).toContain('syncStep2');
    const third = (await Raw.open()).send(STEP1);
    await expect.poll(() => third.closed?.reason).toBe('the room is full (2 clients)');
  });

  it('an update may be as long as the limit, and not longer', async () => {
    const update = hello();
    await serve({
      'fits/*path': { limits: { updateBytesMax: update.length } },
      '*path': { limits: { updateBytesMax: update.length - 1 } },
    });
    const fits = (await Raw.open('fits/r')).send(STEP1).send({ kind: 'update', update });
    await expect.poll(() => fits.kinds()).toContain('update');
    const tooLong = (await Raw.open()).send({ kind: 'update', update });
    await expect.poll(() => tooLong.closed?.code).toBe(1009);
  });

  it('updates above the rate are asked for again, not lost', async () => {
    await serve({ '*path': { limits: { updatesPerSecond: 1 } } });
    const doc = new Y.Doc();
    const raw = await Raw.open();
    doc.on('update', (update: Uint8Array) => raw.send({ kind: 'update', update }));
    raw.socket.on('message', (data: Buffer) => {
      for (const message of decodeFrame(data))
        if (message.kind === 'syncStep1')
          raw.send({ kind: 'syncStep2', update: Y.encodeStateAsUpdate(doc, message.stateVector) });
    });
    for (let i = 0; i < 30; i++) doc.getText('t').insert(i, 'x');
    await expect.poll(() => textOf(), { timeout: 15_000 }).toBe('x'.repeat(30));
  });
});

describe('presence', () => {
  it('is sent to who comes, and echoed so that a lone client hears something', async () => {
    await serve({ '*path': {} });
    const update = encodeAwareness([{ clientId: 1, clock: 1, json: '{"n":1}' }]);
    const first = (await Raw.open()).send(STEP1).send({ kind: 'awareness', update });
    await expect.poll(() => first.kinds()).toContain('awareness');
    const second = (await Raw.open()).send(STEP1);
    await expect.poll(() => second.kinds()).toContain('awareness');
  });
});

describe('hooks and HTTP', () => {
  it('content is seeded once, however often the room is opened', async () => {
    await serve({ '*path': { onLoad: (room) => room.seed((doc) => doc.getText('t').insert(0, 'seed')) } });
    for (let i = 0; i < 3; i++) expect(await textOf()).toBe('seed');
  });

  it('what server code writes reaches clients, and what clients write reaches hooks', async () => {
    const lengths: number[] = [];
    await serve({
      '*path': { onUpdate: (room) => void lengths.push(room.doc.getText('t').length) },
    });
    const raw = (await Raw.open()).send(STEP1).send({ kind: 'update', update: hello() });
    await expect.poll(() => lengths).toEqual([5]);
    server.rooms()?.find('r')?.doc.getText('t').insert(5, '!');
    await expect.poll(() => raw.kinds().filter((kind) => kind === 'update').length).toBe(2);
    expect(await textOf()).toBe('hello!');
  });

  it('an update is applied, read, and brought back', async () => {
    await serve({ '*path': {} });
    const url = `${server.url}/v1/rooms/r`;
    const post = await fetch(`${url}/update`, { method: 'POST', body: hello() as Uint8Array<ArrayBuffer> });
    const { offset } = (await post.json()) as { offset: number };
    await fetch(`${url}/update`, { method: 'POST', body: hello('more ') as Uint8Array<ArrayBuffer> });
    expect(await (await fetch(`${url}/json`)).json()).toHaveProperty('t');
    expect((await textOf()).length).toBe(10);
    expect((await fetch(`${url}/restore?at=${offset}`, { method: 'POST' })).status).toBe(200);
    expect(await textOf()).toBe('hello');
    const bad = await fetch(`${url}/update`, { method: 'POST', body: 'garbage' });
    expect(bad.status).toBe(400);
  });
});
