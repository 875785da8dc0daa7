import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as Y from 'yjs';

import type { Module } from '../../src/module/definition/build-module.js';
import { schema, SenderError, t, table } from '../../src/module/index.js';
import { loadModule } from '../../src/module/load-module.js';
import { Client } from '../../src/protocols/engineio/client/index.node.js';
import { jsonSerializer } from '../../src/protocols/wamp/messages/json.js';
import { type ChoraleServer, createServer } from '../../src/server/create-server.js';
import { overWebSocket, Peer } from '../conformance/wamp-peer.js';
import { SimulatedFolders } from '../sim/simulated-folders.js';
import { LEDGER, WireClient } from './wire-client.js';

/*
 * Every way in which an answer leaves the server, asked while a transaction that it saw is not on disk: nobody may hear of what a
 * crash could take back, and a refusal tells of the row that it is due to.
 */

let folders: SimulatedFolders;
let server: ChoraleServer;
let clients: { close(): void }[];
/** How often the module looked at its rows. */
let looks: number;

function ledgerModule(): Module {
  const entry = table({ name: 'entry', public: true }, { id: t.u64(), key: t.string().primaryKey() });
  const app = schema({ entry });
  const put = app.reducer({ key: t.string() }, (ctx, { key }) => {
    looks += 1;
    if (ctx.db.entry.key.find(key) !== null) throw new SenderError(`${key} is taken`);
    ctx.db.entry.insert({ id: 0n, key });
  });
  const connected = app.clientConnected((ctx) => {
    looks += 1;
    if (ctx.db.entry.key.find('closed') !== null) throw new SenderError('closed');
  });
  const count = app.rpc('ledger.count', (ctx) => {
    const result = ctx.withTx(({ db }) => Number(db.entry.count()));
    looks += 1;
    return result;
  });
  const reserve = app.rpc('ledger.reserve', (ctx, key: string) =>
    ctx.withTx(({ db }) => {
      looks += 1;
      if (db.entry.key.find(key) !== null) throw new SenderError(`${key} is taken`);
    }),
  );
  const live = app.socket('/live', {
    message(ctx, socket, data) {
      const rows = ctx.withTx(({ db }) => Number(db.entry.count()));
      looks += 1;
      if (data === 'throw') throw new Error(`${rows} rows are too many`);
      if (data === 'broadcast') ctx.broadcast(`all: ${rows}`);
      else socket.send(`you: ${rows}`);
    },
  });
  const note = app.room('note', {
    authorize: () => {
      looks += 1;
      return 'write';
    },
  });
  return loadModule({ default: app, put, connected, count, reserve, live, note });
}

beforeEach(async () => {
  folders = new SimulatedFolders();
  clients = [];
  looks = 0;
  server = await createServer({
    folders,
    databases: { ledger: ledgerModule() },
    onNotice: () => {},
    onError: () => {},
  });
});

afterEach(async () => {
  for (const client of clients) client.close();
  folders.only.faults = {};
  await server.close({ drainMs: 0 });
});

/** Nothing reaches the disk until the returned function lets it, or has it fail with an error. */
function holdDisk(): (error?: Error) => void {
  let settle = (_error?: Error): void => {};
  const gate = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  gate.catch(() => {});
  folders.only.faults.delay = () => gate;
  return settle;
}

/** Committed, and not on disk. */
function putUnconfirmed(key: string): void {
  const { host, owner } = server.database('ledger')!;
  const caller = { identity: owner, connectionId: undefined, tokenPayload: undefined };
  expect(host.callReducerJson('put', caller, JSON.stringify([key])).kind).toBe('committed');
  looks = 0;
}

