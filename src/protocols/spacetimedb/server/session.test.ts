import { beforeEach, describe, expect, test } from 'vitest';
import type { ClientMessage } from '../messages/client-messages.js';
import { FakeRuntime } from './testing/fake-runtime.js';
import { encodeFrame, MemoryClient } from './testing/memory-client.js';
import type { MemoryClientOptions } from './testing/memory-client.js';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const call = (requestId: number, reducer: string, args = ''): ClientMessage => ({
  kind: 'callReducer',
  requestId,
  reducer,
  args: bytes(args),
});
const subscribe = (requestId: number, querySetId: number, ...queries: readonly string[]): ClientMessage => ({
  kind: 'subscribe',
  requestId,
  querySetId,
  queries,
});
const unsubscribe = (requestId: number, querySetId: number, sendDroppedRows = true): ClientMessage => ({
  kind: 'unsubscribe',
  requestId,
  querySetId,
  sendDroppedRows,
});

const USERS = 'SELECT * FROM user';

let database: FakeRuntime;

beforeEach(() => {
  database = new FakeRuntime();
  database.createTable('user');
  database.createTable('message');
});

/** A client who was said hello to. */
function connect(options: MemoryClientOptions = {}): MemoryClient {
  const client = new MemoryClient(database, options);
  expect(client.session.start()).toBe(true);
  database.log.sync();
  database.flushTurn();
  client.trace();
  return client;
}

/** What the client hears at the end of the turn. */
function heard(client: MemoryClient): string {
  database.flushTurn();
  return client.trace();
}

describe('hello', () => {
  test('the first message is InitialConnection, after clientConnected ran', () => {
    const client = new MemoryClient(database, { id: 0xabn });
    expect(client.session.start()).toBe(true);
    expect(database.lifecycle).toEqual(['+ab']);
    expect(heard(client)).toBe('hello tok');
  });

  test('a connection that the module refuses hears nothing and is not disconnected', () => {
    database.refusesConnections = true;
    const client = new MemoryClient(database, { id: 0xabn });
    expect(client.session.start()).toBe(false);
    client.session.closed();
    expect(heard(client)).toBe('');
    expect(database.lifecycle).toEqual(['+ab']);
    expect(database.sessions.size).toBe(0);
  });

  test('clientDisconnected runs once, whoever closed and however often', () => {
    const client = connect({ id: 0xabn });
    client.session.close(1001, 'module exited');
    client.session.closed();
    client.session.closed();
    expect(database.lifecycle).toEqual(['+ab', '-ab']);
    expect(client.closedWith).toBe('1001 module exited');
  });

  test('a connection that ends leaves nothing behind', () => {
    const client = connect({ confirmed: true });
    client.say(subscribe(1, 1, USERS), call(2, 'insert', 'a'));
    client.session.closed();
    expect([database.attachments, database.sessions.size]).toEqual([0, 0]);
    database.log.sync();
    expect(heard(client)).toBe('');
  });
});

