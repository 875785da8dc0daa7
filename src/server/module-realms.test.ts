import { afterEach, describe, expect, it } from 'vitest';

import {
  type Connect,
  type Fields,
  overMemory,
  overWebSocket,
  Peer,
} from '../../test/conformance/wamp-peer.js';
import { SimulatedFolders } from '../../test/sim/simulated-folders.js';
import { schema, SenderError, t, table } from '../module/index.js';
import { loadModule } from '../module/load-module.js';
import type { Module } from '../module/definition/build-module.js';
import { jsonSerializer } from '../protocols/wamp/messages/json.js';
import { type ChoraleServer, createServer, type ServerOptions } from './create-server.js';

/*
 * A module in the realm of its database, seen by raw peers in the process.
 */

let server: ChoraleServer;
const errors: unknown[] = [];

async function start(module: Module, options: ServerOptions = {}): Promise<void> {
  const onError = (error: unknown): void => void errors.push(error);
  server = await createServer({ databases: { app: module }, onError, engineio: false, ...options });
}

async function join(details: object = {}, connect: Connect = overMemory): Promise<Peer> {
  const place = { router: server.wamp, url: server.url, port: server.port, unixPath: '' };
  return Peer.join(place, connect, details as Record<string, unknown>, 'app');
}

async function joinAsOwner(): Promise<Peer> {
  return join({ authmethods: ['token'], authextra: { token: server.owner.token } });
}