async function post(path: string, body: string): Promise<string> {
  const response = await fetch(`${server.url}/v1/database/ledger/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  return `${response.status} ${await response.text()}`;
}

async function connect(confirmed = true): Promise<WireClient> {
  const client = await WireClient.connect(server.url, LEDGER, confirmed);
  clients.push(client);
  await expect.poll(() => client.trace).toEqual(['hello']);
  return client;
}

/** What the client heard since it connected, once it heard `count` things or was cut off. */
async function hear(client: WireClient, count: number): Promise<string> {
  let end = '';
  void client.closed.then((text) => void (end = text));
  await expect.poll(() => end !== '' || client.trace.length > count, { interval: 5 }).toBe(true);
  return [...client.trace.slice(1), end].join(' ').trim();
}

async function joinRealm(): Promise<Peer> {
  const place = { router: server.wamp, url: server.url, port: server.port, unixPath: '' };
  const peer = await Peer.join(place, overWebSocket(jsonSerializer), {}, 'ledger');
  clients.push(peer);
  return peer;
}

/** What the client of a module's socket hears, or how it is cut off, when it says something. */
async function openSocket(message: string): Promise<() => Promise<string>> {
  const socket = new Client({ logger: { info() {}, error() {} } });
  clients.push({ close: () => void socket.disconnect({ abort: true }) });
  const heard = new Promise<string>((resolve) => {
    socket.on('message', (data) => resolve(String(data)));
    socket.on('disconnect', () => resolve('cut off'));
  });
  await socket.connect(server.url, { engineioPath: 'live', transports: ['websocket'] });
  return async () => (await socket.send(message), heard);
}

interface Exit {
  readonly name: string;
  /** Gets ready while the disk still works; what it returns asks. */
  readonly prepare: () => Promise<() => Promise<string>>;
  /** The row that is not on disk when it is asked. */
  readonly key?: string;
  /** What is committed then, if it is not a row. */
  readonly change?: () => Promise<void>;
  readonly answer: string;
  readonly answerOfLostDisk: string | RegExp;
}

const EXITS: readonly Exit[] = [
  {
    name: 'a reducer refuses over a WebSocket',
    prepare: async () => {
      const client = await connect();
      return () => (client.put('a'), hear(client, 1));
    },
    answer: 'refused',
    answerOfLostDisk: "1011 the database's log has failed",
  },
  {
    name: 'a subscription shows rows',
    prepare: async () => {
      const client = await connect();
      return () => (client.subscribe(), client.put('a'), hear(client, 2));
    },
    answer: 'applied refused',
    answerOfLostDisk: "1011 the database's log has failed",
  },
  {
    name: 'a module refuses a connection',
    prepare: async () => async () => {
      const client = await WireClient.connect(server.url);
      clients.push(client);
      return (await client.closed).slice(0, 4);
    },
    key: 'closed',
    answer: '1006',
    answerOfLostDisk: '1006',
  },
  {
    name: 'a reducer refuses over HTTP',
    prepare: async () => () => post('call/put', '["a"]'),
    answer: '530 a is taken',
    answerOfLostDisk: /^503/,
  },
  {
    name: 'a reducer commits over HTTP',
    prepare: async () => () => post('call/put', '["b"]'),
    answer: '200 ',
    answerOfLostDisk: /^503/,
  },
  {
    name: 'a module refuses a caller over HTTP',
    prepare: async () => () => post('call/put', '["b"]'),
    key: 'closed',
    answer: '403 closed',
    answerOfLostDisk: /^503/,
  },
  {
    name: 'SQL over HTTP',
    prepare: async () => async () =>
      (await post('sql', 'SELECT key FROM entry')).replace(/\[\{.*"rows":(.*?),"total.*/, '$1'),
    answer: '200 [["a"]]',
    answerOfLostDisk: /^503/,
  },
  {
    name: 'a procedure of app.rpc gives a result',
    prepare: async () => {
      const peer = await joinRealm();
      return async () => JSON.stringify(await peer.call('ledger.count'));
    },
    answer: '[1]',
    answerOfLostDisk: /log has failed/,
  },
  {
    name: 'a procedure of app.rpc refuses',
    prepare: async () => {
      const peer = await joinRealm();
      return async () => JSON.stringify(await peer.call('ledger.reserve', ['a']));
    },
    answer: '["wamp.error.runtime_error",["a is taken"]]',
    answerOfLostDisk: /log has failed/,
  },
  {
    name: 'a document is read over HTTP',
    prepare: async () => async () => {
      const response = await fetch(`${server.url}/v1/database/ledger/rooms/note/text`);
      return `${response.status} ${await response.text()}`;
    },
    change: () => writeUnconfirmed(),
    answer: '200 hello',
    answerOfLostDisk: /^503/,
  },
  {
    name: 'a handler of app.socket answers behind its transaction',
    prepare: () => openSocket('tell'),
    answer: 'you: 1',
    answerOfLostDisk: 'cut off',
  },
  {
    name: 'a handler of app.socket tells everybody',
    prepare: () => openSocket('broadcast'),
    answer: 'all: 1',
    answerOfLostDisk: 'cut off',
  },
  {
    name: 'a handler of app.socket throws',
    prepare: () => openSocket('throw'),
    answer: 'cut off',
    answerOfLostDisk: 'cut off',
  },
];

/** Writes into a document; not on disk. */
async function writeUnconfirmed(): Promise<void> {
  const doc = new Y.Doc();
  doc.getText('text').insert(0, 'hello');
  const { log } = server.database('ledger')!;
  const before = log.lastOffset;
  const update = Buffer.from(Y.encodeStateAsUpdate(doc));
  // Its answer waits as well, until the server is gone.
  fetch(`${server.url}/v1/database/ledger/rooms/note/update`, { method: 'POST', body: update }).catch(
    () => {},
  );
  await expect.poll(() => log.lastOffset, { interval: 5 }).toBeGreaterThan(before);
  looks = 0;
}

/** Asks while `key` is not on disk, and lets the disk go on, or fail, when the server has had time to answer. */
async function askWhileHeld(exit: Exit, error?: Error): Promise<[string, string]> {
  const { prepare, key = 'a', change } = exit;
  const ask = await prepare();
  const settle = holdDisk();
  if (change === undefined) putUnconfirmed(key);
  else await change();
  let told = 'nothing';
  const answer = ask().then((text) => (told = text));
  await expect.poll(() => looks, { interval: 5 }).toBeGreaterThan(0);
  for (let i = 0; i < 3; i++) await fetch(`${server.url}/v1/ping`);
  const early = told;
  settle(error);
  return [early, await answer];
}

describe('an answer that saw what is not on disk', () => {
  it.each(EXITS)('waits for it: $name', async (exit) => {
    expect(await askWhileHeld(exit)).toEqual(['nothing', exit.answer]);
  });

  it.each(EXITS)('is never given when the disk is lost: $name', async (exit) => {
    const { answerOfLostDisk } = exit;
    const [early, late] = await askWhileHeld(exit, new Error('EIO: i/o error, fsync'));
    expect(early).toBe('nothing');
    expect(late).toMatch(answerOfLostDisk);
  });

  it('is given at once to those who asked for that', async () => {
    const hasty = await connect(false);
    const settle = holdDisk();
    putUnconfirmed('a');
    hasty.subscribe();
    hasty.put('a', 'b');
    expect(await hear(hasty, 3)).toBe('applied refused ok');
    expect(await post('sql?confirmed=false', 'SELECT key FROM entry')).toContain('"rows":[["a"],["b"]]');
    settle();
  });

  it('keeps its place between the updates of others', async () => {
    const client = await connect();
    client.subscribe();
    await hear(client, 1);
    const settle = holdDisk();
    putUnconfirmed('a');
    client.put('a', 'b', 'a');
    await expect.poll(() => looks).toBe(3);
    putUnconfirmed('c');
    client.put('c');
    await expect.poll(() => looks).toBe(1);
    settle();
    expect(await hear(client, 7)).toBe('applied update refused ok refused update refused');
  });
});