describe('calling', () => {
  test('the caller gets his own rows inside the result, others get an update', () => {
    const [caller, other] = [connect({ id: 1n }), connect({ id: 2n })];
    caller.say(subscribe(1, 0, USERS));
    other.say(subscribe(1, 5, USERS));
    caller.say(call(2, 'insert', 'ada'));
    expect(heard(caller)).toBe('applied 1/0 user[]\nok 2 set0: user(+ada)');
    expect(heard(other)).toBe('applied 1/5 user[]\nupdate set5: user(+ada)');
  });

  test('nobody hears of a commit that touches none of his queries', () => {
    const [caller, other] = [connect({ id: 1n }), connect({ id: 2n })];
    other.say(subscribe(1, 5, 'SELECT * FROM message'));
    caller.say(call(2, 'insert', 'ada'));
    expect(heard(caller)).toBe('ok 2');
    expect(heard(other)).toBe('applied 1/5 message[]');
  });

  test('a failed call is told to its caller only', () => {
    const caller = connect();
    caller.say(call(1, 'refuse'), call(2, 'crash'), call(3, 'nothing'));
    expect(heard(caller)).toBe('err 1 nope\nbroke 2 boom\nbroke 3 no such reducer: `nothing`');
  });

  test('there are no procedures yet', () => {
    const caller = connect();
    caller.say({ kind: 'callProcedure', requestId: 9, procedure: 'p', args: bytes('') });
    expect(heard(caller)).toBe('procedure 9 no such procedure: `p`');
  });

  test('the answers to all messages of a turn are one v3 frame, and one v2 frame each', () => {
    const [v3, v2] = [connect({ version: 'v3' }), connect({ version: 'v2' })];
    v3.deliver(
      encodeFrame([call(1, 'insert', 'a'), call(2, 'insert', 'b')]),
      encodeFrame([call(3, 'insert', 'c')]),
    );
    v2.deliver(encodeFrame([call(1, 'insert', 'a')]), encodeFrame([call(2, 'insert', 'b')]));
    expect(heard(v3)).toBe('ok 1\nok 2\nok 3');
    expect(heard(v2)).toBe('ok 1\n/\nok 2');
  });

  test('an update that comes before the end of a turn stays behind the answers of the turn', () => {
    const client = connect();
    client.say(subscribe(1, 1, USERS));
    heard(client);
    client.session.receive(encodeFrame([call(2, 'insert', 'a')]));
    database.insert({ user: [bytes('b')] });
    client.session.receive(encodeFrame([call(3, 'insert', 'c')]));
    client.session.endTurn();
    expect(heard(client)).toBe('ok 2 set1: user(+a)\nupdate set1: user(+b)\nok 3 set1: user(+c)');
  });

  test('turns of two connections may overlap', () => {
    const [first, second] = [connect({ id: 1n }), connect({ id: 2n })];
    first.session.receive(encodeFrame([call(1, 'refuse')]));
    second.session.receive(encodeFrame([call(2, 'refuse')]));
    first.session.receive(encodeFrame([call(3, 'refuse')]));
    second.session.endTurn();
    first.session.endTurn();
    expect(heard(first)).toBe('err 1 nope\nerr 3 nope');
    expect(heard(second)).toBe('err 2 nope');
  });

  test('updates of many commits of one turn are one v3 frame', () => {
    const [caller, other] = [connect({ id: 1n }), connect({ id: 2n })];
    other.say(subscribe(1, 1, USERS));
    heard(other);
    caller.say(call(1, 'insert', 'a'), call(2, 'insert', 'b'));
    expect(heard(other)).toBe('update set1: user(+a)\nupdate set1: user(+b)');
  });

  test('a v3 frame ends near 512 KiB, a longer message goes alone', () => {
    const client = connect();
    database.insert({ user: [new Uint8Array(300 * 1024)] });
    client.say(subscribe(1, 1, USERS), subscribe(2, 2, USERS), subscribe(3, 3, USERS), call(4, 'refuse'));
    database.flushTurn();
    const sizes = client.frames.map((frame) => Math.round(frame.length / 1024));
    expect(sizes).toEqual([600, 300]);
  });
});

