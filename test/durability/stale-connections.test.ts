import { afterEach, beforeEach, expect, it } from 'vitest';

import { seededRandom } from '../../src/base/random.js';
import type { Module } from '../../src/module/definition/build-module.js';
import { schema, t, table } from '../../src/module/index.js';
import { loadModule } from '../../src/module/load-module.js';
import { type ChoraleServer, createServer } from '../../src/server/create-server.js';
import { SimulatedFolders } from '../sim/simulated-folders.js';
import { LEDGER, WireClient } from './wire-client.js';

/** Counts for each connection how often the module heard of its beginning and of its end. */
function visitorModule(): Module {
  const visitor = table(
    { name: 'visitor' },
    { connection: t.string().primaryKey(), who: t.identity(), came: t.u32(), left: t.u32() },
  );
  const app = schema({ visitor });
  const connected = app.clientConnected(({ db, connectionId, sender }) => {
    db.visitor.insert({ connection: connectionId!.toHexString(), who: sender, came: 1, left: 0 });
  });
  const disconnected = app.clientDisconnected(({ db, connectionId, sender }) => {
    const row = db.visitor.connection.find(connectionId!.toHexString())!;
    db.visitor.connection.update({ ...row, left: row.left + (row.who.isEqual(sender) ? 1 : 100) });
  });
  return loadModule({ default: app, connected, disconnected });
}

let folders: SimulatedFolders;
let servers: ChoraleServer[];
let clients: WireClient[];

beforeEach(() => {
  folders = new SimulatedFolders();
  servers = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) client.close();
  for (const server of servers) await server.close({ drainMs: 0 });
});

async function start(): Promise<ChoraleServer> {
  const databases = { ledger: visitorModule() };
  const server = await createServer({ folders, databases, onNotice: () => {}, onError: () => {} });
  servers.push(server);
  return server;
}

async function connect({ url }: ChoraleServer): Promise<WireClient> {
  const client = await WireClient.connect(url, LEDGER);
  clients.push(client);
  await expect.poll(() => client.trace).toEqual(['hello']);
  return client;
}

/** `came/left` of each connection, in no order. */
function visitors(server: ChoraleServer): string[] {
  const rows = server.database('ledger')!.database.table('visitor').rows();
  return rows.map(({ came, left }) => `${came as number}/${left as number}`).toSorted();
}

it('connections that ended with the process are told to the module at the next start, each once, as who they were', async () => {
  const first = await start();
  const [gone] = [await connect(first), await connect(first), await connect(first)];
  gone.close();
  await expect.poll(() => visitors(first)).toEqual(['1/0', '1/0', '1/1']);
  const { log } = first.database('ledger')!;
  await expect.poll(() => log.durableOffset).toBe(log.lastOffset);
  folders.only.kill();
  const second = await start();
  expect(visitors(second)).toEqual(['1/1', '1/1', '1/1']);
  await second.close({ drainMs: 0 });
  expect(visitors(await start())).toEqual(['1/1', '1/1', '1/1']);
});

it('a power cut while they are told tells those that were lost again, and no other', async () => {
  const first = await start();
  for (let i = 0; i < 4; i++) await connect(first);
  const { log } = first.database('ledger')!;
  await expect.poll(() => log.durableOffset).toBe(log.lastOffset);
  for (let seed = 1; seed <= 20; seed++) {
    const random = seededRandom(seed);
    folders.only.faults.writeBytesMax = 1 + (random.nextUint32() % 300);
    folders.only.cutPower(() => random.nextFloat());
    const next = await start();
    expect(visitors(next), `seed ${seed}`).toEqual(['1/1', '1/1', '1/1', '1/1']);
    for (let turns = random.nextUint32() % 20; turns > 0; turns--) await Promise.resolve();
  }
});
