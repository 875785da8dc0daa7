import { afterEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../../../base/clock.js';
import type { Random } from '../../../../base/random.js';
import { Identity } from '../../../../values/identity.js';
import { ConnectionError } from '../errors.js';
import { ChatConnection } from '../testing/chat-bindings.js';
import { changes, rowsOf, ScriptedServer, settle } from '../testing/scripted-server.js';
import type { Transport, TransportEvents } from '../transport/transport.js';
import { Backoff } from './backoff.js';
import type { ReconnectOptions } from './backoff.js';

/* A client that is cut off and comes back, on a server that the test plays. */

const RESUMABLE = 'v3.bsatn.chorale';
const ADA = { id: 1, name: 'ada', nickName: undefined };
const BOB = { id: 2, name: 'bob', nickName: 'bo' };
const EVE = { id: 3, name: 'eve', nickName: undefined };

/** No jitter: every wait is half of what it may be. */
const steady: Random = { fill: (target) => target.fill(0) };

const problems: string[] = [];
afterEach(() => expect(problems.splice(0)).toEqual([]));

interface Setup {
  readonly conn: ChatConnection;
  readonly server: ScriptedServer;
  readonly clock: ManualClock;
  readonly trace: string[];
}

async function connect(
  server = new ScriptedServer({ protocol: RESUMABLE }),
  reconnect: ReconnectOptions = {},
): Promise<Setup> {
  const trace: string[] = [];
  const clock = new ManualClock();
  const conn = ChatConnection.builder()
    .withUri('http://localhost:3000')
    .withDatabaseName('chat')
    .withTransport(server.transport)
    .withClock(clock)
    .withRandom(steady)
    .withReconnect(reconnect)
    .withLog((_level, message) => void problems.push(message))
    .onConnect(() => trace.push('connect'))
    .onReconnecting((_, { attempt, delayMs, error }) =>
      trace.push(`reconnecting ${attempt} in ${delayMs}: ${error.message}`),
    )
    .onReconnected((_, { resumedBy }) => trace.push(`reconnected by ${resumedBy}`))
    .onConnectError((_, error) => trace.push(`connectError ${error.message}`))
    .onDisconnect((_, error) => trace.push(`disconnect ${error?.message}`))
    .build();
  conn.db.user.onInsert((_, row) => trace.push(`+ ${row.name}`));
  conn.db.user.onDelete((_, row) => trace.push(`- ${row.name}`));
  conn.db.user.onUpdate((_, old, row) => trace.push(`~ ${old.name} -> ${row.name}`));
  conn.db.loudAlarm.onInsert((_, row) => trace.push(`! ${row.text}`));
  await settle();
  if (server.protocol === RESUMABLE) server.send({ kind: 'resumable', epoch: 'e1' });
  await settle();
  return { conn, server, clock, trace };
}

/** A connection that holds ada and bob by query set 1, as of offset 7. */
async function subscribed(server?: ScriptedServer, reconnect?: ReconnectOptions): Promise<Setup> {
  const setup = await connect(server, reconnect);
  setup.conn.subscriptionBuilder().subscribe('SELECT * FROM user');
  await settle();
  setup.server.send(
    applied(1, ADA, BOB),
    ...(setup.server.protocol === RESUMABLE ? [{ kind: 'position', offset: 7 } as const] : []),
  );
  await settle();
  setup.trace.length = 0;
  return setup;
}

/** Cuts the connection and lets the client connect again. */
async function cut({ server, clock, trace }: Setup): Promise<void> {
  server.close(1006);
  await settle();
  server.frames.length = 0;
  trace.length = 0;
  clock.advance(500);
  await settle();
}

function applied(querySetId: number, ...users: object[]) {
  const tables = [{ table: 'user', rows: rowsOf('user', ...users) }];
  return { kind: 'subscribeApplied', requestId: 1, querySetId, tables } as const;
}

function snapshot(...sets: readonly (readonly [id: number, ...users: object[]])[]) {
  const of = ([querySetId, ...users]: readonly [number, ...object[]]) => {
    const tables = [{ table: 'user', rows: rowsOf('user', ...users) }];
    return { querySetId, result: { kind: 'ok', tables } } as const;
  };
  return { kind: 'resumed', snapshot: sets.map(of) } as const;
}

function update(inserts: object[], deletes: object[]) {
  return { kind: 'transactionUpdate', querySets: [changes(1, 'user', { inserts, deletes })] } as const;
}

describe('a connection that is cut', () => {
  test('names what it has, is told what it missed, and goes on', async () => {
    const setup = await subscribed();
    const { conn, server, trace } = setup;
    const before = conn.connectionId;
    server.close(1006);
    await settle();
    expect(conn.isActive).toBe(false);
    expect(conn.db.user.count(), 'the cache stays').toBe(2n);
    expect(trace.splice(0)).toEqual(['reconnecting 1 in 250: the connection closed (1006)']);
    server.frames.length = 0;
    setup.clock.advance(250);
    await settle();
    expect(server.requests.at(-1)).toMatchObject({ token: 'minted' });
    expect(conn.connectionId.isEqual(before)).toBe(false);
    expect(server.messages).toEqual([
      {
        kind: 'resume',
        identity: new Identity(7n),
        epoch: 'e1',
        offset: 7,
        querySets: [{ querySetId: 1, queries: ['SELECT * FROM user'] }],
      },
    ]);
    server.send({ kind: 'resumable', epoch: 'e1' }, update([EVE], [ADA]), {
      kind: 'resumed',
      snapshot: undefined,
    });
    await settle();
    expect(trace).toEqual(['+ eve', '- ada', 'reconnected by changes']);
    expect(conn.isActive).toBe(true);
    expect(setup.clock.pendingTimers).toBe(0);
    server.send(update([], [BOB]));
    await settle();
    expect(trace.at(-1)).toBe('- bob');
  });

  test('is told all rows where what it missed is not known: callbacks run for what is different', async () => {
    const setup = await subscribed();
    await cut(setup);
    setup.server.send({ kind: 'resumable', epoch: 'e2' }, snapshot([1, { ...BOB, nickName: 'bobby' }, EVE]), {
      kind: 'position',
      offset: 3,
    });
    await settle();
    expect(setup.trace).toEqual(['- ada', '~ bob -> bob', '+ eve', 'reconnected by snapshot']);
    await cut(setup);
    expect(setup.server.messages, 'it belongs to the new history now').toMatchObject([
      { epoch: 'e2', offset: 3 },
    ]);
  });

  test('rows that several sets hold are counted anew: they stay until the last set loses them', async () => {
    const setup = await subscribed();
    setup.conn.subscriptionBuilder().subscribe("SELECT * FROM user WHERE name = 'ada'");
    await settle();
    setup.server.send(applied(2, ADA));
    await settle();
    await cut(setup);
    setup.server.send({ kind: 'resumable', epoch: 'e2' }, snapshot([1, ADA, BOB], [2, ADA]));
    await settle();
    expect(setup.trace).toEqual(['reconnected by snapshot']);
    setup.server.send(update([], [ADA]));
    await settle();
    expect(setup.conn.db.user.count()).toBe(2n);
  });

  test('cut again before the answer, it still names the history that its rows are of', async () => {
    const setup = await subscribed();
    await cut(setup);
    setup.server.send({ kind: 'resumable', epoch: 'e2' });
    await settle();
    await cut(setup);
    expect(setup.server.messages).toMatchObject([{ kind: 'resume', epoch: 'e1', offset: 7 }]);
  });

  test('cut again while it is told what it missed, it goes on from there', async () => {
    const setup = await subscribed();
    await cut(setup);
    const { server, trace } = setup;
    server.send({ kind: 'resumable', epoch: 'e1' });
    server.send(update([EVE], []), { kind: 'position', offset: 9 });
    await settle();
    expect(trace).toEqual(['+ eve']);
    await cut(setup);
    expect(server.messages).toMatchObject([{ kind: 'resume', epoch: 'e1', offset: 9 }]);
  });

  test('a set that the server refuses now ends, and its rows leave', async () => {
    const setup = await connect();
    const errors: string[] = [];
    const handle = setup.conn
      .subscriptionBuilder()
      .onError((_, error) => errors.push(error.message))
      .subscribe('SELECT * FROM user');
    await settle();
    setup.server.send(applied(1, ADA));
    await settle();
    await cut(setup);
    setup.server.send(
      { kind: 'resumable', epoch: 'e2' },
      { kind: 'resumed', snapshot: [{ querySetId: 1, result: { kind: 'err', error: 'no such table' } }] },
    );
    await settle();
    expect(setup.trace).toEqual(['- ada', 'reconnected by snapshot']);
    expect(errors).toEqual(['no such table']);
    expect(handle.isEnded()).toBe(true);
  });

  test('a set that failed while it ran ends, and the others come back with all their rows', async () => {
    const setup = await subscribed();
    const { server, clock, trace } = setup;
    setup.conn.subscriptionBuilder().subscribe("SELECT * FROM user WHERE name = 'ada'");
    await settle();
    server.send(applied(2, ADA));
    await settle();
    server.send({ kind: 'subscriptionError', requestId: undefined, querySetId: 1, error: 'broken query' });
    await settle();
    expect(problems.splice(0)).toEqual(['subscription failed: broken query']);
    server.frames.length = 0;
    clock.advance(250);
    await settle();
    expect(server.messages).toMatchObject([{ epoch: '', querySets: [{ querySetId: 2 }] }]);
    server.send({ kind: 'resumable', epoch: 'e1' }, snapshot([2, ADA]));
    await settle();
    expect(trace.slice(-2)).toEqual(['- bob', 'reconnected by snapshot']);
  });
});

describe('meanwhile', () => {
  test('calls that were not answered reject as unknown, and new ones as not sent', async () => {
    const setup = await subscribed();
    const call = setup.conn.reducers.ping();
    setup.server.close(1001, 'server shutdown');
    await expect(call).rejects.toMatchObject({
      code: 'OUTCOME_UNKNOWN',
      closeCode: 1001,
      message: 'the connection broke before `ping` was answered: it may have taken effect or not',
    });
    await expect(setup.conn.reducers.ping()).rejects.toMatchObject({
      code: 'DISCONNECTED',
      message: 'not connected at the moment: `ping` was not sent',
    });
    setup.clock.advance(250);
    await settle();
    await expect(setup.conn.reducers.ping()).rejects.toMatchObject({ code: 'DISCONNECTED' });
    setup.server.send({ kind: 'resumable', epoch: 'e1' }, { kind: 'resumed', snapshot: undefined });
    await settle();
    void setup.conn.reducers.ping();
    await settle();
    expect(setup.server.messages.at(-1)).toMatchObject({ reducer: 'ping' });
    setup.conn.disconnect();
  });

  test('subscriptions that were asked for, before or after the cut, are asked for again', async () => {
    const setup = await connect();
    const { conn, server } = setup;
    server.close(1006);
    conn.subscriptionBuilder().subscribe('SELECT * FROM user');
    await settle();
    conn.subscriptionBuilder().subscribe('SELECT * FROM note');
    setup.clock.advance(250);
    await settle();
    server.send({ kind: 'resumable', epoch: 'e1' }, { kind: 'resumed', snapshot: undefined });
    await settle();
    expect(server.messages).toMatchObject([
      { kind: 'resume', querySets: [] },
      { kind: 'subscribe', querySetId: 1, queries: ['SELECT * FROM user'] },
      { kind: 'subscribe', querySetId: 2, queries: ['SELECT * FROM note'] },
    ]);
    server.send(applied(1, ADA));
    await settle();
    expect(setup.trace.at(-1)).toBe('+ ada');
  });

  test('a subscription that was ended is resumed with its rows, and then ends', async () => {
    const setup = await subscribed();
    const ended: string[] = [];
    const second = setup.conn.subscriptionBuilder().subscribe("SELECT * FROM user WHERE name = 'eve'");
    await settle();
    setup.server.send(applied(2, EVE));
    await settle();
    setup.server.close(1006);
    await settle();
    second.unsubscribeThen(() => ended.push('ended'));
    setup.server.frames.length = 0;
    setup.clock.advance(250);
    await settle();
    setup.server.send({ kind: 'resumable', epoch: 'e1' }, { kind: 'resumed', snapshot: undefined });
    await settle();
    expect(setup.server.messages).toMatchObject([
      { kind: 'resume', querySets: [{ querySetId: 1 }, { querySetId: 2 }] },
      { kind: 'unsubscribe', querySetId: 2 },
    ]);
    const tables = [{ table: 'user', rows: rowsOf('user', EVE) }];
    setup.server.send({ kind: 'unsubscribeApplied', requestId: 9, querySetId: 2, tables });
    await settle();
    expect(ended).toEqual(['ended']);
    expect(setup.conn.db.user.count()).toBe(2n);
  });
});

describe('the way back', () => {
  test('waits double up to a limit, vary, and begin anew after a success', () => {
    let fraction = 0;
    const random: Random = {
      fill: (target) => {
        new DataView(target.buffer).setUint32(0, fraction * 2 ** 32);
        return target;
      },
    };
    const backoff = new Backoff(random, { firstDelayMs: 100, delayMaxMs: 700 });
    const next = (): number => Math.round(backoff.next()!);
    expect([next(), next(), next(), next(), next()]).toEqual([50, 100, 200, 350, 350]);
    fraction = 0.999_999_9;
    expect(next()).toBe(700);
    backoff.reset();
    expect(next()).toBe(100);
    expect(backoff.attempts).toBe(1);
  });

  test('a server that stays away is tried again and again, and `reconnectNow` does not wait', async () => {
    const { conn, server, clock, trace } = await subscribed();
    server.isUp = false;
    server.close(1006);
    await settle();
    for (const waitMs of [250, 500]) {
      clock.advance(waitMs);
      await settle();
    }
    expect(trace).toEqual([
      'reconnecting 1 in 250: the connection closed (1006)',
      'reconnecting 2 in 500: the connection could not be made (1006: down)',
      'reconnecting 3 in 1000: the connection could not be made (1006: down)',
    ]);
    server.isUp = true;
    conn.reconnectNow();
    conn.reconnectNow();
    await settle();
    expect(server.requests).toHaveLength(4);
    server.send({ kind: 'resumable', epoch: 'e1' }, { kind: 'resumed', snapshot: undefined });
    await settle();
    expect(trace.at(-1)).toBe('reconnected by changes');
    expect(clock.pendingTimers).toBe(0);
  });

  test('a server that takes the connection and then says nothing is given up in time', async () => {
    const { server, clock, trace } = await subscribed();
    server.greets = false;
    server.close(1006);
    await settle();
    clock.advance(250);
    await settle();
    clock.advance(15_000);
    await settle();
    expect(trace.at(-1)).toBe('reconnecting 2 in 500: not connected within 15000 ms');
    expect(server.closes).toEqual([1006, 1000]);
  });

  test('after the last try it ends', async () => {
    const { conn, server, clock, trace } = await subscribed(undefined, { attemptsMax: 1 });
    server.isUp = false;
    server.close(1006);
    await settle();
    clock.advance(250);
    await settle();
    expect(trace.at(-1)).toBe('disconnect the connection could not be made (1006: down)');
    expect(() => conn.subscriptionBuilder().subscribe('SELECT * FROM user')).toThrow(
      'the connection is closed',
    );
    expect(clock.pendingTimers).toBe(0);
  });

  test('`disconnect` while it waits, or connects, ends it for good', async () => {
    for (const isConnecting of [false, true]) {
      const { conn, server, clock, trace } = await subscribed();
      server.close(1006);
      await settle();
      if (isConnecting) clock.advance(250);
      conn.disconnect();
      conn.reconnectNow();
      await settle();
      clock.advance(100_000);
      await settle();
      expect(trace.at(-1)).toBe('disconnect undefined');
      expect(clock.pendingTimers).toBe(0);
      expect(conn.isActive).toBe(false);
      expect(server.closes.length).toBeLessThanOrEqual(2);
    }
  });

  test('bytes that are not the protocol end it: the server would send them again', async () => {
    const { server, clock, trace } = await subscribed();
    server.sendRaw(Uint8Array.of(0, 99));
    await settle();
    expect(trace).toEqual(['disconnect there is no server message 99 (at offset 1)']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a token that is not accepted any more ends it', async () => {
    const links: TransportEvents[] = [];
    const trace: string[] = [];
    const clock = new ManualClock();
    const server = new ScriptedServer({ protocol: RESUMABLE });
    ChatConnection.builder()
      .withUri('http://localhost')
      .withDatabaseName('chat')
      .withClock(clock)
      .withRandom(steady)
      .withTransport((request, events): Transport => {
        links.push(events);
        return links.length === 1
          ? server.transport(request, events)
          : { bufferedBytes: 0, send: () => undefined, close: () => undefined };
      })
      .onDisconnect((_, error) => trace.push(String((error as ConnectionError).httpStatus)))
      .build();
    await settle();
    server.close(1006);
    await settle();
    clock.advance(250);
    const cause = new ConnectionError('CONNECT_FAILED', 'refused', { httpStatus: 401 });
    links[1]!.onClose({ code: 1006, reason: '', cause });
    expect(trace).toEqual(['401']);
    expect(clock.pendingTimers).toBe(0);
  });

  test('a first connection that fails is not tried again', async () => {
    const server = new ScriptedServer({ protocol: RESUMABLE });
    server.isUp = false;
    const trace: string[] = [];
    const clock = new ManualClock();
    ChatConnection.builder()
      .withUri('http://localhost')
      .withDatabaseName('chat')
      .withTransport(server.transport)
      .withClock(clock)
      .onConnectError((_, error) => trace.push(error.message))
      .build();
    await settle();
    expect(trace).toEqual(['the connection could not be made (1006: down)']);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('on a server that cannot resume', () => {
  test('all rows are asked for again, and compared when all are there', async () => {
    const setup = await subscribed(new ScriptedServer({ protocol: 'v3.bsatn.spacetimedb' }));
    const { conn, server, trace } = setup;
    conn.subscriptionBuilder().subscribe('SELECT * FROM loud_alarm');
    await settle();
    server.send({ kind: 'subscribeApplied', requestId: 2, querySetId: 2, tables: [] });
    await settle();
    await cut(setup);
    expect(server.messages).toMatchObject([
      { kind: 'subscribe', querySetId: 1 },
      { kind: 'subscribe', querySetId: 2 },
    ]);
    server.send(applied(1, BOB, EVE));
    server.send(update([ADA], [EVE]), {
      kind: 'transactionUpdate',
      querySets: [
        {
          querySetId: 1,
          tables: [{ table: 'loud_alarm', rows: [{ kind: 'event', events: rowsOf('loudAlarm', { text: 'x' }) }] }],
        },
      ],
    }); // prettier-ignore
    await settle();
    expect(trace, 'nothing before all is there').toEqual([]);
    expect(conn.isActive).toBe(false);
    server.send({ kind: 'subscribeApplied', requestId: 4, querySetId: 2, tables: [] });
    await settle();
    expect(trace, 'ada went and came back: nobody need know').toEqual(['! x', 'reconnected by snapshot']);
    expect([...conn.db.user.iter()].map(({ name }) => name).toSorted()).toEqual(['ada', 'bob']);
    server.send(update([], [ADA]));
    await settle();
    expect(trace.at(-1)).toBe('- ada');
  });

  test('a set that is refused now ends, and its rows leave', async () => {
    const setup = await subscribed(new ScriptedServer({ protocol: 'v2.bsatn.spacetimedb' }));
    await cut(setup);
    setup.server.send({ kind: 'subscriptionError', requestId: 1, querySetId: 1, error: 'no such table' });
    await settle();
    expect(setup.trace).toEqual(['- ada', '- bob', 'reconnected by snapshot']);
    expect(problems.splice(0)).toEqual(['subscription failed: no such table']);
  });

  test('with nothing subscribed it is back at once', async () => {
    const setup = await connect(new ScriptedServer());
    await cut(setup);
    expect(setup.trace).toEqual(['reconnected by snapshot']);
  });
});