describe('subscribing', () => {
  test('each query of a set has its own entry, and its own part of every update', () => {
    const client = connect();
    database.insert({ user: [bytes('ada')] });
    client.say(subscribe(1, 3, USERS, `${USERS} WHERE TRUE`));
    expect(heard(client)).toBe('applied 1/3 user[ada] user[ada]');
    database.insert({ user: [bytes('bob')] });
    expect(heard(client)).toBe('update set3: user(+bob +bob)');
  });

  test('texts that are the same after trimming count once', () => {
    const client = connect();
    client.say(subscribe(1, 3, USERS, `  ${USERS} `));
    expect(heard(client)).toBe('applied 1/3 user[]');
  });

  test('SELECT * FROM * follows every table', () => {
    const client = connect();
    client.say(subscribe(1, 3, 'SELECT * FROM *'));
    database.insert({ message: [bytes('hi')], user: [bytes('ada')] });
    expect(heard(client)).toBe('applied 1/3 user[] message[]\nupdate set3: message(+hi) user(+ada)');
  });

  test('two sets that hold the same query both hear of it', () => {
    const client = connect();
    client.say(subscribe(1, 8, USERS), subscribe(2, 3, USERS));
    heard(client);
    database.insert({ user: [bytes('ada')] });
    expect(heard(client)).toBe('update set3: user(+ada) set8: user(+ada)');
    client.say(unsubscribe(3, 8));
    database.insert({ user: [bytes('bob')] });
    expect(heard(client)).toBe('dropped 3/8 user[ada]\nupdate set3: user(+bob)');
  });

  test('one bad query refuses the whole set and registers nothing', () => {
    const client = connect();
    client.say(subscribe(1, 3, USERS, 'SELECT * FROM nowhere'));
    expect(heard(client)).toBe(
      'refused 1/3 no such table: `nowhere` (at 1:15), executing: `SELECT * FROM nowhere`',
    );
    expect(database.attachments).toBe(0);
    client.say(subscribe(2, 3, USERS));
    expect(heard(client)).toBe('applied 2/3 user[]');
  });

  test('a query set id in use is refused and the first set lives on', () => {
    const client = connect();
    client.say(subscribe(1, 3, USERS), subscribe(2, 3, USERS));
    expect(heard(client)).toMatch(/^applied 1\/3 user\[\]\nrefused 2\/3 query set 3 is in use already/);
    database.insert({ user: [bytes('ada')] });
    expect(heard(client)).toBe('update set3: user(+ada)');
  });

  test('unsubscribing gives the rows back only if they were asked for', () => {
    const client = connect();
    database.insert({ user: [bytes('ada')] });
    client.say(
      subscribe(1, 1, USERS),
      unsubscribe(2, 1, true),
      subscribe(3, 1, USERS),
      unsubscribe(4, 1, false),
    );
    expect(heard(client)).toBe(
      'applied 1/1 user[ada]\ndropped 2/1 user[ada]\napplied 3/1 user[ada]\ndropped 4/1',
    );
    expect(database.attachments).toBe(0);
  });

  test('unsubscribing from what is not there is an error with the request id', () => {
    const client = connect();
    client.say(unsubscribe(4, 9));
    expect(heard(client)).toBe('refused 4/9 there is no query set 9 on this connection');
  });

  test('a query that fails later ends its sets without a request id', () => {
    const client = connect();
    client.say(subscribe(1, 1, USERS), subscribe(2, 2, 'SELECT * FROM message'));
    heard(client);
    database.breakQuery(USERS);
    database.insert({ user: [bytes('ada')], message: [bytes('hi')] });
    expect(heard(client)).toBe('refused -/1 division by zero\nupdate set2: message(+hi)');
  });

  test('a one-off query is answered once', () => {
    const client = connect();
    database.insert({ user: [bytes('ada')] });
    client.say(
      { kind: 'oneOffQuery', requestId: 1, query: USERS },
      { kind: 'oneOffQuery', requestId: 2, query: 'SELECT * FROM x' },
      { kind: 'oneOffQuery', requestId: 3, query: 'SELECT * FROM *' },
    );
    expect(heard(client)).toBe(
      'rows 1 user[ada]\nrows 2 no such table: `x` (at 1:15), executing: `SELECT * FROM x`\n' +
        'rows 3 a one-off query reads exactly one table',
    );
    expect(database.attachments).toBe(0);
  });
});

