import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import type { V1Subprotocol } from '../../src/protocols/spacetimedb/messages/frame.js';
import type { ClientMessage } from '../../src/protocols/spacetimedb/messages/v1/client-messages.js';
import { UNKNOWN_REDUCER } from '../../src/protocols/spacetimedb/messages/v1/server-messages.js';
import type { DatabaseUpdate } from '../../src/protocols/spacetimedb/messages/v1/server-messages.js';
import type { FrameServer, LinkOptions } from './frames.js';
import { describeV1, V1Client } from './v1-client.js';
import type { Heard, TextFormat } from './v1-client.js';
import { WireClient } from './wire-client.js';

/*
 * What the server does for clients of v1, in both encodings, whatever carries the frames. Traces show for each
 * transaction what was called, with what, by whom and under which request: `put_user[1,"ada"] by 3f2a #2 user(+1:ada)`.
 */

export interface V1SuiteOptions {
  readonly name: string;
  readonly start: () => Promise<FrameServer>;
}

const USERS = 'SELECT * FROM user';
const ADAS = "SELECT * FROM user WHERE name = 'ada'";

function call(
  requestId: number,
  reducer: string,
  args: object = {},
  noSuccessNotify = false,
): ClientMessage<object> {
  return { kind: 'callReducer', reducer, args, requestId, noSuccessNotify };
}
const subscribe = (requestId: number, ...queries: readonly string[]): ClientMessage<object> => ({
  kind: 'subscribe',
  queries,
  requestId,
});
const single = (requestId: number, queryId: number, query: string): ClientMessage<object> => ({
  kind: 'subscribeSingle',
  query,
  requestId,
  queryId,
});
const multi = (requestId: number, queryId: number, ...queries: readonly string[]): ClientMessage<object> => ({
  kind: 'subscribeMulti',
  queries,
  requestId,
  queryId,
});
const unsubscribe = (requestId: number, queryId: number): ClientMessage<object> => ({
  kind: 'unsubscribe',
  requestId,
  queryId,
});
const unsubscribeMulti = (requestId: number, queryId: number): ClientMessage<object> => ({
  kind: 'unsubscribeMulti',
  requestId,
  queryId,
});

