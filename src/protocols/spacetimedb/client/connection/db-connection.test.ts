import { afterEach, describe, expect, test, vi } from 'vitest';
import { ManualClock } from '../../../../base/clock.js';
import type { ProblemLog } from '../errors.js';
import { ConnectionError, InternalError, SenderError } from '../errors.js';
import { ChatConnection, tables } from '../testing/chat-bindings.js';
import { changes, rowsOf, ScriptedServer, settle } from '../testing/scripted-server.js';

const ADA = { id: 1, name: 'ada', nickName: undefined };
const BOB = { id: 2, name: 'bob', nickName: 'bo' };

const problems: string[] = [];
const log: ProblemLog = (_level, message) => void problems.push(message);

async function connect(server = new ScriptedServer(), clock = new ManualClock()) {
  const trace: string[] = [];
  const conn = ChatConnection.builder()
    .withUri('http://localhost:3000')
    .withDatabaseName('chat')
    .withTransport(server.transport)
    .withClock(clock)
    .withLog(log)
    // Coming back is for reconnect.test.ts.
    .withReconnect(false)
    .onConnect((_, identity, token) => trace.push(`connect ${identity.__identity__} ${token}`))
    .onConnectError((_, error) => trace.push(`connectError ${error.message}`))
    .onDisconnect((_, error) => trace.push(`disconnect ${error?.message}`))
    .build();
  conn.db.user.onInsert((ctx, row) => trace.push(`+ user ${row.id} "${row.name}" ${ctx.event.tag}`));
  conn.db.user.onDelete((ctx, row) => trace.push(`- user ${row.id} "${row.name}" ${ctx.event.tag}`));
  conn.db.user.onUpdate((_, old, row) => trace.push(`~ user ${old.id} "${old.name}" -> "${row.name}"`));
  await settle();
  return { conn, server, trace, clock };
}

/** A connection that holds ada and bob by query set 1. */
async function subscribed() {
  const setup = await connect();
  setup.conn
    .subscriptionBuilder()
    .onApplied(() => setup.trace.push(`applied, ${setup.conn.db.user.count()} cached`))
    .subscribe('SELECT * FROM user');
  await settle();
  setup.server.send({
    kind: 'subscribeApplied',
    requestId: 1,
    querySetId: 1,
    tables: [{ table: 'user', rows: rowsOf('user', ADA, BOB) }],
  });
  await settle();
  setup.trace.length = 0;
  return setup;
}

afterEach(() => {
  expect(problems.splice(0)).toEqual([]);
});

