import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../base/clock.js';
import { makePackage, NOTE, PERSON, SET_NAME } from '../testing/async-package.js';
import { ME, ScriptedV1Server, tableUpdate } from '../testing/scripted-v1-server.js';
import { settle } from '../testing/scripted-server.js';
import { SpacetimeDBAsyncClient } from './spacetimedb-async-client.js';
import type { AsyncClientOptions } from './spacetimedb-async-client.js';

const ada = { id: 1, name: 'Ada', nick: undefined };
const bob = { id: 2, name: 'Bob', nick: 'B' };
const OK = { kind: 'committed', update: [] } as const;
const QUERIES = ['SELECT * FROM person', 'SELECT * FROM note'];

let server: ScriptedV1Server;
let clock: ManualClock;
let bindings: ReturnType<typeof makePackage>;
let client: SpacetimeDBAsyncClient;
let trace: string[];
const rejections: unknown[] = [];
const onRejection = (error: unknown): void => void rejections.push(error);

function makeClient(options: AsyncClientOptions = {}): SpacetimeDBAsyncClient {
  return new SpacetimeDBAsyncClient(bindings, {
    transport: server.transport,
    clock,
    log: (level, message, cause) =>
      trace.push(`${level}: ${message}${cause instanceof Error ? ` (${cause.message})` : ''}`),
    ...options,
  });
}

beforeEach(() => {
  process.on('unhandledRejection', onRejection);
  server = new ScriptedV1Server();
  clock = new ManualClock();
  bindings = makePackage();
  trace = [];
  client = makeClient();
  bindings.Person.registerRowUpdate((operation, before, after, event) =>
    trace.push(
      `${operation} ${before?.name ?? '-'} > ${after?.name ?? '-'} by ${event?.reducerName ?? 'nobody'}`,
    ),
  );
});

afterEach(async () => {
  client.forceClose();
  await settle();
  process.off('unhandledRejection', onRejection);
  expect(rejections.splice(0)).toEqual([]);
  expect(clock.pendingTimers).toBe(0);
});

function run(queries?: readonly string[]): Promise<string> {
  const promise =
    queries === undefined
      ? client.run('token', 'localhost:3000', 'chat', false, undefined)
      : client.run('token', 'localhost:3000', 'chat', false, undefined, queries);
  return promise.then(
    () => 'ended',
    (error: Error & { code?: string }) => `${error.name} ${error.code}: ${error.message}`,
  );
}

async function connected(): Promise<{ readonly running: Promise<string> }> {
  const running = run(QUERIES);
  await settle();
  server.applied(tableUpdate('person', PERSON, { inserts: [ada] }));
  await settle();
  trace.length = 0;
  return { running };
}