export function runV1Suite({ name, start }: V1SuiteOptions): void {
  describe.each(['v1.bsatn.spacetimedb', 'v1.json.spacetimedb'] as const)(`%s over ${name}`, (protocol) => {
    let server: FrameServer;

    beforeEach(async () => {
      server = await start();
    });
    afterEach(() => server.close());

    const connect = async (
      options: Partial<LinkOptions> & { readonly protocol?: V1Subprotocol } = {},
    ): Promise<V1Client> => {
      const client = new V1Client(options.protocol ?? protocol);
      client.link = await server.open({ protocol, ...options }, client);
      return client;
    };
    /** A client who was said hello to, and the end of his identity. */
    const join = async (options: Parameters<typeof connect>[0] = {}): Promise<[V1Client, string]> => {
      const client = await connect(options);
      const { identity } = await client.hello();
      return [client, identity.toHexString().slice(-4)];
    };

    describe('connections', () => {
      test('the first message tells identity, token and connection', async () => {
        const first = await (await connect()).hello();
        const second = await (await connect({ token: first.token })).hello();
        expect(second.identity.isEqual(first.identity)).toBe(true);
        expect(second.connectionId.isEqual(first.connectionId)).toBe(false);
        expect(second.connectionId.isZero()).toBe(false);
      });

      test('others hear which lifecycle reducer let a client come and go', async () => {
        const [watcher] = await join();
        watcher.say(single(1, 1, 'SELECT * FROM online WHERE connections = 1'));
        await watcher.hear(1);
        const [guest, who] = await join();
        expect(await watcher.hear(1)).toBe(`come_in[] by ${who} #0 online(+${who}:1)`);
        guest.link.close();
        expect(await watcher.hear(1)).toBe(`go_away[] by ${who} #0 online(-${who}:1)`);
      });
    });

    describe('calls', () => {
      test('the caller and everybody who follows the rows hear name, arguments and caller', async () => {
        const [[watcher], [writer, who], [bystander]] = [await join(), await join(), await join()];
        watcher.say(single(1, 1, USERS));
        await watcher.hear(1);
        writer.say(call(7, 'put_user', { id: 1, name: 'ada' }));
        expect(await writer.hear(1)).toBe(`put_user[1,"ada"] by ${who} #7`);
        expect(await watcher.hear(1)).toBe(`put_user[1,"ada"] by ${who} #0 user(+1:ada)`);
        expect(await bystander.hearAll()).toBe('');
      });

      test('the message says when, for which connection, and the reducer’s number', async () => {
        const client = await connect();
        const { connectionId } = await client.hello();
        client.say(call(1, 'put_user', { id: 1, name: 'ada' }));
        const update = await client.next();
        if (update.kind !== 'transactionUpdate') throw new Error(describeV1(update));
        expect(update.callerConnection.isEqual(connectionId)).toBe(true);
        expect(update.call.reducerId).toBeLessThan(100);
      });

      test('clients of all versions hear of each other', async () => {
        const other = protocol === 'v1.json.spacetimedb' ? 'v1.bsatn.spacetimedb' : 'v1.json.spacetimedb';
        const [[one, who], [two, whoTwo]] = [await join(), await join({ protocol: other })];
        const three = new WireClient();
        three.link = await server.open({ protocol: 'v3.bsatn.spacetimedb' }, three);
        await three.hello();
        three.say([{ kind: 'subscribe', requestId: 1, querySetId: 1, queries: [USERS] }]);
        for (const client of [one, two]) client.say(single(1, 1, USERS));
        await Promise.all([one.hear(1), two.hear(1), three.hear(1)]);
        one.say(call(2, 'put_user', { id: 1, name: 'ada' }));
        expect(await one.hear(1)).toBe(`put_user[1,"ada"] by ${who} #2 user(+1:ada)`);
        expect(await two.hear(1)).toBe(`put_user[1,"ada"] by ${who} #0 user(+1:ada)`);
        expect(await three.hear(1)).toBe('update set1: user(+1:ada)');
        two.say(call(3, 'drop_user', { id: 1 }));
        expect(await one.hear(1)).toBe(`drop_user[1] by ${whoTwo} #0 user(-1:ada)`);
      });

      test('NoSuccessNotify keeps quiet unless it failed or changed rows that the caller follows', async () => {
        const [client, who] = await join();
        client.say(
          call(1, 'put_user', { id: 1, name: 'ada' }, true),
          single(2, 1, USERS),
          call(3, 'put_user', { id: 2, name: 'bob' }, true),
          call(4, 'half_then_refuse', { id: 5 }, true),
        );
        expect(await client.hearAll()).toBe(
          'subscribeApplied 2/1 user(+0:root,1:ada)\n' +
            `put_user[2,"bob"] by ${who} #3 user(+2:bob)\n` +
            `half_then_refuse[5] by ${who} #4 failed: only half`,
        );
      });

      test('what fails is told to the caller alone, and the connection lives on', async () => {
        const [[client, who], [watcher]] = [await join(), await join()];
        watcher.say(single(1, 1, USERS));
        await watcher.hear(1);
        client.say(
          call(1, 'half_then_refuse', { id: 5 }),
          call(2, 'crash'),
          call(3, 'add_usr'),
          call(4, 'come_in'),
          call(5, 'drop_user', Uint8Array.of(0x5b)),
        );
        const lines = (await client.hearAll()).split('\n');
        expect(lines.slice(0, 2)).toEqual([
          `half_then_refuse[5] by ${who} #1 failed: only half`,
          `crash[] by ${who} #2 failed: a mistake`,
        ]);
        expect(lines[2]).toMatch(/^add_usr\[\] by .* #3 failed: no such reducer: `add_usr`/);
        expect(lines[3]).toMatch(/^come_in\[\] by .* #4 failed: can't directly call special OnConnect/);
        expect(lines[4]).toMatch(/ #5 failed: invalid arguments for reducer drop_user/);
        expect(await watcher.hearAll()).toBe('');
      });

      test('a reducer that is not there has no number', async () => {
        const [client] = await join();
        client.say(call(1, 'add_usr'));
        const update = await client.next();
        expect(update.kind === 'transactionUpdate' && update.call.reducerId).toBe(UNKNOWN_REDUCER);
      });

      test('a procedure is answered', async () => {
        const [client] = await join();
        client.say({ kind: 'callProcedure', procedure: 'p', args: {}, requestId: 9 });
        expect(await client.hear(1)).toBe('procedure 9');
      });

      test('a light client hears what others did, not who; of his own calls all', async () => {
        const [[light, me], [writer]] = [await join({ isLight: true }), await join()];
        light.say(single(1, 1, USERS));
        await light.hear(1);
        writer.say(call(1, 'put_user', { id: 1, name: 'ada' }));
        expect(await light.hear(1)).toBe('light user(+1:ada)');
        light.say(call(2, 'drop_user', { id: 1 }));
        expect(await light.hear(1)).toBe(`drop_user[1] by ${me} #2 user(-1:ada)`);
      });

      test('a client that waits for the disk hears the same', async () => {
        const [client, who] = await join({ confirmed: true });
        client.say(single(1, 1, USERS), call(2, 'put_user', { id: 1, name: 'ada' }));
        expect(await client.hear(2)).toBe(
          `subscribeApplied 1/1 user(+0:root)\nput_user[1,"ada"] by ${who} #2 user(+1:ada)`,
        );
      });
    });

    describe('subscriptions', () => {
      test('Subscribe replaces what the last one asked for', async () => {
        const [client, who] = await join();
        client.say(
          subscribe(1, USERS),
          subscribe(2, 'SELECT * FROM tag'),
          call(3, 'put_user', { id: 1, name: 'ada' }),
          call(4, 'add_tag', { word: 'x', weight: 1 }),
        );
        expect(await client.hear(4)).toBe(
          `initial 1 user(+0:root)\ninitial 2 tag()\nput_user[1,"ada"] by ${who} #3\n` +
            `add_tag["x",1] by ${who} #4 tag(+x:1)`,
        );
      });

      test('sets with an id stay beside it', async () => {
        const [client, who] = await join();
        client.say(multi(1, 1, USERS), subscribe(2, 'SELECT * FROM tag'), subscribe(3));
        expect(await client.hear(3)).toBe(
          'subscribeMultiApplied 1/1 user(+0:root)\ninitial 2 tag()\ninitial 3',
        );
        client.say(call(4, 'put_user', { id: 1, name: 'ada' }));
        expect(await client.hear(1)).toBe(`put_user[1,"ada"] by ${who} #4 user(+1:ada)`);
      });

      test('a query that is held under several ids comes once: rows with the first, gone with the last', async () => {
        const [client, who] = await join();
        client.say(
          multi(1, 1, USERS, 'SELECT * FROM tag'),
          multi(2, 2, USERS, ADAS),
          single(3, 3, USERS),
          call(4, 'put_user', { id: 1, name: 'ada' }),
          unsubscribeMulti(5, 1),
          unsubscribe(6, 3),
          call(7, 'put_user', { id: 2, name: 'bob' }),
          unsubscribeMulti(8, 2),
          call(9, 'put_user', { id: 3, name: 'eve' }),
        );
        expect(await client.hear(9)).toBe(
          [
            'subscribeMultiApplied 1/1 user(+0:root) tag()',
            'subscribeMultiApplied 2/2 user()',
            'subscribeApplied 3/3 user()',
            `put_user[1,"ada"] by ${who} #4 user(+1:ada +1:ada)`,
            'unsubscribeMultiApplied 5/1 tag()',
            'unsubscribeApplied 6/3 user()',
            `put_user[2,"bob"] by ${who} #7 user(+2:bob)`,
            'unsubscribeMultiApplied 8/2 user(-0:root,1:ada,2:bob -1:ada)',
            `put_user[3,"eve"] by ${who} #9`,
          ].join('\n'),
        );
      });

      test('the same query in other words is the same query', async () => {
        const [client, who] = await join();
        client.say(
          multi(1, 1, USERS, `SELECT "user".* FROM "user"`),
          call(2, 'put_user', { id: 1, name: 'ada' }),
        );
        expect(await client.hear(2)).toBe(
          `subscribeMultiApplied 1/1 user(+0:root)\nput_user[1,"ada"] by ${who} #2 user(+1:ada)`,
        );
      });

      test('an id in use is refused, an unknown one too, and nothing else changes', async () => {
        const [client, who] = await join();
        client.say(
          single(1, 1, USERS),
          multi(2, 1, 'SELECT * FROM tag'),
          unsubscribe(3, 8),
          unsubscribeMulti(4, 9),
        );
        expect(await client.hear(1)).toBe('subscribeApplied 1/1 user(+0:root)');
        expect(await client.hear(1)).toMatch(/^refused 2\/1 query id 1 is in use/);
        expect(await client.hear(1)).toMatch(/^refused 3\/8 there is no query id 8/);
        expect(await client.hear(1)).toMatch(/^refused 4\/9 there is no query id 9/);
        client.say(call(5, 'add_tag', { word: 'x', weight: 1 }));
        expect(await client.hear(1)).toBe(`add_tag["x",1] by ${who} #5`);
      });

      test('a bad query refuses the message, with its ids', async () => {
        const [client] = await join();
        client.say(
          subscribe(1, 'SELECT * FROM usr'),
          multi(2, 3, USERS, 'SELECT * FROM secret'),
          single(4, 5, 'SELECT * FROM *'),
        );
        expect(await client.hear(1)).toMatch(/^refused 1\/- no such table: `usr`/);
        expect(await client.hear(1)).toMatch(/^refused 2\/3 no such table: `secret`/);
        expect(await client.hear(1)).toMatch(/^refused 4\/5 SubscribeSingle takes a query of one table/);
        client.say(multi(5, 3, USERS), single(6, 5, USERS));
        expect(await client.hear(2)).toBe(
          'subscribeMultiApplied 5/3 user(+0:root)\nsubscribeApplied 6/5 user()',
        );
      });

      test('events are inserts that are never kept', async () => {
        const [client, who] = await join();
        client.say(single(1, 1, 'SELECT * FROM pulse'), call(2, 'beat', { n: 3 }), unsubscribe(3, 1));
        expect(await client.hear(3)).toBe(
          `subscribeApplied 1/1 pulse()\nbeat[3] by ${who} #2 pulse(+3)\nunsubscribeApplied 3/1 pulse()`,
        );
      });

      test('a one-off query reads one table once', async () => {
        const [client] = await join();
        const once = (id: number, query: string): ClientMessage<object> => ({
          kind: 'oneOffQuery',
          messageId: Uint8Array.of(7, id),
          query,
        });
        client.say(once(1, USERS), once(2, 'SELECT * FROM secret'));
        expect(await client.hear(1)).toBe('rows 7.1 user[0:root]');
        expect(await client.hear(1)).toMatch(/^rows 7.2no such table: `secret`/);
      });

      test('long answers are compressed when the client asks for it, short ones never', async () => {
        if (protocol === 'v1.json.spacetimedb') return;
        for (const [compression, tag] of [
          ['None', 0],
          ['Brotli', 1],
          ['Gzip', 2],
        ] as const) {
          const [client] = await join({ compression });
          client.say(call(1, 'put_user', { id: 1, name: 'x'.repeat(900) }), single(2, 1, USERS));
          client.say(call(3, 'put_user', { id: 1, name: 'x'.repeat(1100) }));
          await client.hear(3);
          expect(client.compressions).toEqual([0, 0, 0, tag]);
        }
      });
    });

    describe('bad input', () => {
      test('what is no message closes with 1011, and nobody else notices', async () => {
        const [[client], [other, who]] = [await join(), await join()];
        client.link.send([protocol === 'v1.json.spacetimedb' ? '{"Subscrib":{}}' : Uint8Array.of(0xee)]);
        expect(await client.end()).toMatch(/^1011 /);
        other.say(call(1, 'put_user', { id: 1, name: 'ada' }));
        expect(await other.hear(1)).toBe(`put_user[1,"ada"] by ${who} #1`);
      });

      test('the other kind of frame closes with 1011', async () => {
        const [client] = await join();
        if (protocol === 'v1.json.spacetimedb') client.link.send([Uint8Array.of(0, 0)]);
        else client.link.sendText('{}');
        expect(await client.end()).toMatch(/^1011 .* frames are not part of this protocol/);
      });

      test('a subscription without its query id closes with 1011', async () => {
        const [client] = await join();
        client.link.send([
          protocol === 'v1.json.spacetimedb'
            ? '{"SubscribeSingle":{"query":"SELECT * FROM user","request_id":1}}'
            : Uint8Array.of(3, 0, 0, 0, 0, 1, 0, 0, 0),
        ]);
        expect(await client.end()).toMatch(/^1011 .*(query_id: is missing|need 4 bytes)/);
      });

      test('numbers beyond 2^53 are exact or refused, never rounded', async () => {
        if (protocol === 'v1.bsatn.spacetimedb') return;
        const [client] = await join();
        const json = (args: string): string =>
          JSON.stringify({ CallReducer: { reducer: 'put_user', args, request_id: 1, flags: 0 } });
        client.link.send([json('[9007199254740993,"ada"]')]);
        expect(await client.hear(1)).toMatch(
          /failed: .*9007199254740993 is not a whole number in the range of u32/,
        );
      });
    });

    test('what clients put together from updates is what a fresh subscription shows', async () => {
      const random = seededRandom(11);
      const below = (n: number): number => random.nextUint32() % n;
      const clients = await Promise.all([0, 1, 2].map(async () => (await join())[0]));
      const caches = clients.map(() => new RowCounts());
      const queries = [
        'SELECT * FROM tag',
        'SELECT * FROM tag WHERE weight < 2',
        "SELECT * FROM tag WHERE word = 'a' OR weight = 3",
        'SELECT * FROM user WHERE id = 2',
        USERS,
      ];
      const held = clients.map(() => new Set<number>());
      for (const [i, client] of clients.entries()) {
        for (let round = 1; round <= 80; round++) {
          const id = below(4);
          const word = 'abc'[below(3)]!;
          const act = below(10);
          if (act < 2 && held[i]!.delete(id)) client.say(unsubscribeMulti(round, id));
          else if (act < 2) {
            held[i]!.add(id);
            client.say(multi(round, id, queries[below(5)]!, queries[below(5)]!));
          } else if (act < 5) client.say(call(round, 'add_tag', { word, weight: below(5) }));
          else if (act < 8) client.say(call(round, 'drop_tag', { word, weight: below(5) }));
          else client.say(call(round, 'put_user', { id: below(4), name: word }));
        }
      }
      for (const [i, client] of clients.entries()) {
        for (let answered = 0; answered < 80;) {
          const message = await client.next();
          caches[i]!.apply(message);
          if (message.kind !== 'transactionUpdate' || isOwn(message)) answered += 1;
        }
      }
      for (const [i, client] of clients.entries()) {
        client.say({ kind: 'callProcedure', requestId: 1, procedure: '', args: {} });
        for (;;) {
          const message = await client.next();
          if (message.kind === 'procedureResult') break;
          caches[i]!.apply(message);
        }
        // What the ids hold goes row by row; nothing may be left, nothing may be missing.
        for (const id of held[i]!) {
          client.say(unsubscribeMulti(900, id));
          caches[i]!.apply(await client.next());
        }
        expect(caches[i]!.rows).toEqual([]);
      }
    });

    /** Calls of this test carry their round; updates by others carry 0. */
    function isOwn(message: Extract<Heard, { kind: 'transactionUpdate' }>): boolean {
      return message.call.requestId > 0;
    }
  });
}

/** Rows with how often they were told. */
class RowCounts {
  readonly #counts = new Map<string, number>();

  get rows(): readonly string[] {
    return [...this.#counts].filter(([, count]) => count !== 0).map(([row, count]) => `${count} ${row}`);
  }

  apply(message: Heard): void {
    if (message.kind === 'subscribeMultiApplied' || message.kind === 'unsubscribeMultiApplied') {
      this.#add(message.update);
    } else if (message.kind === 'transactionUpdate' && message.status.kind === 'committed') {
      this.#add(message.status.update);
    }
  }

  #add(update: DatabaseUpdate<TextFormat>): void {
    for (const { table, updates } of update) {
      for (const { deletes, inserts } of updates) {
        for (const row of inserts) this.#count(`${table} ${row}`, 1);
        for (const row of deletes) this.#count(`${table} ${row}`, -1);
      }
    }
    for (const [row, count] of this.#counts) expect(count, row).toBeGreaterThanOrEqual(0);
  }

  #count(row: string, by: 1 | -1): void {
    this.#counts.set(row, (this.#counts.get(row) ?? 0) + by);
  }
}
