import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { compileCodec, encodeToBytes } from '../../src/values/bsatn/codec.js';
import type { ClientMessage } from '../../src/protocols/spacetimedb/messages/client-messages.js';
import type { ServerMessage } from '../../src/protocols/spacetimedb/messages/server-messages.js';
import { module } from './chat-module.js';
import { describeRow, encodeFrame } from './wire-client.js';
import type { WireClient } from './wire-client.js';

/*
 * What every server of the SpacetimeDB protocol does, whatever carries the frames: the suite is run over memory and
 * over WebSocket, with v2 and v3.
 */

export interface ConnectOptions {
  readonly version: 'v2' | 'v3';
  /** From an earlier InitialConnection, or `owner` for the owner of the database. */
  readonly token?: string;
  readonly confirmed?: boolean;
}

/** A server that runs `chat-module.ts` and has just been started. */
export interface SuiteServer {
  connect(options: ConnectOptions): Promise<WireClient>;
  close(): Promise<void>;
}

export interface SuiteOptions {
  readonly name: string;
  readonly start: () => Promise<SuiteServer>;
  /** Tests that this carrier cannot pass, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

const params = new Map(
  module.def.reducers.map(({ name, params }) => [name, compileCodec(params, module.def.schema.typespace)]),
);

/** A call with arguments by name, encoded as the reducer wants them. */
function call(requestId: number, reducer: string, args: object = {}): ClientMessage {
  const codec = params.get(reducer);
  return {
    kind: 'callReducer',
    requestId,
    reducer,
    args: codec === undefined ? new Uint8Array(0) : encodeToBytes(codec, args),
  };
}

function subscribe(requestId: number, querySetId: number, ...queries: readonly string[]): ClientMessage {
  return { kind: 'subscribe', requestId, querySetId, queries };
}

function unsubscribe(requestId: number, querySetId: number, sendDroppedRows = true): ClientMessage {
  return { kind: 'unsubscribe', requestId, querySetId, sendDroppedRows };
}

const USERS = 'SELECT * FROM user';

export function runSuite({ name, start, skip = [] }: SuiteOptions): void {
  const skipped = new Set(skip.flatMap(({ tests }) => tests));
  describe.each(['v2', 'v3'] as const)(`spacetimedb %s over ${name}`, (version) => {
    let server: SuiteServer;

    beforeEach(async () => {
      server = await start();
    });
    afterEach(() => server.close());

    const it = (title: string, run: () => Promise<void>): void =>
      skipped.has(title) ? test.skip(title, run) : test(title, run);

    /** A client who was said hello to. */
    const join = async (options: Partial<ConnectOptions> = {}): Promise<WireClient> => {
      const client = await server.connect({ version, ...options });
      await client.hello();
      return client;
    };

    describe('connections', () => {
      it('the first message tells identity, connection and token', async () => {
        const client = await server.connect({ version });
        const hello = await client.hello();
        expect(hello.token.length).toBeGreaterThan(0);
        expect(hello.connectionId.isZero()).toBe(false);
        expect(hello.identity.toHexString()).toMatch(/^c200/);
      });

      it('the same token gives the same identity and another connection', async () => {
        const first = await (await server.connect({ version })).hello();
        const second = await (await server.connect({ version, token: first.token })).hello();
        expect(second.identity.isEqual(first.identity)).toBe(true);
        expect(second.connectionId.isEqual(first.connectionId)).toBe(false);
        const stranger = await (await server.connect({ version })).hello();
        expect(stranger.identity.isEqual(first.identity)).toBe(false);
      });

      it('others see a client come and go', async () => {
        const watcher = await join();
        watcher.say([subscribe(1, 1, 'SELECT * FROM online WHERE connections = 1')]);
        await watcher.hear(1);
        const guest = await server.connect({ version });
        const who = (await guest.hello()).identity.toHexString().slice(-4);
        expect(await watcher.hear(1)).toBe(`update set1: online(+${who}:1)`);
        guest.link.close();
        expect(await watcher.hear(1)).toBe(`update set1: online(-${who}:1)`);
      });

      it('a client that the module refuses is dropped without a word', async () => {
        const first = await server.connect({ version });
        const { identity, token } = await first.hello();
        first.say([call(1, 'ban', { who: identity })]);
        expect(await first.hear(1)).toBe('ok 1');
        const again = await server.connect({ version, token });
        expect(await again.end()).toMatch(/^1006/);
        expect(again.framesReceived).toEqual([]);
        expect(await first.hearAll()).toBe('');
      });
    });

    describe('subscriptions', () => {
      it('a subscriber gets the rows that are there, then every change', async () => {
        const [watcher, writer] = [await join(), await join()];
        watcher.say([subscribe(1, 5, USERS)]);
        expect(await watcher.hear(1)).toBe('applied 1/5 user[0:root]');
        writer.say([
          call(1, 'add_user', { id: 1, name: 'ada' }),
          call(2, 'put_user', { id: 1, name: 'Ada' }),
          call(3, 'drop_user', { id: 1 }),
        ]);
        expect(await writer.hear(3)).toBe('ok 1\nok 2\nok 3');
        expect(await watcher.hear(3)).toBe(
          'update set5: user(+1:ada)\nupdate set5: user(+1:Ada-1:ada)\nupdate set5: user(-1:Ada)',
        );
      });

      it('the caller gets his rows inside of the result, and no update besides', async () => {
        const writer = await join();
        writer.say([subscribe(1, 0, USERS), call(2, 'add_user', { id: 1, name: 'ada' })]);
        expect(await writer.hearAll()).toBe('applied 1/0 user[0:root]\nok 2 set0: user(+1:ada)');
      });

      it('another connection of the caller gets an update', async () => {
        const first = await server.connect({ version });
        const { token } = await first.hello();
        const second = await join({ token });
        second.say([subscribe(1, 1, USERS)]);
        await second.hear(1);
        first.say([call(1, 'add_user', { id: 1, name: 'ada' })]);
        expect(await second.hear(1)).toBe('update set1: user(+1:ada)');
      });

      it('overlapping queries each deliver the row', async () => {
        const client = await join();
        client.say([
          subscribe(1, 1, USERS, 'SELECT * FROM user WHERE id = 1'),
          subscribe(2, 2, USERS),
          call(3, 'add_user', { id: 1, name: 'ada' }),
        ]);
        expect(await client.hear(3)).toBe(
          'applied 1/1 user[0:root] user[]\napplied 2/2 user[0:root]\n' +
            'ok 3 set1: user(+1:ada +1:ada) set2: user(+1:ada)',
        );
      });

      it('the same query in other words is another query of the set', async () => {
        const client = await join();
        client.say([
          subscribe(1, 1, USERS, `SELECT "user".* FROM "user"`),
          call(2, 'add_user', { id: 1, name: 'ada' }),
        ]);
        expect(await client.hear(2)).toBe(
          'applied 1/1 user[0:root] user[0:root]\nok 2 set1: user(+1:ada +1:ada)',
        );
      });

      it('a row that enters or leaves a query is an insert or a delete', async () => {
        const client = await join();
        client.say([
          subscribe(1, 1, "SELECT * FROM user WHERE name = 'ada'"),
          call(2, 'add_user', { id: 1, name: 'bob' }),
          call(3, 'put_user', { id: 1, name: 'ada' }),
          call(4, 'put_user', { id: 1, name: 'eve' }),
        ]);
        expect(await client.hear(4)).toBe(
          'applied 1/1 user[]\nok 2\nok 3 set1: user(+1:ada)\nok 4 set1: user(-1:ada)',
        );
      });

      it('what a transaction takes back is not told', async () => {
        const [watcher, writer] = [await join(), await join()];
        watcher.say([subscribe(1, 1, USERS)]);
        await watcher.hear(1);
        writer.say([call(1, 'come_and_go', { id: 5 })]);
        await writer.hear(1);
        expect(await watcher.hearAll()).toBe('');
      });

      it('events are told once and never kept', async () => {
        const client = await join();
        client.say([
          subscribe(1, 1, 'SELECT * FROM pulse'),
          call(2, 'beat', { n: 3 }),
          subscribe(3, 2, 'SELECT * FROM pulse'),
        ]);
        expect(await client.hear(3)).toBe('applied 1/1 pulse[]\nok 2 set1: pulse(!3)\napplied 3/2 pulse[]');
      });

      it('private tables exist for the owner only', async () => {
        const [stranger, owner] = [await join(), await join({ token: 'owner' })];
        const query = 'SELECT * FROM secret';
        stranger.say([subscribe(1, 1, query)]);
        expect(await stranger.hear(1)).toMatch(
          /^refused 1\/1 no such table: `secret`. If the table exists, it may be marked private./,
        );
        owner.say([subscribe(1, 1, query)]);
        expect(await owner.hear(1)).toBe('applied 1/1 secret[7]');
      });

      it('SELECT * FROM * follows every table that the client may read', async () => {
        const client = await join();
        client.say([subscribe(1, 1, 'select * from *')]);
        const applied = await client.next();
        const tables = applied.kind === 'subscribeApplied' ? applied.tables.map(({ table }) => table) : [];
        expect(tables.toSorted()).toEqual(['note', 'online', 'pulse', 'tag', 'user']);
      });

      it(':sender is who asks', async () => {
        const [first, second] = [await join(), await join()];
        const mine = 'SELECT * FROM note WHERE author = :sender';
        first.say([subscribe(1, 1, mine)]);
        second.say([subscribe(1, 1, mine)]);
        await Promise.all([first.hear(1), second.hear(1)]);
        first.say([call(2, 'write', { text: 'hi', score: 1 })]);
        expect(await first.hear(1)).toMatch(/^ok 2 set1: note\(\+1:[0-9a-f]{4}:hi:1\)$/);
        expect(await second.hearAll()).toBe('');
      });

      it('a set with a bad query is refused as a whole', async () => {
        const client = await join();
        client.say([subscribe(1, 1, USERS, 'SELECT * FROM usr'), subscribe(2, 1, USERS)]);
        expect(await client.hear(1)).toMatch(
          /^refused 1\/1 no such table: `usr`.*, executing: `SELECT \* FROM usr`$/s,
        );
        expect(await client.hear(1)).toBe('applied 2/1 user[0:root]');
      });

      it('an id in use is refused, an unknown one too', async () => {
        const client = await join();
        client.say([subscribe(1, 1, USERS), subscribe(2, 1, USERS), unsubscribe(3, 8)]);
        expect(await client.hear(1)).toMatch(/^applied 1\/1/);
        expect(await client.hear(1)).toMatch(/^refused 2\/1 /);
        expect(await client.hear(1)).toMatch(/^refused 3\/8 /);
      });

      it('who unsubscribes gets the rows of the set, if he asks, and no more', async () => {
        const client = await join();
        client.say([
          subscribe(1, 1, USERS),
          subscribe(2, 2, USERS),
          call(3, 'add_user', { id: 1, name: 'ada' }),
          unsubscribe(4, 1, true),
          unsubscribe(5, 2, false),
          call(6, 'drop_user', { id: 1 }),
        ]);
        expect(await client.hear(6)).toBe(
          'applied 1/1 user[0:root]\napplied 2/2 user[0:root]\nok 3 set1: user(+1:ada) set2: user(+1:ada)\n' +
            'dropped 4/1 user[0:root,1:ada]\ndropped 5/2\nok 6',
        );
      });

      it('a one-off query reads one table once', async () => {
        const client = await join();
        client.say([
          { kind: 'oneOffQuery', requestId: 1, query: "SELECT * FROM user WHERE name = 'root'" },
          { kind: 'oneOffQuery', requestId: 2, query: 'SELECT * FROM secret' },
        ]);
        expect(await client.hear(1)).toBe('rows 1 user[0:root]');
        expect(await client.hear(1)).toMatch(/^rows 2 no such table: `secret`/);
      });
    });

    describe('calls', () => {
      it('answers come in the order of the questions', async () => {
        const client = await join();
        const messages = Array.from({ length: 300 }, (_, i) =>
          call(i, 'put_user', { id: i % 7, name: `n${i}` }),
        );
        client.say(messages, version === 'v3');
        const lines = (await client.hear(300)).split('\n');
        expect(lines).toEqual(messages.map((_, i) => `ok ${i}`));
      });

      it('a refusal is the author’s text, a crash is the error, and neither leaves a trace', async () => {
        const client = await join();
        client.say([
          subscribe(1, 1, USERS),
          call(2, 'half_then_refuse', { id: 5 }),
          call(3, 'crash'),
          call(4, 'add_user', { id: 0, name: 'again' }),
        ]);
        expect(await client.hear(3)).toBe('applied 1/1 user[0:root]\nerr 2 only half\nbroke 3 a mistake');
        expect(await client.hear(1)).toMatch(/^broke 4 .*unique/i);
        expect(await client.hearAll()).toBe('');
      });

      it('what is not there, is not for clients or does not fit is an internal error', async () => {
        const client = await join();
        client.say([
          call(1, 'add_usr'),
          call(2, 'come_in'),
          { kind: 'callReducer', requestId: 3, reducer: 'add_user', args: Uint8Array.of(1, 2) },
          { kind: 'callReducer', requestId: 4, reducer: 'drop_user', args: Uint8Array.of(1, 0, 0, 0, 9) },
          { kind: 'callProcedure', requestId: 5, procedure: 'p', args: new Uint8Array(0) },
        ]);
        expect(await client.hear(1)).toMatch(/^broke 1 no such reducer: `add_usr`/);
        expect(await client.hear(1)).toBe("broke 2 can't directly call special OnConnect lifecycle reducer");
        expect(await client.hear(1)).toMatch(/^broke 3 invalid arguments for reducer add_user/);
        expect(await client.hear(1)).toMatch(/^broke 4 invalid arguments for reducer drop_user/);
        expect(await client.hear(1)).toMatch(/^procedure 5 no such procedure/);
      });

      it('a client that does not wait for the disk hears the same', async () => {
        const client = await join({ confirmed: false });
        client.say([subscribe(1, 1, USERS), call(2, 'add_user', { id: 1, name: 'ada' })]);
        expect(await client.hear(2)).toBe('applied 1/1 user[0:root]\nok 2 set1: user(+1:ada)');
      });
    });

    describe('bad input', () => {
      it('a frame that is no message closes with 1011', async () => {
        const [client, other] = [await join(), await join()];
        client.link.send([Uint8Array.of(0xee)]);
        expect(await client.end()).toMatch(/^1011 there is no client message 238/);
        other.say([call(1, 'add_user', { id: 1, name: 'ada' })]);
        expect(await other.hear(1)).toBe('ok 1');
      });

      it('an empty frame and a text frame close with 1011', async () => {
        const [empty, text] = [await join(), await join()];
        empty.link.send([new Uint8Array(0)]);
        text.link.sendText('{}');
        expect(await empty.end()).toMatch(/^1011 /);
        expect(await text.end()).toMatch(/^1011 /);
      });

      it('what came before a bad message has happened', async () => {
        const [client, watcher] = [await join(), await join()];
        watcher.say([subscribe(1, 1, USERS)]);
        await watcher.hear(1);
        client.link.send([encodeFrame([call(1, 'add_user', { id: 1, name: 'ada' })]), Uint8Array.of(0xee)]);
        expect(await watcher.hear(1)).toBe('update set1: user(+1:ada)');
        expect(await client.end()).toMatch(/^1011 /);
      });

      it('a length that lies costs nothing but the connection', async () => {
        const client = await join();
        client.link.send([Uint8Array.of(0, 1, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff)]);
        expect(await client.end()).toMatch(/^1011 need /);
      });
    });

    it('what clients put together from updates is what a fresh subscription shows', async () => {
      const random = seededRandom(7);
      const below = (n: number): number => random.nextUint32() % n;
      const clients = await Promise.all([0, 1, 2].map(() => join()));
      const caches = clients.map(() => new BagCache());
      const queries = [
        'SELECT * FROM tag',
        'SELECT * FROM tag WHERE weight < 2',
        "SELECT * FROM tag WHERE word = 'a' OR weight = 3",
        'SELECT * FROM user WHERE id = 2',
        'SELECT * FROM user',
      ];
      for (const [i, client] of clients.entries()) {
        for (let round = 0; round < 60; round++) {
          const requestId = round + 1;
          const act = below(10);
          const word = 'abc'[below(3)]!;
          if (act === 0) client.say([subscribe(requestId, below(4), queries[below(5)]!, queries[below(5)]!)]);
          else if (act === 1) client.say([unsubscribe(requestId, below(4))]);
          else if (act < 5) client.say([call(requestId, 'add_tag', { word, weight: below(5) })]);
          else if (act < 8) client.say([call(requestId, 'drop_tag', { word, weight: below(5) })]);
          else client.say([call(requestId, 'put_user', { id: below(4), name: word })]);
        }
        for (let answered = 0; answered < 60;) {
          const message = await client.next();
          caches[i]!.apply(message);
          if (message.kind !== 'transactionUpdate') answered += 1;
        }
      }
      for (const [i, client] of clients.entries()) {
        // A call that does nothing: all updates were said before its answer.
        client.say([{ kind: 'callProcedure', requestId: 100, procedure: '', args: new Uint8Array(0) }]);
        for (;;) {
          const message = await client.next();
          if (message.kind === 'procedureResult') break;
          caches[i]!.apply(message);
        }
        for (const id of caches[i]!.setIds) {
          client.say([unsubscribe(200, id, true)]);
          const dropped = await client.next();
          expect(caches[i]!.rowsOf(id)).toEqual(BagCache.rowsIn(dropped));
        }
      }
    });
  });
}

/** What a client has put together of its query sets: rows with how often they are held. */
class BagCache {
  readonly #sets = new Map<number, Map<string, number>>();