/** A promise and its end. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
  let open!: () => void;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open };
}

afterEach(async () => {
  await server.close({ drainMs: 0 });
  expect(errors.splice(0)).toEqual([]);
});

const app = schema({ note: table({ name: 'note' }, { id: t.u32().primaryKey() }) });

describe('procedures of a module', () => {
  it('are registered with their options, and the meta API shows them', async () => {
    const any = app.rpc('com.files', (ctx) => [ctx.procedure, typeof ctx.details['caller']], {
      match: 'prefix',
      discloseCaller: true,
    });
    const work = app.rpc('com.work', () => 'module', { invoke: 'roundrobin' });
    await start(loadModule({ default: app, any, work }));
    const [peer, other] = [await join(), await join()];
    expect(await peer.call('com.files.read')).toEqual([['com.files.read', 'number']]);
    const [id] = (await peer.call('wamp.registration.match', ['com.files.read'])) as [number];
    expect(await peer.call('wamp.registration.get', [id])).toMatchObject([
      { id, uri: 'com.files', match: 'prefix', invoke: 'single' },
    ]);
    const [[callee]] = (await peer.call('wamp.registration.list_callees', [id])) as [[number]];
    expect(await peer.call('wamp.session.get', [callee])).toMatchObject([{ authid: 'module' }]);
    expect(await peer.call('wamp.session.list')).toEqual([[peer.session, other.session]]);
    expect(await other.ask(64, { invoke: 'roundrobin' }, 'com.work')).toMatchObject({ 0: 65 });
    peer.send(48, 100, {}, 'com.work');
    peer.send(48, 101, {}, 'com.work');
    expect((await other.next())[0]).toBe(68);
    expect(await peer.next()).toEqual([50, 100, {}, ['module']]);
  });

  it('no client takes them away; they are taken from clients when the module comes', async () => {
    const mine = app.rpc('com.mine', () => 1);
    await start(loadModule({ default: app }));
    const peer = await join();
    const registration = await peer.register('com.mine');
    const embedded = await server.catalog.setNames(server.database('app')!, ['app', 'second']);
    expect(embedded.kind).toBe('renamed');
    server.database('app')!.swap({ module: loadModule({ default: app, mine }), text: undefined, hash: '2' });
    server.catalog.onModule(server.database('app')!);
    expect(await peer.next()).toMatchObject({ 0: 67, 1: 0, 2: { registration } });
    const taken = await peer.ask(64, { force_reregister: true }, 'com.mine');
    expect(taken[4]).toBe('wamp.error.procedure_already_exists');
    expect(await peer.call('com.mine')).toEqual([1]);
  });

  it('a new module takes over while calls of the old one go on', async () => {
    const { opened, open } = gate();
    const slow = app.rpc('com.slow', async () => {
      await opened;
      return 'old';
    });
    const gone = app.rpc('com.gone', () => 1);
    await start(loadModule({ default: app, slow, gone }));
    const peer = await join();
    peer.send(48, peer.id(), {}, 'com.slow');
    await peer.drain();
    const next = app.rpc('com.slow', () => 'new');
    server.database('app')!.swap({ module: loadModule({ default: app, next }), text: undefined, hash: '2' });
    server.catalog.onModule(server.database('app')!);
    expect(await peer.call('com.slow')).toEqual(['new']);
    expect(await peer.call('com.gone')).toEqual(['wamp.error.no_such_procedure']);
    open();
    expect(await peer.next()).toEqual([50, 1, {}, ['old']]);
  });

  it('at most as many calls run as concurrency says', async () => {
    const { opened, open } = gate();
    const slow = app.rpc('com.slow', () => opened, { concurrency: 2 });
    await start(loadModule({ default: app, slow }));
    const peer = await join();
    for (const request of [1, 2, 3]) peer.send(48, request, {}, 'com.slow');
    expect((await peer.next()).slice(2)).toEqual([3, {}, 'wamp.error.no_available_callee']);
    open();
    expect([(await peer.next())[1], (await peer.next())[1]]).toEqual([1, 2]);
    expect(await peer.call('com.slow')).toEqual([]);
  });
});

describe('progress of a procedure', () => {
  const count = app.rpc('com.count', function* (_ctx, to: number) {
    for (let n = 1; n < to; n++) yield n;
    return to;
  });
  const report = app.rpc('com.report', async (ctx) => {
    ctx.progress([1], { of: 2 });
    await Promise.resolve();
    ctx.progress([2]);
    return ctx.wantsProgress;
  });

  it('is what a generator yields, or ctx.progress is told; the rest is the result', async () => {
    await start(loadModule({ default: app, count, report }));
    const peer = await join();
    const read = async (procedure: string, ...args: unknown[]): Promise<Fields[]> => {
      peer.send(48, peer.id(), { receive_progress: true }, procedure, args);
      return [await peer.next(), await peer.next(), await peer.next()].map(([, , ...rest]) => rest);
    };
    expect(await read('com.count', 3)).toEqual([
      [{ progress: true }, [1]],
      [{ progress: true }, [2]],
      [{}, [3]],
    ]);
    expect(await read('com.report')).toEqual([
      [{ progress: true }, [1], { of: 2 }],
      [{ progress: true }, [2]],
      [{}, [true]],
    ]);
    expect(await peer.call('com.count', [3])).toEqual([3]);
    expect(await peer.call('com.report')).toEqual([false]);
  });

  it('100,000 values for a caller who reads all of them stay within its queue', async () => {
    await start(loadModule({ default: app, count }), { wamp: { limits: { queueBytes: 2048 } } });
    const peer = await join({}, overWebSocket(jsonSerializer));
    const [session] = [...server.wamp.realm('app')!.sessions.values()];
    const output = session!.output;
    let most = 0;
    const send = output.send.bind(output);
    output.send = (message) => {
      most = Math.max(most, output.queuedBytes);
      return send(message);
    };
    peer.send(48, 1, { receive_progress: true }, 'com.count', [100_000]);
    let seen = 0;
    for (let fields = await peer.next(); ; fields = await peer.next()) {
      expect(fields[0]).toBe(50);
      if (++seen === 100_000) break;
    }
    expect(await peer.drain()).toEqual([]);
    expect(most).toBeLessThan(2048);
  });
});

describe('a canceled call', () => {
  it.each([
    ['kill', { mode: 'kill' }],
    ['killnowait', {}],
  ])('with mode %s aborts the signal, and the caller has ERROR canceled', async (_name, options) => {
    let reason: unknown;
    const wait = app.rpc('com.wait', (ctx) => {
      return new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () => {
          reason = ctx.signal.reason;
          reject(ctx.signal.reason as Error);
        });
      });
    });
    await start(loadModule({ default: app, wait }));
    const peer = await join();
    peer.send(48, 1, {}, 'com.wait');
    await peer.drain();
    peer.send(49, 1, options);
    expect((await peer.next()).slice(0, 5)).toEqual([8, 48, 1, {}, 'wamp.error.canceled']);
    expect(reason).toMatchObject({ name: 'AbortError' });
    expect(server.database('app')!.moduleLog.tail()).toEqual([]);
  });

  it('lets a generator clean up, and whoever waits with it has an end: caller gone, time over', async () => {
    const ends: string[] = [];
    const stream = app.rpc('com.stream', async function* (ctx, name: string) {
      try {
        while (true) {
          yield name;
          await new Promise((resolve) => void setImmediate(resolve));
        }
      } finally {
        ends.push(`${name} ${ctx.signal.aborted}`);
      }
    });
    await start(loadModule({ default: app, stream }));
    const [leaver, hurried] = [await join(), await join()];
    leaver.send(48, 1, { receive_progress: true }, 'com.stream', ['left']);
    await leaver.next();
    leaver.close();
    hurried.send(48, 1, { timeout: 50 }, 'com.stream', ['late']);
    expect((await hurried.next())[4]).toBe('wamp.error.timeout');
    await expect.poll(() => ends.toSorted()).toEqual(['late true', 'left true']);
  });

  it('that was canceled before it began never begins', async () => {
    let began = 0;
    const never = app.rpc('com.never', () => void began++);
    await start(loadModule({ default: app, never }));
    const peer = await join();
    peer.send(48, 1, {}, 'com.never');
    peer.send(49, 1, {});
    expect(await peer.drain()).toEqual([[8, 48, 1, {}, 'wamp.error.canceled']]);
    expect(began).toBe(0);
  });
});

describe('transactions of a procedure', () => {
  const add = app.rpc('com.add', (ctx, id: number) => {
    ctx.withTx((tx) => {
      tx.db.note.insert({ id });
      tx.publish('com.added', [id]);
      if (id === 13) throw new SenderError('no');
    });
    ctx.progress(['added']);
    return ctx.withTx((tx) => Number(tx.db.note.count()));
  });

  it('are on disk before progress, result and events leave, and those leave in the order of the commits', async () => {
    const folders = new SimulatedFolders();
    await start(loadModule({ default: app, add }), { folders });
    const [peer, listener] = [await join(), await join()];
    await listener.subscribe('com.added');
    const flush = gate();
    folders.only.faults.delay = () => flush.opened;
    for (const id of [1, 13, 2]) peer.send(48, peer.id(), { receive_progress: true }, 'com.add', [id]);
    expect(await peer.drain()).toEqual([]);
    expect(await listener.drain()).toEqual([]);
    folders.only.faults.delay = () => Promise.resolve();
    flush.open();
    const seen: Fields[] = [];
    while (seen.length < 5) seen.push(await peer.next());
    const of = (request: number): Fields[] =>
      seen.filter(([, id]) => id === request).map(([, , ...rest]) => rest);
    expect(of(1)).toEqual([
      [{ progress: true }, ['added']],
      [{}, [1]],
    ]);
    expect(seen).toContainEqual([8, 48, 2, {}, 'wamp.error.runtime_error', ['no']]);
    expect(of(3)).toEqual([
      [{ progress: true }, ['added']],
      [{}, [2]],
    ]);
    expect([(await listener.next())[4], (await listener.next())[4]]).toEqual([[1], [2]]);
    expect(await listener.drain()).toEqual([]);
  });

  it('that the disk does not take are an error, and publish nothing', async () => {
    const folders = new SimulatedFolders();
    await start(loadModule({ default: app, add }), { folders, onError: () => {} });
    const [peer, listener] = [await join(), await join()];
    await listener.subscribe('com.added');
    folders.only.faults.beforeOperation = (operation) => {
      if (operation === 'write' || operation === 'sync') throw new Error('the disk is full');
    };
    expect(await peer.call('com.add', [1])).toEqual([
      'wamp.error.runtime_error',
      ["the database's log has failed: what was done may be lost"],
    ]);
    expect(await listener.drain()).toEqual([]);
  });
});

const published = (authorize: string): string => `
  import { schema, table, t } from 'chorale/server';
  const app = schema({ banned: table({ name: 'banned' }, { authid: t.string().primaryKey() }) });
  export default app;
  export const ban = app.rpc('com.ban', (ctx, authid) => ctx.withTx((tx) => void tx.db.banned.insert({ authid })));
  export const realm = app.realm({ authorize: ${authorize} });
`;

async function publish(program: string): Promise<void> {
  const target = server.database('app');
  const publisher = server.owner.identity;
  const result = await server.catalog.publish({ target, name: 'app', publisher, program, clear: false });
  expect(result.kind).toMatch(/created|updated/);
}

describe('the realm of a published module', () => {
  const looksAtTables = `(ctx, { action, uri }) => {
    if (ctx.authrole === 'owner') return true;
    if (uri === 'com.crash') throw new Error('out of order');
    if (uri === 'com.write') ctx.db.banned.insert({ authid: 'x' });
    const isBanned = ctx.db.banned.authid.find(ctx.authid) !== null;
    return !isBanned && action === 'subscribe' ? { allow: true, cacheMs: 60000 } : false;
  }`;

  it('is what its authorize hook allows, by its tables; a new module is asked anew', async () => {
    await start(loadModule({ default: app }), { databases: {} });
    await publish(published(looksAtTables));
    const [peer, owner] = [await join(), await joinAsOwner()];
    const subscribe = async (topic: string): Promise<unknown> => {
      const fields = await peer.ask(32, {}, topic);
      return fields[0] === 33 ? 'subscribed' : fields[4];
    };
    const denied = 'wamp.error.not_authorized';
    expect([await subscribe('com.a'), await subscribe('com.crash')]).toEqual(['subscribed', denied]);
    expect(await subscribe('com.write')).toBe(denied);
    expect(await peer.call('com.ban', ['x'])).toEqual([denied, ['not allowed to call']]);
    expect(await owner.call('com.ban', [peer.welcome['authid']])).toEqual([]);
    expect([await subscribe('com.a'), await subscribe('com.b')]).toEqual(['subscribed', denied]);
    await publish(published(`() => Promise.resolve(false)`));
    expect(await subscribe('com.a')).toBe(denied);
    await publish(published(`({ authid }) => authid === ${JSON.stringify(peer.welcome['authid'])}`));
    expect(await subscribe('com.b')).toBe('subscribed');
    const crashes = server
      .database('app')!
      .moduleLog.tail()
      .map(({ message }) => message);
    expect(crashes).toEqual([
      expect.stringContaining('out of order'),
      expect.stringContaining('transaction'),
    ]);
  });

  it('ends with its database: members are told, handlers are aborted, nobody comes back in', async () => {
    let signal: AbortSignal | undefined;
    const wait = app.rpc('com.wait', (ctx) => {
      signal = ctx.signal;
      return new Promise(() => {});
    });
    await start(loadModule({ default: app, wait }));
    const peer = await join();
    peer.send(48, 1, {}, 'com.wait');
    await peer.drain();
    await server.catalog.delete(server.database('app')!);
    expect(await peer.next()).toEqual([6, {}, 'wamp.close.close_realm']);
    expect([signal?.aborted, server.wamp.realm('app')]).toEqual([true, undefined]);
    const late = await Peer.open({ router: server.wamp, url: '', port: 0, unixPath: '' }, overMemory);
    late.send(1, 'app', { roles: { caller: {} } });
    expect(await late.next()).toMatchObject({ 0: 3, 2: 'wamp.error.no_such_realm' });
  });

  it('a name that a database gives up is no realm any more; the other names stay', async () => {
    await start(loadModule({ default: app }));
    const database = server.database('app')!;
    await server.catalog.setNames(database, ['app', 'alias']);
    const peer = await join();
    await server.catalog.setNames(database, ['alias']);
    expect(await peer.next()).toEqual([6, {}, 'wamp.close.close_realm']);
    expect(server.wamp.findRealm('alias')).toBeDefined();
  });
});