describe('run and connect', () => {
  test('run connects by its arguments, tells who we are, subscribes, and ends when the client is closed', async () => {
    const told: unknown[] = [];
    const running = client.run(undefined, 'example.org:8080', 'my db', true, (...args) => void told.push(...args), QUERIES);
    await settle();
    const { url, protocols, token } = server.requests[0]!;
    expect(url.href).toMatch(/^wss:\/\/example\.org:8080\/v1\/database\/my%20db\/subscribe\?compression=None&connection_id=[0-9a-f]{32}&confirmed=true$/);
    expect([protocols, token]).toEqual([['v1.bsatn.spacetimedb'], undefined]);
    expect(told).toEqual(['minted', ME, expect.objectContaining({ key: expect.any(String) })]);
    expect(client.identity).toBe(told[1]);
    expect(server.messages).toEqual([{ kind: 'subscribe', queries: QUERIES, requestId: 1 }]);
    server.applied();
    await settle();
    expect(client.isConnected).toBe(true);
    client.forceClose();
    await running;
    expect(server.closes).toEqual([1000]);
  }); // prettier-ignore

  test('nothing is subscribed by default, and a token of our own stays ours', async () => {
    let token = '';
    const running = client.run(
      'mine',
      'localhost:3000',
      'chat',
      false,
      (authToken) => void (token = authToken),
    );
    await settle();
    expect([server.messages, token, server.requests[0]!.token]).toEqual([[], 'mine', 'mine']);
    expect(server.requests[0]!.url.protocol).toBe('ws:');
    await client.close();
    await running;
  });

  test('connect resolves with who we are when the rows are there', async () => {
    const connecting = client.connect(undefined, 'localhost:3000', 'chat', false, QUERIES);
    await settle();
    server.applied(tableUpdate('person', PERSON, { inserts: [ada, bob] }));
    expect(await connecting).toMatchObject({ authToken: 'minted', identity: ME });
    expect([...bindings.Person.iter()]).toEqual([ada, bob]);
    await client.close();
  });

  test('a client lives once', async () => {
    const { running } = await connected();
    await expect(client.connect('t', 'localhost', 'chat', false)).rejects.toMatchObject({
      code: 'BAD_ARGUMENTS',
    });
    client.forceClose();
    client.forceClose();
    await client.close();
    expect(await running).toBe('ended');
    await expect(client.connect('t', 'localhost', 'chat', false)).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test.each(['', 'http://localhost:3000', 'localhost:3000/x', 'a b', 'localhost:99999', 'u@h', 'h?x', 'h#x'])(
    'the host %j is refused before anything is opened',
    async (host) => {
      await expect(client.connect(undefined, host, 'chat', false)).rejects.toMatchObject({
        name: 'SpacetimeDBException',
        code: 'BAD_ARGUMENTS',
      });
      expect(server.requests).toEqual([]);
    },
  );

  test('what is no generated package is refused', () => {
    for (const wrong of [{}, { a: 1 }, undefined, 'User']) {
      expect(() => new SpacetimeDBAsyncClient(wrong as object)).toThrow(/is not a package that .* wrote/);
    }
  });

  test('a package belongs to one client at a time', async () => {
    const { running } = await connected();
    expect(() => makeClient()).toThrow(/another client uses this package/);
    client.forceClose();
    await running;
    const older = makeClient();
    client = makeClient();
    await expect(older.connect('t', 'localhost', 'chat', false)).rejects.toThrow(
      /another client uses this package/,
    );
  });
});

describe('rows', () => {
  test('come with their operation, both rows and the reducer that did it', async () => {
    const running = run(QUERIES);
    client.registerOnSubscriptionApplied(() => trace.push('applied'));
    await settle();
    server.applied(tableUpdate('person', PERSON, { inserts: [ada] }));
    const update = tableUpdate('person', PERSON, {
      deletes: [ada],
      inserts: [{ ...ada, name: 'Ada L' }, bob],
    });
    server.ran({ kind: 'committed', update: [update] }, 'somebody', {
      reducer: 'set_name', params: SET_NAME, args: { id: 1, name: 'Ada L' },
    }); // prettier-ignore
    server.ran({ kind: 'committed', update: [tableUpdate('person', PERSON, { deletes: [bob] })] }, 'schedule', {
      reducer: 'unheard_of', params: {}, args: {},
    }); // prettier-ignore
    await settle();
    expect(trace).toEqual([
      'insert - > Ada by nobody',
      'applied',
      'update Ada > Ada L by set_name',
      'insert - > Bob by set_name',
      'delete Bob > - by unheard_of',
    ]);
    expect(bindings.Person.filterById(1)).toEqual({ ...ada, name: 'Ada L' });
    expect(bindings.Person.filterById(2)).toBeUndefined();
    expect(bindings.Person.filterByName('Ada L')).toHaveLength(1);
    expect(bindings.Person.filterByName('Ada')).toEqual([]);
    expect(Object.keys(bindings.Person).filter((key) => key.startsWith('filterBy'))).toEqual([
      'filterById',
      'filterByName',
    ]);
    client.forceClose();
    await running;
  });

  test('subscribe replaces the queries; only what really changed is told', async () => {
    await connected();
    client.client.registerOnSubscriptionApplied(() => trace.push('applied'));
    const subscribing = client.subscribe(['SELECT * FROM person WHERE id < 3']);
    await settle();
    server.applied(
      tableUpdate('person', PERSON, { inserts: [ada, bob] }),
      tableUpdate('note', NOTE, { inserts: [{ author: 1, text: 'x' }] }),
    );
    await subscribing;
    expect(trace.splice(0)).toEqual(['insert - > Bob by nobody', 'applied']);
    void client.subscribe([]);
    await settle();
    server.applied(tableUpdate('person', PERSON, { inserts: [{ ...bob, name: 'Rob' }] }));
    await settle();
    expect(trace).toEqual(['delete Ada > - by nobody', 'update Bob > Rob by nobody', 'applied']);
    expect([...bindings.Note.iter()]).toEqual([]);
  });

  test('a row that two queries hold goes when both have lost it', async () => {
    await connected();
    const both = tableUpdate('note', NOTE, { inserts: [{ author: 1, text: 'x' }] });
    const twice = { ...both, updates: [...both.updates, ...both.updates] };
    server.ran({ kind: 'committed', update: [twice] }, 'somebody');
    const gone = tableUpdate('note', NOTE, { deletes: [{ author: 1, text: 'x' }] });
    server.ran({ kind: 'committed', update: [gone] }, 'somebody');
    await settle();
    expect([...bindings.Note.iter()]).toHaveLength(1);
    server.ran({ kind: 'committed', update: [gone] }, 'somebody');
    await settle();
    expect([...bindings.Note.iter()]).toEqual([]);
  });

  test('rows of an event table are told and not kept', async () => {
    const texts: unknown[] = [];
    bindings.Alarm.registerRowUpdate((operation, _, row) => texts.push(operation, row?.text));
    await connected();
    const update = tableUpdate('alarm', { text: NOTE.text }, { inserts: [{ text: 'fire' }] });
    server.ran({ kind: 'committed', update: [update] }, 'somebody');
    await settle();
    expect([texts, [...bindings.Alarm.iter()]]).toEqual([['insert', 'fire'], []]);
  });

  test('a transaction without a caller (light) changes rows without an event', async () => {
    await connected();
    const update = [tableUpdate('person', PERSON, { inserts: [bob] })];
    server.send({ kind: 'transactionUpdateLight', requestId: 0, update });
    await settle();
    expect(trace).toEqual(['insert - > Bob by nobody']);
  });

  test('there are none before a client was made', () => {
    expect(() => makePackage().Person.iter()).toThrow(
      /make a SpacetimeDBAsyncClient with this package first/,
    );
  });
});

describe('reducers', () => {
  const watch = (): void =>
    bindings.setNameReducer.reducer.register((identity, address, status, message, id, name) =>
      trace.push(
        `set_name(${id}, ${name}) by ${identity.isEqual(ME) ? 'me' : 'somebody'} ` +
          `at ${address === undefined ? 'nowhere' : 'an address'}: ${status} ${message ?? '-'}`,
      ),
    );

  test('a callback hears who called, from where, how it ended, why, and the arguments', async () => {
    watch();
    await connected();
    const call = { reducer: 'set_name', params: SET_NAME, args: { id: 4, name: 'D' } };
    const update = [tableUpdate('person', PERSON, { inserts: [bob] })];
    server.ran({ kind: 'committed', update }, 'somebody', call);
    bindings.setNameReducer.reducer.call(1, '');
    await settle();
    server.ran({ kind: 'failed', error: 'no name' }, 'client');
    server.ran({ kind: 'outOfEnergy' }, 'client');
    const later = [tableUpdate('person', PERSON, { deletes: [bob] })];
    server.ran({ kind: 'committed', update: later }, 'schedule', call);
    await settle();
    expect(trace.filter((line) => line.startsWith('set_name'))).toEqual([
      'set_name(4, D) by somebody at an address: committed -',
      'set_name(1, ) by me at an address: failed no name',
      'set_name(1, ) by me at an address: outofenergy -',
      'set_name(4, D) by somebody at nowhere: committed -',
    ]);
  });

  test('a call that succeeded and changed nothing of ours is not told, except to registerOnEvent', async () => {
    watch();
    await connected();
    const onEvent = (event: { reducerName: string; status: string; args: readonly unknown[] }): void =>
      void trace.push(`event ${event.reducerName} ${event.status} ${JSON.stringify(event.args)}`);
    client.client.registerOnEvent(onEvent);
    bindings.setNameReducer.reducer.call(1, 'Ada');
    await settle();
    server.ran(OK, 'client');
    await settle();
    client.client.unregisterOnEvent(onEvent);
    server.ran(OK, 'client');
    await settle();
    expect(trace).toEqual(['event set_name committed [1,"Ada"]']);
  });

  test('callReducer resolves with the event, also of a failure, after rows and callbacks', async () => {
    watch();
    await connected();
    const calling = client.callReducer('set_name', 1, 'Bob').then((event) => {
      trace.push(`resolved ${event.status} ${event.message ?? '-'}`);
      return event;
    });
    await settle();
    expect(server.calls).toMatchObject([{ reducer: 'set_name', noSuccessNotify: false }]);
    server.ran({ kind: 'committed', update: [tableUpdate('person', PERSON, { inserts: [bob] })] }, 'client');
    expect(await calling).toMatchObject({ callerIdentity: ME, reducerName: 'set_name', args: [1, 'Bob'] });
    const failing = client.callReducer('tick');
    await settle();
    server.ran({ kind: 'failed', error: 'not now' }, 'client');
    expect(await failing).toMatchObject({ status: 'failed', message: 'not now', args: [] });
    expect(trace).toEqual([
      'insert - > Bob by set_name',
      'set_name(1, Bob) by me at an address: committed -',
      'resolved committed -',
    ]);
  });

  test('calls that cannot be made are refused with a reason', async () => {
    const code = (call: Promise<unknown>): Promise<unknown> => call.catch((error: unknown) => error);
    expect(await code(client.callReducer('tick'))).toMatchObject({ code: 'NOT_CONNECTED' });
    expect(() => makePackage().tickReducer.reducer.call()).toThrow(/make a SpacetimeDBAsyncClient/);
    await connected();
    expect(await code(client.callReducer('set_nam', 1, 'x'))).toMatchObject({
      code: 'BAD_ARGUMENTS', message: 'the package has no reducer `set_nam` (did you mean `set_name`?)',
    }); // prettier-ignore
    expect(await code(client.callReducer('set_name', 1))).toMatchObject({
      message: '`set_name` takes id, name; it was given 1 of 2',
    });
    expect(await code(client.callReducer('set_name', 'x', 'y'))).toMatchObject({ code: 'BAD_ARGUMENTS' });
    expect(() => bindings.setNameReducer.reducer.call(-1, 'x')).toThrow(/cannot call `set_name`/);
    expect(server.calls).toEqual([]);
    client.forceClose();
    expect(await code(client.callReducer('tick'))).toMatchObject({ code: 'CLOSED' });
  });

  test('an answer that does not come is a timeout after 5 s', async () => {
    await connected();
    const calling = client.callReducer('tick').catch((error: unknown) => error);
    await settle();
    clock.advance(4999);
    await settle();
    clock.advance(1);
    expect(await calling).toMatchObject({ name: 'SpacetimeDBException', code: 'TIMEOUT' });
    server.ran(OK, 'client');
    await settle();
    expect(client.isConnected).toBe(true);
  });

  test('what a package does not know is reported, and its rows change all the same', async () => {
    watch();
    await connected();
    const wrong = { reducer: 'set_name', params: { id: SET_NAME.id }, args: { id: 4 } };
    server.ran(
      { kind: 'committed', update: [tableUpdate('person', PERSON, { inserts: [bob] })] },
      'somebody',
      wrong,
    );
    await settle();
    expect(trace[0]).toMatch(/^error: the arguments of `set_name` do not fit the package/);
    expect(trace[1]).toBe('insert - > Bob by set_name');
  });
});

describe('callbacks', () => {
  test('one that throws or rejects is reported and stops nobody', async () => {
    const wrong = (): never => {
      throw new Error('oops');
    };
    client.client.registerOnSubscriptionApplied(wrong);
    client.client.registerOnSubscriptionApplied(() => Promise.reject(new Error('later')));
    client.client.registerOnSubscriptionApplied(() => trace.push('applied'));
    const running = client.run('t', 'localhost', 'chat', false, wrong, QUERIES);
    await settle();
    server.applied();
    await settle();
    expect(trace).toEqual([
      'error: onConnect threw (oops)',
      'error: a callback threw (oops)',
      'applied',
      'error: a callback threw (later)',
    ]);
    client.forceClose();
    await running;
  });

  test('what was unregistered is not called', async () => {
    const callback = (): void => void trace.push('called');
    client.registerOnSubscriptionApplied(callback);
    client.unregisterOnSubscriptionApplied(callback);
    bindings.Note.registerRowUpdate(callback);
    bindings.Note.unregisterRowUpdate(callback);
    bindings.tickReducer.reducer.register(callback);
    bindings.tickReducer.reducer.unregister(callback);
    await connected();
    const update = [tableUpdate('note', NOTE, { inserts: [{ author: 1, text: 'x' }] })];
    server.ran({ kind: 'committed', update }, 'somebody', { reducer: 'tick', params: {}, args: {} });
    await settle();
    expect(trace).toEqual([]);
  });
});

describe('scheduled events', () => {
  test('fire in their order with their arguments; what was scheduled before counts from the connection on', async () => {
    client.scheduleEvent(0.2, (text: string) => trace.push(text), 'second');
    client.scheduleEvent(0.1, (a: number, b: number) => trace.push(`first ${a + b}`), 1, 2);
    clock.advance(1000);
    await connected();
    client.scheduleEvent(0, () => trace.push('at once'));
    clock.advance(99);
    expect(trace).toEqual(['at once']);
    clock.advance(1);
    clock.advance(100);
    expect(trace).toEqual(['at once', 'first 3', 'second']);
  });

  test('repeat by scheduling themselves again', async () => {
    await connected();
    let count = 0;
    const tick = (): void => {
      count++;
      client.scheduleEvent(0.1, tick);
    };
    client.scheduleEvent(0.1, tick);
    clock.advance(1000);
    expect(count).toBe(10);
  });

  test('are what was scheduled, when', () => {
    const callback = (): void => undefined;
    const event = client.scheduleEvent(1.5, callback);
    expect([event.callback, event.args]).toEqual([callback, []]);
    expect(event.datetime.getTime()).toBe(clock.nowMicros() / 1000 + 1500);
  });

  test.each([-1, Number.NaN, Infinity])('a delay of %d is refused', (delay) => {
    expect(() => client.scheduleEvent(delay, () => undefined)).toThrow(RangeError);
  });

  test('delays longer than a platform timer holds are kept', async () => {
    await connected();
    client.scheduleEvent(60 * 24 * 3600, () => trace.push('in 60 days'));
    clock.advance(60 * 24 * 3600 * 1000 - 1);
    expect(trace).toEqual([]);
    clock.advance(1);
    expect(trace).toEqual(['in 60 days']);
  });

  test('one that throws is reported, and the client goes on', async () => {
    await connected();
    client.scheduleEvent(0, () => {
      throw new Error('oops');
    });
    client.scheduleEvent(0, () => Promise.reject(new Error('later')));
    clock.advance(1);
    await settle();
    expect(trace).toEqual([
      'error: a scheduled event threw (oops)',
      'error: a scheduled event threw (later)',
    ]);
    expect(client.isConnected).toBe(true);
  });
});

describe('the end', () => {
  test('after forceClose nothing fires and nothing waits', async () => {
    const { running } = await connected();
    const calling = client.callReducer('tick').catch((error: unknown) => error);
    const subscribing = client.subscribe(QUERIES).catch((error: unknown) => error);
    client.scheduleEvent(0.1, () => trace.push('event'));
    server.ran(
      { kind: 'committed', update: [tableUpdate('person', PERSON, { inserts: [bob] })] },
      'somebody',
    );
    client.forceClose();
    expect(await calling).toMatchObject({ code: 'CLOSED' });
    expect(await subscribing).toMatchObject({ code: 'CLOSED' });
    expect(await running).toBe('ended');
    clock.advance(1000);
    client.scheduleEvent(0, () => trace.push('late event'));
    clock.advance(1000);
    expect(trace).toEqual([]);
  });

  test('a callback that closes is the last one', async () => {
    const running = run(QUERIES);
    await settle();
    bindings.Person.registerRowUpdate(() => {
      trace.push('closing');
      client.forceClose();
    });
    bindings.Person.registerRowUpdate(() => trace.push('one more'));
    client.registerOnSubscriptionApplied(() => trace.push('applied'));
    server.applied(tableUpdate('person', PERSON, { inserts: [ada, bob] }));
    await settle();
    expect(trace).toEqual(['insert - > Ada by nobody', 'closing']);
    expect(await running).toBe('ended');
  });

  test('close waits for calls in flight, but for no event', async () => {
    const { running } = await connected();
    client.scheduleEvent(0.1, () => trace.push('event'));
    const calling = client.callReducer('tick').then((event) => trace.push(event.status));
    const closing = client.close().then(() => trace.push('closed'));
    await settle();
    clock.advance(200);
    expect(server.closes).toEqual([]);
    server.ran(OK, 'client');
    await Promise.all([calling, closing]);
    expect(trace).toEqual(['committed', 'closed']);
    expect(await running).toBe('ended');
  });

  test('a server that does not answer does not keep close from ending', async () => {
    await connected();
    client.callReducer('tick').catch((error: { code: string }) => trace.push(error.code));
    const closing = client.close();
    await settle();
    clock.advance(5000);
    await closing;
    expect(trace).toEqual(['TIMEOUT']);
  });

  test('closing while connecting ends run and rejects connect', async () => {
    server = new ScriptedV1Server({ greets: false });
    client = makeClient();
    const running = run(QUERIES);
    await settle();
    client.forceClose();
    expect(await running).toBe('ended');
    client = makeClient();
    const connecting = client.connect('t', 'localhost', 'chat', false);
    client.forceClose();
    await expect(connecting).rejects.toMatchObject({ code: 'CLOSED' });
  });

  test('closing while subscribing ends run', async () => {
    const running = run(QUERIES);
    await settle();
    client.forceClose();
    expect(await running).toBe('ended');
  });

  test('closing before anything was begun', async () => {
    client.scheduleEvent(0, () => trace.push('event'));
    await client.close();
    await expect(client.connect('t', 'localhost', 'chat', false)).rejects.toMatchObject({ code: 'CLOSED' });
    expect(trace).toEqual([]);
  });
});

describe('clear errors', () => {
  test('a server that disappears between connect and subscribe', async () => {
    const running = run(QUERIES);
    await settle();
    server.close(1006);
    expect(await running).toBe('SpacetimeDBException DISCONNECTED: the connection closed (1006)');
    expect(trace).toEqual([]);
  });

  test('a connection that breaks later ends run, calls and events', async () => {
    const { running } = await connected();
    client.scheduleEvent(0.1, () => trace.push('event'));
    const calling = client.callReducer('tick').catch((error: unknown) => error);
    server.close(1001, 'module exited');
    expect(await running).toMatch(/^SpacetimeDBException DISCONNECTED: .*\(1001: module exited\)$/);
    expect(await calling).toMatchObject({ code: 'DISCONNECTED' });
    clock.advance(1000);
    expect(trace).toEqual([]);
  });

  test('a server that never answers', async () => {
    server = new ScriptedV1Server({ greets: false });
    client = makeClient();
    const running = run(QUERIES);
    await settle();
    clock.advance(15_000);
    expect(await running).toMatch(/^SpacetimeDBException TIMEOUT: .*not connected within 15000 ms$/);
  });

  test('a server that does not speak v1', async () => {
    server = new ScriptedV1Server({ protocol: 'v2.bsatn.spacetimedb', greets: false });
    client = makeClient();
    expect(await run(QUERIES)).toMatch(/^SpacetimeDBException CONNECT_FAILED: .*does not speak v1.bsatn/);
  });

  test('queries that are refused at the start, and later', async () => {
    const refused = run(QUERIES);
    await settle();
    server.refuse('no such table');
    expect(await refused).toMatch(/^SpacetimeDBException SUBSCRIPTION: .*no such table$/);
    client = makeClient();
    const { running } = await connected();
    void client.subscribe(['SELECT']);
    await settle();
    server.refuse('not SQL');
    await settle();
    expect(trace).toEqual(['error: subscription failed: not SQL']);
    expect(client.isConnected).toBe(true);
    client.forceClose();
    expect(await running).toBe('ended');
  });

  test('a subscription that the server drops ends the client: its rows would never change again', async () => {
    const { running } = await connected();
    server.send({
      kind: 'subscriptionError', durationMicros: 1, requestId: undefined, queryId: undefined, tableId: undefined, error: 'broken',
    }); // prettier-ignore
    expect(await running).toMatch(/^SpacetimeDBException SUBSCRIPTION: .*broken$/);
  });

  test.each([
    ['nothing', []],
    ['a compressed frame', [1, 2, 3]],
    ['an unknown message', [0, 99]],
    ['half a message', [0, 3, 1, 2]],
  ])('a server that sends %s', async (_, bytes) => {
    const { running } = await connected();
    server.sendRaw(new Uint8Array(bytes));
    expect(await running).toMatch(/^SpacetimeDBException PROTOCOL: /);
    expect(server.closes).toEqual([4002]);
  });
});