describe('encoding once', () => {
  test('connections of the same shape share the bytes of an update', () => {
    const clients = [1n, 2n, 3n].map((id) => connect({ id }));
    clients.forEach((client, index) => client.say(subscribe(1, index < 2 ? 4 : 5, USERS)));
    clients.forEach(heard);
    const parts: Uint8Array[][] = [];
    for (const client of clients) client.send = (...sent) => void parts.push(sent);
    database.insert({ user: [bytes('ada')] });
    database.flushTurn();
    expect(parts[0]?.[1]).toBeInstanceOf(Uint8Array);
    expect(parts[0]?.[1]).toBe(parts[1]?.[1]);
    expect(parts[0]?.[1]).not.toBe(parts[2]?.[1]);
  });

  test('sharing never mixes up different sets of queries', () => {
    const [first, second] = [connect({ id: 1n }), connect({ id: 2n })];
    first.say(subscribe(1, 1, USERS), subscribe(2, 2, 'SELECT * FROM message'));
    second.say(subscribe(1, 1, USERS), subscribe(2, 3, 'SELECT * FROM message'));
    [first, second].forEach(heard);
    database.insert({ user: [bytes('ada')], message: [bytes('hi')] });
    expect(heard(first)).toBe('update set1: user(+ada) set2: message(+hi)');
    expect(heard(second)).toBe('update set1: user(+ada) set3: message(+hi)');
  });
});

describe('confirmed reads', () => {
  test('a result waits for the disk, in order with what follows', () => {
    const client = connect({ confirmed: true });
    client.say(call(1, 'insert', 'a'), call(2, 'refuse'));
    expect(heard(client)).toBe('');
    client.say(call(3, 'refuse'));
    expect(heard(client)).toBe('');
    database.log.sync();
    expect(client.trace()).toBe('ok 1\nerr 2 nope\nerr 3 nope');
  });

  test('what is durable leaves while later things wait', () => {
    const client = connect({ confirmed: true });
    client.say(call(1, 'insert', 'a'));
    const first = database.log.lastOffset;
    client.say(call(2, 'insert', 'b'));
    database.flushTurn();
    database.log.sync(first);
    expect(client.trace()).toBe('ok 1');
    database.log.sync();
    expect(client.trace()).toBe('ok 2');
  });

  test('rows of a subscription wait for the commits they show', () => {
    const client = connect({ confirmed: true });
    database.insert({ user: [bytes('ada')] });
    client.say(subscribe(1, 1, USERS));
    expect(heard(client)).toBe('');
    database.log.sync();
    expect(client.trace()).toBe('applied 1/1 user[ada]');
  });

  test.each(['v2', 'v3', 'resumable'] as const)(
    '%s: a refusal waits for what it may be due to',
    (version) => {
      const client = connect({ confirmed: true, version });
      database.insert({ user: [bytes('ada')] });
      client.say(call(1, 'refuse'));
      expect(heard(client)).toBe('');
      database.log.sync();
      expect(client.trace()).toMatch(/^err 1 nope/);
    },
  );

  test('hello does not wait', () => {
    const client = new MemoryClient(database, { confirmed: true });
    client.session.start();
    expect(heard(client)).toBe('hello tok');
  });

  test('a client that does not ask for it hears at once', () => {
    const client = connect({ confirmed: false });
    client.say(call(1, 'insert', 'a'));
    expect(heard(client)).toBe('ok 1');
    expect(database.log.durableOffset).toBeLessThan(database.log.lastOffset);
  });
});

describe('a disk that fails', () => {
  test('what waits for it is never said, and its connections end', () => {
    const [waiting, idle] = [connect({ id: 1n, confirmed: true }), connect({ id: 2n, confirmed: true })];
    waiting.say(call(1, 'insert', 'a'));
    database.flushTurn();
    database.log.fail();
    expect(waiting.closedWith).toBe("1011 the database's log has failed");
    expect(waiting.trace()).toBe('');
    expect(idle.closedWith).toBeUndefined();
    idle.say(call(1, 'insert', 'b'));
    expect(heard(idle)).toBe('');
    expect(idle.closedWith).toBe("1011 the database's log has failed");
  });

  test('a closed delivery listens to nothing', () => {
    database.delivery.close();
    expect(database.log.listenerCount).toBe(0);
  });
});