describe('connecting', () => {
  test('asks for v3 that resumes before v3 before v2, uncompressed, under an id of its own', async () => {
    const { conn, server, trace } = await connect();
    const [{ url, protocols, token }] = server.requests as [(typeof server.requests)[0]];
    expect(url.pathname).toBe('/v1/database/chat/subscribe');
    expect(url.protocol).toBe('ws:');
    expect(url.searchParams.get('compression')).toBe('None');
    expect(url.searchParams.get('connection_id')).toBe(conn.connectionId.toHexString());
    expect(protocols).toEqual(['v3.bsatn.chorale', 'v3.bsatn.spacetimedb', 'v2.bsatn.spacetimedb']);
    expect(token).toBeUndefined();
    expect(trace).toEqual(['connect 7 minted']);
    expect(conn.isActive).toBe(true);
    expect(conn.token).toBe('minted');
  });

  test('what is asked before the connection is open leaves with its first frame', async () => {
    const server = new ScriptedServer();
    const conn = ChatConnection.builder()
      .withUri('ws://localhost:3000/')
      .withDatabaseName('a/b')
      .withToken('mine')
      .withConfirmedReads(false)
      .withTransport(server.transport)
      .build();
    conn.subscriptionBuilder().subscribe(tables.user);
    void conn.reducers.ping();
    await settle();
    expect(server.frames.map((frame) => frame.map((m) => m.kind))).toEqual([['subscribe', 'callReducer']]);
    expect(server.requests[0]!.url.pathname).toBe('/v1/database/a%2Fb/subscribe');
    expect(server.requests[0]!.url.searchParams.get('confirmed')).toBe('false');
    expect(conn.token).toBe('mine');
    conn.disconnect();
  });

  test('a refusal rejects what waits and is told once', async () => {
    const server = new ScriptedServer({ greets: false });
    const { conn, trace } = await connect(server);
    const call = conn.reducers.ping();
    const onError = vi.fn();
    conn.subscriptionBuilder().onError(onError).subscribe('SELECT * FROM user');
    server.close(1006);
    await expect(call).rejects.toMatchObject({ code: 'CONNECT_FAILED', closeCode: 1006 });
    expect(trace).toEqual(['connectError the connection could not be made (1006)']);
    expect(onError).toHaveBeenCalledOnce();
    expect(conn.isActive).toBe(false);
  });

  test('a server that says nothing is given up', async () => {
    const { conn, server, trace, clock } = await connect(new ScriptedServer({ greets: false }));
    clock.advance(15_000);
    expect(trace).toEqual(['connectError not connected within 15000 ms']);
    await settle();
    expect(server.closes).toEqual([1000]);
    expect(conn.isActive).toBe(false);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('the cache', () => {
  test('is complete when onApplied runs, and rows are told after it', async () => {
    const { conn, server, trace } = await connect();
    const handle = conn
      .subscriptionBuilder()
      .onApplied((ctx) => trace.push(`applied ${conn.db.user.count()} ${ctx.event.tag}`))
      .subscribe(['SELECT * FROM user', tables.user.where((r) => r.id.eq(1))]);
    await settle();
    expect(server.messages).toEqual([
      {
        kind: 'subscribe',
        requestId: 1,
        querySetId: 1,
        queries: ['SELECT * FROM user', 'SELECT * FROM "user" WHERE "user"."id" = 1'],
      },
    ]);
    expect(handle.isActive()).toBe(false);
    server.send({
      kind: 'subscribeApplied',
      requestId: 1,
      querySetId: 1,
      tables: [
        { table: 'user', rows: rowsOf('user', ADA, BOB) },
        { table: 'user', rows: rowsOf('user', ADA) },
      ],
    });
    await settle();
    expect(trace.slice(1)).toEqual([
      'applied 2 SubscribeApplied',
      '+ user 1 "ada" SubscribeApplied',
      '+ user 2 "bob" SubscribeApplied',
    ]);
    expect(handle.isActive()).toBe(true);
    expect([...conn.db.user.iter()]).toEqual([ADA, BOB]);
    expect(conn.db.user.id.find(2)).toEqual(BOB);
    expect(conn.db.user.name.find('ada')).toEqual(ADA);
    expect(conn.db.user.id.find(3)).toBeNull();
  });

  test('a row leaves when the last query that holds it lets go', async () => {
    const { conn, server, trace } = await subscribed();
    conn.subscriptionBuilder().subscribe('SELECT * FROM user WHERE id = 1');
    const held = [{ table: 'user', rows: rowsOf('user', ADA) }];
    server.send({ kind: 'subscribeApplied', requestId: 2, querySetId: 2, tables: held });
    server.send({ kind: 'transactionUpdate', querySets: [changes(2, 'user', { deletes: [ADA] })] });
    await settle();
    expect(trace).toEqual([]);
    server.send({ kind: 'transactionUpdate', querySets: [changes(1, 'user', { deletes: [ADA] })] });
    await settle();
    expect(trace).toEqual(['- user 1 "ada" Transaction']);
    expect(conn.db.user.count()).toBe(1n);
  });

  test('a delete and an insert of one primary key are an update, over all query sets of the message', async () => {
    const { conn, server, trace } = await subscribed();
    const renamed = { ...ADA, name: 'lovelace' };
    server.send({
      kind: 'transactionUpdate',
      querySets: [changes(1, 'user', { deletes: [ADA] }), changes(2, 'user', { inserts: [renamed] })],
    });
    await settle();
    expect(trace).toEqual(['~ user 1 "ada" -> "lovelace"']);
    expect(conn.db.user.name.find('lovelace')).toEqual(renamed);
    expect(conn.db.user.name.find('ada')).toBeNull();
  });

  test('all tables have changed before anybody is told', async () => {
    const { conn, server } = await subscribed();
    const seen: string[] = [];
    conn.db.note.onInsert(() => seen.push(`${conn.db.user.count()} users, ${conn.db.note.count()} notes`));
    server.send({
      kind: 'transactionUpdate',
      querySets: [
        changes(1, 'note', { inserts: [{ author: 1, text: 'a', stars: 5 }] }),
        changes(1, 'user', { deletes: [BOB] }),
      ],
    });
    await settle();
    expect(seen).toEqual(['1 users, 1 notes']);
  });

  test('rows without a primary key are counted by their bytes', async () => {
    const { conn, server } = await subscribed();
    const note = { author: 1, text: 'hi', stars: 3 };
    server.send({ kind: 'transactionUpdate', querySets: [changes(1, 'note', { inserts: [note, note] })] });
    server.send({ kind: 'transactionUpdate', querySets: [changes(1, 'note', { deletes: [note] })] });
    await settle();
    expect([...conn.db.note]).toEqual([note]);
    expect(Array.from(conn.db.note.byAuthor.filter(1))).toEqual([note]);
    expect(Array.from(conn.db.note.byAuthor.filter([1, 3]))).toEqual([note]);
    expect(Array.from(conn.db.note.byAuthor.filter([1, 4]))).toEqual([]);
  });

  test('rows of event tables are told and not kept', async () => {
    const { conn, server } = await subscribed();
    const seen: string[] = [];
    conn.db.loudAlarm.onInsert((_, row) => seen.push(row.text));
    const events = rowsOf('loudAlarm', { text: 'fire' });
    server.send({
      kind: 'transactionUpdate',
      querySets: [{ querySetId: 1, tables: [{ table: 'loud_alarm', rows: [{ kind: 'event', events }] }] }],
    });
    await settle();
    expect(seen).toEqual(['fire']);
    expect(conn.db.loudAlarm.count()).toBe(0n);
  });

  test('a callback that throws is reported and the others are called', async () => {
    const { conn, server, trace } = await subscribed();
    conn.db.user.onDelete(() => {
      throw new Error('mine');
    });
    conn.db.user.onDelete(() => trace.push('second'));
    server.send({ kind: 'transactionUpdate', querySets: [changes(1, 'user', { deletes: [ADA] })] });
    await settle();
    expect(trace).toEqual(['- user 1 "ada" Transaction', 'second']);
    expect(problems.splice(0)).toEqual(['a callback threw']);
    expect(conn.isActive).toBe(true);
  });

  test('a removed callback is not called', async () => {
    const { conn, server } = await subscribed();
    const callback = vi.fn();
    conn.db.user.onDelete(callback);
    conn.db.user.removeOnDelete(callback);
    server.send({ kind: 'transactionUpdate', querySets: [changes(1, 'user', { deletes: [ADA] })] });
    await settle();
    expect(callback).not.toHaveBeenCalled();
  });

  test('what does not fit is reported: an unknown table, a row deleted twice, a row that differs', async () => {
    const { server } = await subscribed();
    const note = rowsOf('note', { author: 1, text: 'a', stars: 1 });
    server.send({
      kind: 'transactionUpdate',
      querySets: [
        { querySetId: 1, tables: [{ table: 'nope', rows: [{ kind: 'event', events: note }] }] },
        changes(1, 'user', { deletes: [ADA, ADA] }),
        changes(1, 'user', { inserts: [{ ...BOB, name: 'eve' }] }),
        changes(1, 'note', { deletes: [{ author: 9, text: '', stars: 0 }] }),
      ],
    });
    await settle();
    expect(problems.splice(0)).toEqual([
      'the server sends rows of `nope`, which these bindings do not know: generate them again',
      'the server deletes a row of `user` more often than it inserted it',
      'the server inserts a row of `user` that differs from the one in the cache',
      'the server deletes a row of `note` that is not in the cache',
    ]);
  });
});

describe('calls', () => {
  test('those of one microtask leave in one frame on v3, in one frame each on v2', async () => {
    for (const [protocol, frames] of [
      ['v3.bsatn.spacetimedb', 1],
      ['v2.bsatn.spacetimedb', 2],
      ['', 2],
    ] as const) {
      const { conn, server } = await connect(new ScriptedServer({ protocol }));
      void conn.reducers.setName({ id: 1, name: 'x' });
      void conn.reducers.ping();
      await settle();
      expect(server.frames).toHaveLength(frames);
      expect(server.messages).toMatchObject([
        { kind: 'callReducer', requestId: 1, reducer: 'set_name' },
        { kind: 'callReducer', requestId: 2, reducer: 'ping', args: new Uint8Array(0) },
      ]);
    }
  });

  test('rows of the own reducer are told before its promise resolves', async () => {
    const { conn, server, trace } = await subscribed();
    conn.db.user.onUpdate((ctx) => {
      if (ctx.event.tag !== 'Reducer') return;
      const { reducer, timestamp } = ctx.event.value;
      trace.push(`by ${reducer.name} ${JSON.stringify(reducer.args)} at ${timestamp.microsSinceUnixEpoch}`);
    });
    const call = conn.reducers.setName({ id: 1, name: 'lovelace' }).then(() => trace.push('resolved'));
    await settle();
    server.send({
      kind: 'reducerResult',
      requestId: 2,
      timestampMicros: 1000,
      outcome: {
        kind: 'ok',
        returned: new Uint8Array(0),
        querySets: [changes(1, 'user', { deletes: [ADA], inserts: [{ ...ADA, name: 'lovelace' }] })],
      },
    });
    await call;
    expect(trace).toEqual([
      '~ user 1 "ada" -> "lovelace"',
      'by set_name {"id":1,"name":"lovelace"} at 1000',
      'resolved',
    ]);
  });

  test('reject with what the module or the server said', async () => {
    const { conn, server } = await connect();
    const refused = conn.reducers.ping();
    const broken = conn.reducers.ping();
    const empty = conn.reducers.ping();
    await settle();
    const timestampMicros = 0;
    server.send(
      {
        kind: 'reducerResult',
        requestId: 1,
        timestampMicros,
        outcome: { kind: 'err', error: Uint8Array.of(4, 0, 0, 0, 0x6e, 0x6f, 0x70, 0x65) },
      },
      {
        kind: 'reducerResult',
        requestId: 2,
        timestampMicros,
        outcome: { kind: 'internalError', error: 'boom' },
      },
      { kind: 'reducerResult', requestId: 3, timestampMicros, outcome: { kind: 'okEmpty' } },
    );
    await expect(refused).rejects.toEqual(new SenderError('nope'));
    await expect(broken).rejects.toEqual(new InternalError('boom'));
    await expect(empty).resolves.toBeUndefined();
  });

  test('a procedure returns its value', async () => {
    const { conn, server } = await connect();
    const sum = conn.procedures.addUp({ a: 1, b: 2 });
    await settle();
    expect(server.messages).toMatchObject([{ kind: 'callProcedure', procedure: 'add_up' }]);
    server.send({
      kind: 'procedureResult',
      requestId: 1,
      timestampMicros: 0,
      durationMicros: 1,
      status: { kind: 'returned', value: Uint8Array.of(3, 0, 0, 0, 0, 0, 0, 0) },
    });
    await expect(sum).resolves.toBe(3n);
  });

  test('arguments that do not fit reject at once, send nothing, and leave the others whole', async () => {
    const { conn, server } = await connect();
    void conn.reducers.ping();
    // @ts-expect-error -- a wrong type, on purpose.
    const bad = conn.reducers.setName({ id: 'one', name: 'x' });
    await expect(bad).rejects.toMatchObject({ code: 'BAD_ARGUMENTS' });
    await settle();
    expect(server.messages).toMatchObject([{ reducer: 'ping' }]);
  });

  test('a call without an answer times out; its late answer still changes the cache', async () => {
    const { conn, server, clock, trace } = await subscribed();
    const early = conn.reducers.ping();
    clock.advance(20_000);
    const late = conn.reducers.ping();
    clock.advance(10_000);
    await expect(early).rejects.toMatchObject({ code: 'TIMEOUT' });
    server.send({
      kind: 'reducerResult',
      requestId: 2,
      timestampMicros: 0,
      outcome: {
        kind: 'ok',
        returned: new Uint8Array(0),
        querySets: [changes(1, 'user', { deletes: [BOB] })],
      },
    });
    await settle();
    expect(trace).toEqual(['- user 2 "bob" Transaction']);
    clock.advance(20_000);
    await expect(late).rejects.toMatchObject({ code: 'TIMEOUT' });
    expect(clock.pendingTimers).toBe(0);
  });

  test('more than the server would queue are refused', async () => {
    const { conn } = await connect();
    for (let i = 0; i < 16_384; i++) conn.reducers.ping().catch(() => undefined);
    await expect(conn.reducers.ping()).rejects.toMatchObject({ code: 'BACKLOG_FULL' });
    conn.disconnect();
  });
});

describe('subscriptions', () => {
  test('unsubscribing asks for the rows, and they leave after the end was told', async () => {
    const { conn, server, trace } = await subscribed();
    const handle = conn.subscriptionBuilder().subscribe('SELECT * FROM user');
    await settle();
    server.send({ kind: 'subscribeApplied', requestId: 2, querySetId: 2, tables: [] });
    await settle();
    handle.unsubscribeThen(() => trace.push(`ended, ${conn.db.user.count()} cached`));
    handle.unsubscribe();
    await settle();
    expect(server.messages.slice(2)).toEqual([
      { kind: 'unsubscribe', requestId: 3, querySetId: 2, sendDroppedRows: true },
    ]);
    server.send({
      kind: 'unsubscribeApplied',
      requestId: 3,
      querySetId: 2,
      tables: [{ table: 'user', rows: rowsOf('user', ADA) }],
    });
    await settle();
    expect(trace).toEqual(['ended, 1 cached', '- user 1 "ada" UnsubscribeApplied']);
    expect(handle.isEnded()).toBe(true);
  });

  test('one that ends before it was applied ends as soon as it is', async () => {
    const { conn, server } = await connect();
    const handle = conn.subscriptionBuilder().subscribe('SELECT * FROM user');
    handle.unsubscribe();
    await settle();
    server.send({ kind: 'subscribeApplied', requestId: 1, querySetId: 1, tables: [] });
    await settle();
    expect(server.messages.map((m) => m.kind)).toEqual(['subscribe', 'unsubscribe']);
  });

  test('a refused one tells its onError, or the log', async () => {
    const { conn, server } = await connect();
    const errors: string[] = [];
    const refuse = { kind: 'subscriptionError', requestId: 1, error: 'no such table' } as const;
    const handle = conn
      .subscriptionBuilder()
      .onError((ctx, error) => errors.push(`${ctx.event?.message} ${error.message}`))
      .subscribe('SELECT * FROM nope');
    conn.subscriptionBuilder().subscribe('SELECT * FROM nope');
    server.send({ ...refuse, querySetId: 1 }, { ...refuse, querySetId: 2 });
    await settle();
    expect(errors).toEqual(['no such table no such table']);
    expect(problems.splice(0)).toEqual(['subscription failed: no such table']);
    expect(handle.isEnded()).toBe(true);
    expect(conn.isActive).toBe(true);
  });

  test('one that fails while it runs ends the connection: its rows could never leave', async () => {
    const { server, trace } = await subscribed();
    server.send({ kind: 'subscriptionError', requestId: undefined, querySetId: 1, error: 'broken query' });
    await settle();
    expect(trace).toEqual(['disconnect broken query']);
    expect(problems.splice(0)).toEqual(['subscription failed: broken query']);
  });

  test('all tables are one query each', async () => {
    const { conn, server } = await connect();
    conn.subscriptionBuilder().subscribeToAllTables();
    await settle();
    expect(server.messages).toMatchObject([
      { queries: ['SELECT * FROM user', 'SELECT * FROM note', 'SELECT * FROM loud_alarm'] },
    ]);
  });
});

describe('the end', () => {
  test('the close code is told, and every pending call rejects', async () => {
    const { conn, server, trace, clock } = await subscribed();
    const call = conn.reducers.ping();
    server.close(1013, 'too many requests');
    await expect(call).rejects.toMatchObject({
      code: 'DISCONNECTED',
      closeCode: 1013,
      closeReason: 'too many requests',
    });
    expect(trace).toEqual(['disconnect the connection closed (1013: too many requests)']);
    await expect(conn.reducers.ping()).rejects.toBeInstanceOf(ConnectionError);
    expect(() => conn.subscriptionBuilder().subscribe('SELECT * FROM user')).toThrow(
      'the connection is closed',
    );
    expect(clock.pendingTimers).toBe(0);
  });

  test('our own disconnect is not an error, and what was called before still leaves', async () => {
    const { conn, server, trace } = await subscribed();
    const call = conn.reducers.ping();
    conn.disconnect();
    await expect(call).rejects.toMatchObject({ code: 'DISCONNECTED' });
    await settle();
    expect(trace).toEqual(['disconnect undefined']);
    expect(server.messages.at(-1)).toMatchObject({ reducer: 'ping' });
    expect(server.closes).toEqual([1000]);
    expect(conn.isActive).toBe(false);
  });

  test('disconnecting inside a callback stops the rest of the frame', async () => {
    const { conn, server, trace } = await subscribed();
    conn.db.user.onDelete(() => conn.disconnect());
    const gone = (row: object) =>
      ({ kind: 'transactionUpdate', querySets: [changes(1, 'user', { deletes: [row] })] }) as const;
    server.send(gone(ADA), gone(BOB));
    await settle();
    expect(trace).toEqual(['- user 1 "ada" Transaction', 'disconnect undefined']);
  });

  test.each([
    ['an unknown message', Uint8Array.of(0, 99), 'there is no server message 99 (at offset 1)'],
    ['an empty frame', new Uint8Array(0), 'need 1 bytes at offset 0, have 0'],
    ['a compressed frame', Uint8Array.of(2, 1, 2), 'a frame is compressed (2), which was not asked for'],
  ])('%s ends the connection and says why', async (_, frame, text) => {
    const { server, trace } = await subscribed();
    server.sendRaw(frame);
    await settle();
    expect(trace).toEqual([`disconnect ${text}`]);
    expect(server.closes).toEqual([4002]);
  });

  test('a row that does not decode changes nothing', async () => {
    const { conn, server, trace } = await subscribed();
    server.send({
      kind: 'transactionUpdate',
      querySets: [
        changes(1, 'user', { deletes: [ADA] }),
        {
          querySetId: 1,
          tables: [{ table: 'user', rows: [{ kind: 'event', events: rowsOf('loudAlarm', { text: 'x' }) }] }],
        },
      ],
    });
    await settle();
    expect(trace).toHaveLength(1);
    expect(trace[0]).toMatch(/^disconnect need/);
    expect(conn.db.user.count()).toBe(2n);
  });
});