  get setIds(): readonly number[] {
    return [...this.#sets.keys()];
  }

  rowsOf(id: number): readonly string[] {
    return listBag(this.#sets.get(id) ?? new Map<string, number>());
  }

  static rowsIn(message: ServerMessage): readonly string[] {
    if (message.kind !== 'unsubscribeApplied') throw new Error(`unexpected ${message.kind}`);
    const bag = new Map<string, number>();
    for (const { table, rows } of message.tables ?? []) addRows(bag, table, rows.rows(), 1);
    return listBag(bag);
  }

  apply(message: ServerMessage): void {
    if (message.kind === 'subscribeApplied') {
      const bag = new Map<string, number>();
      for (const { table, rows } of message.tables) addRows(bag, table, rows.rows(), 1);
      this.#sets.set(message.querySetId, bag);
    } else if (message.kind === 'unsubscribeApplied') {
      expect(this.rowsOf(message.querySetId)).toEqual(BagCache.rowsIn(message));
      this.#sets.delete(message.querySetId);
    } else if (message.kind === 'transactionUpdate') {
      this.#applyUpdate(message.querySets);
    } else if (message.kind === 'reducerResult' && message.outcome.kind === 'ok') {
      this.#applyUpdate(message.outcome.querySets);
    }
  }

  #applyUpdate(querySets: Extract<ServerMessage, { kind: 'transactionUpdate' }>['querySets']): void {
    for (const { querySetId, tables } of querySets) {
      const bag = this.#sets.get(querySetId);
      if (bag === undefined) throw new Error(`an update for set ${querySetId}, which is not held`);
      for (const { table, rows } of tables) {
        for (const update of rows) {
          if (update.kind === 'event') continue;
          addRows(bag, table, update.inserts.rows(), 1);
          addRows(bag, table, update.deletes.rows(), -1);
        }
      }
      for (const count of bag.values()) expect(count).toBeGreaterThanOrEqual(0);
    }
  }
}

function addRows(bag: Map<string, number>, table: string, rows: readonly Uint8Array[], sign: 1 | -1): void {
  for (const row of rows) {
    const key = `${table} ${describeRow(table, row)}`;
    bag.set(key, (bag.get(key) ?? 0) + sign);
  }
}

function listBag(bag: ReadonlyMap<string, number>): readonly string[] {
  return [...bag]
    .filter(([, count]) => count !== 0)
    .map(([row, count]) => `${count} ${row}`)
    .toSorted();
}