describe('bad input', () => {
  test.each([
    ['an unknown message', Uint8Array.of(9), 'there is no client message 9'],
    ['an empty frame', new Uint8Array(0), 'need 1 bytes at offset 0'],
    ['half a message', encodeFrame([call(1, 'insert', 'a')]).slice(0, 9), 'need'],
  ])('%s closes with 1011', (_, frame, reason) => {
    const client = connect();
    client.deliver(frame);
    expect(client.closedWith).toContain(`1011 ${reason}`);
    expect(client.errors).toEqual([]);
  });

  test('a text frame closes with 1011', () => {
    const client = connect();
    client.session.receiveText('{}');
    expect(client.closedWith).toMatch(/^1011 text frames/);
  });

  test('v2 takes one message per frame', () => {
    const client = connect({ version: 'v2' });
    client.deliver(encodeFrame([call(1, 'insert', 'a'), call(2, 'insert', 'b')]));
    expect(client.closedWith).toMatch(/^1011 \d+ bytes left over/);
  });

  test('what came before a bad message is done and answered', () => {
    const client = connect();
    const good = encodeFrame([call(1, 'insert', 'a')]);
    client.deliver(Uint8Array.of(...good, 77));
    expect(client.trace()).toBe('ok 1');
    expect(client.closedWith).toMatch(/^1011 there is no client message 77/);
  });

  test('a defect of ours closes only the connection that met it', () => {
    const [unlucky, other] = [connect({ id: 1n }), connect({ id: 2n })];
    unlucky.say(call(1, 'defect'));
    other.say(call(1, 'insert', 'a'));
    expect(unlucky.closedWith).toBe('1011 internal error');
    expect(unlucky.errors).toHaveLength(1);
    expect(heard(other)).toBe('ok 1');
  });

  test('a closed session hears nothing more', () => {
    const client = connect();
    client.say(subscribe(1, 1, USERS));
    client.deliver(Uint8Array.of(9));
    heard(client);
    client.say(call(1, 'insert', 'a'));
    database.insert({ user: [bytes('b')] });
    expect(heard(client)).toBe('');
  });
});

describe('limits', () => {
  test('as many messages in a turn as allowed are answered, one more closes with 1013', () => {
    const limits = { turnMessagesMax: 2 };
    const client = connect({ limits });
    client.say(call(1, 'refuse'), call(2, 'refuse'));
    client.say(call(3, 'refuse'), call(4, 'refuse'));
    expect(heard(client)).toBe('err 1 nope\nerr 2 nope\nerr 3 nope\nerr 4 nope');
    client.say(call(5, 'refuse'), call(6, 'refuse'), call(7, 'refuse'));
    expect(client.closedWith).toBe('1013 too many requests');
  });

  test('as many queries as allowed are followed, one more is refused', () => {
    const client = connect({ limits: { queriesMax: 2 } });
    client.say(subscribe(1, 1, USERS), subscribe(2, 2, USERS), subscribe(3, 3, USERS));
    expect(heard(client)).toBe(
      'applied 1/1 user[]\napplied 2/2 user[]\n' +
        'refused 3/3 a connection may hold 2 queries: unsubscribe from some first',
    );
  });

  test('a query as long as allowed is read, a longer one refused', () => {
    const client = connect({ limits: { queryLengthMax: USERS.length } });
    client.say(subscribe(1, 1, USERS), subscribe(2, 2, `${USERS}s`));
    expect(heard(client)).toBe(
      'applied 1/1 user[]\nrefused 2/2 a query may have 18 characters, this one has 19',
    );
  });

  test('more than may wait for the disk closes with 1013', async () => {
    const client = connect({ confirmed: true, limits: { heldBytesMax: 40 } });
    client.say(call(1, 'insert', 'a'));
    await Promise.resolve();
    expect(client.closedWith).toBeUndefined();
    client.say(call(2, 'insert', 'a'));
    await Promise.resolve();
    expect(client.closedWith).toBe('1013 too much waits for the disk');
  });
});
