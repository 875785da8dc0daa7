import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { DbConnection } from '../../interop/generated/probe-chorale/index.js';
import { seededRandom } from '../../src/base/random.js';
import { loadModule } from '../../src/module/load-module.js';
import { createServer } from '../../src/server/create-server.js';
import type { ChoraleServer } from '../../src/server/create-server.js';
import * as probe from '../conformance/probe/module.js';
import { CuttingProxy } from './cutting-proxy.js';
import { Follower, TABLES } from './follower.js';

/* Real sockets that break in the middle of a frame, and a server that is started again. */

const QUERIES = [
  'SELECT * FROM user',
  'SELECT * FROM message',
  'SELECT * FROM label',
  'SELECT * FROM score',
  'SELECT * FROM door_bell',
];

const problems: unknown[] = [];
const ends: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
  expect(problems.splice(0)).toEqual([]);
});

async function startServer(dataDirectory?: string, port = 0): Promise<ChoraleServer> {
  return createServer({
    port,
    databases: { probe: loadModule(probe) },
    onError: (error) => void problems.push(error),
    onNotice: () => undefined,
    ...(dataDirectory === undefined ? {} : { dataDirectory }),
  });
}

function follow(port: number): Follower {
  const follower = new Follower(
    DbConnection.builder()
      .withUri(`http://127.0.0.1:${port}`)
      .withDatabaseName('probe')
      .withReconnect({ firstDelayMs: 2, delayMaxMs: 20 })
      .withLog((_, message, cause) => void problems.push(cause ?? message)),
    QUERIES,
  );
  ends.push(() => follower.conn.disconnect());
  return follower;
}

const within = { timeout: 20_000, interval: 5 };

test('50 sockets cut in the middle of frames: each client was told each change exactly once, in order', async () => {
  const random = seededRandom(5);
  const server = await startServer();
  ends.push(() => server.close({ drainMs: 0 }));
  let isCalm = true;
  const proxy = await CuttingProxy.listen(server.port, () =>
    isCalm ? Number.POSITIVE_INFINITY : 300 + (random.nextUint32() % 6_000),
  );
  ends.push(() => proxy.close());
  const witness = follow(server.port);
  await vi.waitUntil(() => witness.isApplied, within);
  const followers = Array.from({ length: 8 }, () => follow(proxy.port));
  await vi.waitUntil(() => followers.every(({ isApplied }) => isApplied), within);
  isCalm = false;
  proxy.cutAll();
  for (let n = 0; proxy.cuts < 50; n++) {
    const caller = followers[n % followers.length]!;
    caller.call(`a${n}`, caller.conn.reducers.sendMessage({ text: `m${n}` }));
    await witness.conn.reducers.addLabel({ color: n % 7, text: `l${n}` });
    await witness.conn.reducers.pressBell({ text: `b${n}` });
  }
  isCalm = true;
  await vi.waitUntil(async () => {
    await witness.conn.reducers.pressBell({ text: 'calm' });
    return followers.every(({ conn, trace }) => conn.isActive && trace.at(-1) === '! calm');
  }, within);
  await witness.conn.reducers.pressBell({ text: 'the end' });
  await vi.waitUntil(
    () => [...followers, witness].every(({ trace }) => trace.at(-1) === '! the end'),
    within,
  );
  expect(followers.flatMap(({ resumedBy }) => resumedBy).filter((by) => by !== 'changes')).toEqual([]);
  for (const follower of followers) {
    follower.checkMirror();
    for (const table of TABLES) expect(follower.cached(table)).toEqual(witness.cached(table));
    expect(follower.trace).toEqual(witness.trace.slice(-follower.trace.length));
  }
}, 60_000);

test('a server that is started again: clients come back with their tokens and are told what is different', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'chorale-resume-'));
  ends.push(() => rm(directory, { recursive: true, force: true }));
  let server = await startServer(directory);
  ends.push(() => server.close({ drainMs: 0 }));
  const { port } = server;
  const [ada, bob] = [follow(port), follow(port)];
  await vi.waitUntil(() => ada.isApplied && bob.isApplied, within);
  await ada.conn.reducers.sendMessage({ text: 'before' });
  await vi.waitUntil(() => bob.conn.db.message.count() === 1n, within);
  const identity = ada.conn.identity!.toHexString();
  await server.close({ drainMs: 0 });
  server = await startServer(directory, port);
  await vi.waitUntil(() => ada.resumedBy.length > 0 && bob.resumedBy.length > 0, within);
  expect([...ada.resumedBy, ...bob.resumedBy]).toEqual(['snapshot', 'snapshot']);
  expect(ada.conn.identity!.toHexString()).toBe(identity);
  await ada.conn.reducers.sendMessage({ text: 'after' });
  await vi.waitUntil(() => bob.trace.some((line) => line.endsWith(' after')), within);
  for (const { trace } of [ada, bob]) {
    for (const text of ['before', 'after']) {
      expect(trace.filter((line) => line.startsWith('+ message') && line.endsWith(text))).toHaveLength(1);
    }
  }
  bob.checkMirror();
});

test('a server that has forgotten everything: a token that it does not know ends the connection', async () => {
  let server = await startServer();
  ends.push(() => server.close({ drainMs: 0 }));
  const { port } = server;
  const errors: unknown[] = [];
  const conn = DbConnection.builder()
    .withUri(`http://127.0.0.1:${port}`)
    .withDatabaseName('probe')
    .withReconnect({ firstDelayMs: 2, delayMaxMs: 20 })
    .onDisconnect((_, error) => errors.push(error))
    .build();
  await vi.waitUntil(() => conn.isActive, within);
  await server.close({ drainMs: 0 });
  server = await startServer(undefined, port);
  await vi.waitUntil(() => errors.length > 0, within);
  expect(errors).toMatchObject([{ code: 'CONNECT_FAILED', httpStatus: 401 }]);
});
