import { describe, expect, test } from 'vitest';
import { Identity } from '../../../../values/identity.js';
import type { ResumableClientMessage, Resume } from '../../messages/resume-messages.js';
import type { RecentSource } from '../runtime.js';
import { FakeRuntime } from '../testing/fake-runtime.js';
import { encodeFrame, MemoryClient } from '../testing/memory-client.js';

/* What a session says to a client that comes back; what it missed is in test/resume, on a real database. */

const word = (text: string): Uint8Array => new TextEncoder().encode(text);

const RESUME: Resume = {
  kind: 'resume',
  identity: new Identity(7n),
  epoch: 'e1',
  offset: 1,
  querySets: [{ querySetId: 1, queries: ['SELECT * FROM user'] }],
};

type Missed = RecentSource['missed'];

function setUp(options: { readonly confirmed?: boolean; readonly missed?: Missed } = {}) {
  const database = new FakeRuntime();
  database.createTable('user');
  const { missed } = options;
  let keepers = 0;
  if (missed !== undefined) {
    const keep = (): (() => void) => {
      keepers++;
      return () => void keepers--;
    };
    database.recent = { epoch: 'e1', keep, missed };
  }
  database.insert({ user: [word('ada')] });
  const client = new MemoryClient(database, { version: 'resumable', confirmed: options.confirmed ?? false });
  client.session.start();
  database.flushTurn();
  const say = (...messages: readonly ResumableClientMessage[]): string => {
    client.say(...messages);
    database.flushTurn();
    return client.trace();
  };
  return { database, client, say, keepers: () => keepers };
}

describe('a session that resumes', () => {
  test('tells its epoch, and keeps the history as long as it is there', () => {
    const { client, keepers } = setUp({ missed: () => [] });
    expect(client.trace()).toBe('hello tok\nresumable e1');
    expect(keepers()).toBe(1);
    client.session.closed();
    expect(keepers()).toBe(0);
  });

  test('every frame ends with the position that it brings the client to', () => {
    const { client, database, say } = setUp();
    client.trace();
    expect(say({ kind: 'subscribe', requestId: 1, querySetId: 1, queries: ['SELECT * FROM user'] })).toBe(
      'applied 1/1 user[ada]\nposition 2',
    );
    database.insert({ user: [word('bob')] });
    database.insert({ user: [word('eve')] });
    database.flushTurn();
    expect(client.trace()).toBe('update set1: user(+bob)\nupdate set1: user(+eve)\nposition 4');
    expect(say({ kind: 'oneOffQuery', requestId: 2, query: 'SELECT * FROM none' })).toMatch(
      /^rows 2 no such table[^\n]*\nposition 4$/,
    );
  });

  test('one that knows what was missed tells it transaction by transaction', () => {
    const asked: unknown[] = [];
    const { client, database, say } = setUp({
      missed: (epoch, offset, queries) => {
        const [query] = queries;
        asked.push(epoch, offset);
        const memo = <T>(_: symbol, make: () => T): T => make();
        const delta = (inserts: string[]) =>
          ({ query: query!, isEvent: false, inserts: inserts.map(word), deletes: [], memo }) as const;
        return [
          { offset: 2, deltas: [delta(['bob'])] },
          { offset: 3, deltas: [delta(['eve', 'fay'])] },
        ];
      },
    });
    database.log.lastOffset = 5;
    client.trace();
    expect(say(RESUME)).toBe(
      'update set1: user(+bob)\nupdate set1: user(+eve,fay)\nresumed by changes\nposition 5',
    );
    expect(asked).toEqual(['e1', 1]);
    database.insert({ user: [word('gus')] });
    database.flushTurn();
    expect(client.trace()).toBe('update set1: user(+gus)\nposition 6');
  });

  test('one that does not know tells all rows', () => {
    const { client, say } = setUp({ missed: () => undefined });
    client.trace();
    expect(say(RESUME)).toBe('resumed by snapshot set1: user[ada]\nposition 2');
  });

  test('rows that were answered for somebody else are told anew', () => {
    const { client, say } = setUp({ missed: () => [] });
    client.trace();
    expect(say({ ...RESUME, identity: new Identity(8n) })).toMatch(/^resumed by snapshot/);
  });

  test('a set that is refused is told with its reason, and the others with all rows', () => {
    const { client, say } = setUp({ missed: () => [] });
    client.trace();
    const querySets = [...RESUME.querySets, { querySetId: 2, queries: ['SELECT * FROM none'] }];
    expect(say({ ...RESUME, querySets })).toMatch(
      /^resumed by snapshot set1: user\[ada\] set2: no such table/,
    );
  });

  test('what was missed waits for the disk like everything else', () => {
    const { client, database } = setUp({ confirmed: true, missed: () => undefined });
    client.trace();
    client.say(RESUME);
    database.flushTurn();
    expect(client.trace()).toBe('');
    database.log.sync();
    expect(client.trace()).toBe('resumed by snapshot set1: user[ada]\nposition 2');
  });
});

describe('bad input', () => {
  test('Resume that is not the first message', () => {
    const { client, say } = setUp();
    say({ kind: 'oneOffQuery', requestId: 2, query: 'SELECT * FROM user' }, RESUME);
    expect(client.closedWith).toBe('1011 a connection is resumed with its first message or not at all');
  });

  test('a set that is resumed twice', () => {
    const { client, database, say } = setUp();
    say({ ...RESUME, querySets: [...RESUME.querySets, ...RESUME.querySets] });
    expect(client.closedWith).toBe('1011 query set 1 is resumed twice');
    expect(database.attachments).toBe(0);
  });

  test('Resume on a connection that did not agree to it', () => {
    const database = new FakeRuntime();
    const client = new MemoryClient(database, { version: 'v3' });
    client.session.start();
    client.deliver(encodeFrame([RESUME]));
    expect(client.closedWith).toMatch(/^1011 there is no client message 128/);
  });
});
