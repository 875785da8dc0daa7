import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { seededRandom } from '../../src/base/random.js';
import { encodeTextClientMessage } from '../../src/protocols/spacetimedb/messages/v1-text/messages.js';
import type { FrameLink, FrameListener, FrameServer, LinkOptions } from './frames.js';
import { Inbox } from './inbox.js';

/*
 * What the server does for the Python SDK of 2024 (`v1.text`), whatever carries the frames. The client here keeps a
 * cache as that SDK does: one entry per row_pk, and it complains of what the SDK would trip over.
 */

interface Operation {
  readonly op: 'insert' | 'delete';
  readonly row_pk: string;
  readonly row: readonly unknown[];
}
interface Tables {
  readonly table_updates: readonly {
    readonly table_name: string;
    readonly table_row_operations: readonly Operation[];
  }[];
}
interface Event {
  readonly status: string;
  readonly caller_identity: string;
  readonly caller_address: string;
  readonly function_call: { readonly reducer: string; readonly args: string };
  readonly message: string | null;
}
interface Message {
  readonly IdentityToken?: { readonly token: string; readonly identity: string; readonly address: string };
  readonly SubscriptionUpdate?: Tables;
  readonly TransactionUpdate?: { readonly event: Event; readonly subscription_update: Tables };
}

class TextClient implements FrameListener {
  link!: FrameLink;
  readonly cache = new Map<string, string>();
  readonly #inbox = new Inbox<Message>();

  onFrame(): void {
    throw new Error('this protocol has no binary frames');
  }

  onText(text: string): void {
    this.#inbox.push(JSON.parse(text) as Message);
  }

  onClose(code: number, reason: string): void {
    this.#inbox.end(code, reason);
  }

  subscribe(...queries: readonly string[]): void {
    this.link.sendText(encodeTextClientMessage({ kind: 'subscribe', queries }));
  }

  call(reducer: string, ...args: readonly unknown[]): void {
    this.link.sendText(encodeTextClientMessage({ kind: 'call', reducer, args: JSON.stringify(args) }));
  }

  end(): Promise<string> {
    return this.#inbox.ended();
  }

  async hello(): Promise<NonNullable<Message['IdentityToken']>> {
    const { IdentityToken } = await this.#inbox.next();
    if (IdentityToken === undefined) throw new Error('the first message is IdentityToken');
    return IdentityToken;
  }

  /** The next message as a line. */
  async hear(): Promise<string> {
    const { SubscriptionUpdate, TransactionUpdate } = await this.#inbox.next();
    if (SubscriptionUpdate !== undefined) return `applied${this.#apply(SubscriptionUpdate)}`;
    if (TransactionUpdate === undefined) throw new Error('an unknown message');
    const { event, subscription_update } = TransactionUpdate;
    const { reducer, args } = event.function_call;
    const head = `${reducer}${args} by ${event.caller_identity.slice(-4)} ${event.status}`;
    return `${head}${event.message === null ? '' : `: ${event.message}`}${this.#apply(subscription_update)}`;
  }

  /** Changes the cache as the SDK does, and complains where it would. */
  #apply({ table_updates: updates }: Tables): string {
    return updates
      .map(({ table_name: table, table_row_operations: operations }) => {
        const lines = operations.map(({ op, row_pk, row }) => {
          const key = `${table} ${row_pk}`;
          if (op === 'delete' && !this.cache.delete(key))
            throw new Error(`deleted what is not there: ${key}`);
          if (op === 'insert' && this.cache.has(key)) throw new Error(`inserted twice: ${key}`);
          if (op === 'insert') this.cache.set(key, JSON.stringify(row));
          return `${op === 'insert' ? '+' : '-'}${row.join(':')}`;
        });
        return ` ${table}(${lines.toSorted().join(' ')})`;
      })
      .join('');
  }
}

export function runTextSuite({
  name,
  start,
}: {
  readonly name: string;
  readonly start: () => Promise<FrameServer>;
}): void {
  describe(`v1.text.spacetimedb over ${name}`, () => {
    let server: FrameServer;

    beforeEach(async () => {
      server = await start();
    });
    afterEach(() => server.close());

    const connect = async (options: Partial<LinkOptions> = {}): Promise<TextClient> => {
      const client = new TextClient();
      client.link = await server.open({ protocol: 'v1.text.spacetimedb', ...options }, client);
      return client;
    };
    const join = async (): Promise<[TextClient, string]> => {
      const client = await connect();
      return [client, (await client.hello()).identity.slice(-4)];
    };

    test('the first message tells token, identity and address; the token gives the same identity', async () => {
      const first = await (await connect()).hello();
      expect(first.identity).toMatch(/^c200[0-9a-f]{60}$/);
      expect(first.address).toMatch(/^[0-9a-f]{32}$/);
      const second = await (await connect({ token: first.token })).hello();
      expect(second.identity).toBe(first.identity);
      expect(second.address).not.toBe(first.address);
    });

    test('tables go by the names of their classes, in queries and in updates', async () => {
      const [client, who] = await join();
      client.subscribe("SELECT * FROM User WHERE User.name = 'root' OR id = 1", 'SELECT * FROM tag');
      expect(await client.hear()).toBe('applied User(+0:root) Tag()');
      client.call('put_user', 1, 'ada');
      expect(await client.hear()).toBe(`put_user[1,"ada"] by ${who} committed User(+1:ada)`);
    });

    test('everybody who follows the rows hears reducer, arguments and caller', async () => {
      const [[watcher], [writer, who], [bystander, bystanderWho]] = [
        await join(),
        await join(),
        await join(),
      ];
      watcher.subscribe('SELECT * FROM User');
      await watcher.hear();
      writer.call('put_user', 0, 'ada');
      expect(await writer.hear()).toBe(`put_user[0,"ada"] by ${who} committed`);
      expect(await watcher.hear()).toBe(`put_user[0,"ada"] by ${who} committed User(+0:ada -0:root)`);
      bystander.call('drop_user', 7);
      expect(await bystander.hear()).toBe(`drop_user[7] by ${bystanderWho} committed`);
    });

    test('what fails is told to the caller alone, with its text', async () => {
      const [[client, who], [watcher, watcherWho]] = [await join(), await join()];
      watcher.subscribe('SELECT * FROM User');
      await watcher.hear();
      client.call('half_then_refuse', 5);
      client.call('add_usr', 'x');
      client.call('put_user', 'one', 'ada');
      client.call('come_in');
      expect(await client.hear()).toBe(`half_then_refuse[5] by ${who} failed: only half`);
      expect(await client.hear()).toMatch(/^add_usr\["x"\] by .* failed: no such reducer: `add_usr`/);
      expect(await client.hear()).toMatch(
        /^put_user\["one","ada"\] by .* failed: invalid arguments for reducer put_user/,
      );
      expect(await client.hear()).toMatch(/^come_in\[\] by .* failed: can't directly call/);
      watcher.call('drop_user', 7);
      expect(await watcher.hear()).toBe(`drop_user[7] by ${watcherWho} committed`);
    });

    test('numbers beyond 2^53 are refused where they do not fit, never rounded', async () => {
      const [client] = await join();
      client.link.sendText('{"call":{"fn":"drop_user","args":[9007199254740993]}}');
      expect(await client.hear()).toMatch(
        /^drop_user\[9007199254740993\] by .* failed: .*9007199254740993 is not a whole number in the range of u32/,
      );
    });

    test('identities are hexadecimal digits, with or without 0x', async () => {
      const client = await connect();
      const { identity } = await client.hello();
      client.call('ban', [identity]);
      expect(await client.hear()).toBe(`ban[["${identity}"]] by ${identity.slice(-4)} committed`);
      client.call('ban', [`0x${'1'.repeat(64)}`]);
      expect(await client.hear()).toBe(`ban[["${'1'.repeat(64)}"]] by ${identity.slice(-4)} committed`);
    });

    test('a row that is in several queries is told once', async () => {
      const [client, who] = await join();
      client.subscribe('SELECT * FROM User', "SELECT * FROM User WHERE name = 'ada'");
      expect(await client.hear()).toBe('applied User(+0:root)');
      client.call('put_user', 1, 'ada');
      expect(await client.hear()).toBe(`put_user[1,"ada"] by ${who} committed User(+1:ada)`);
      client.call('put_user', 1, 'bob');
      expect(await client.hear()).toBe(`put_user[1,"bob"] by ${who} committed User(+1:bob -1:ada)`);
      client.call('drop_user', 1);
      expect(await client.hear()).toBe(`drop_user[1] by ${who} committed User(-1:bob)`);
    });

    test('another subscribe is answered with the difference', async () => {
      const [client, who] = await join();
      client.subscribe('SELECT * FROM User');
      await client.hear();
      client.subscribe('SELECT * FROM User WHERE id = 0', 'SELECT * FROM Tag');
      expect(await client.hear()).toBe('applied User() Tag()');
      client.call('add_tag', 'x', 1);
      expect(await client.hear()).toBe(`add_tag["x",1] by ${who} committed Tag(+x:1)`);
      client.subscribe('SELECT * FROM Tag');
      expect(await client.hear()).toBe('applied User(-0:root) Tag()');
      expect([...client.cache.values()]).toEqual(['["x",1]']);
    });

    test.each([
      ['{"subscribe":{"query_strings":["SELECT * FROM Usr"]}}', /^1011 no such table: `Usr`/],
      ['{"subscribe":{}}', /^1011 subscribe: query_strings is missing/],
      ['hello', /^1011 not JSON/],
    ])('%j ends the connection with the reason', async (text, reason) => {
      const [[client], [other, who]] = [await join(), await join()];
      client.link.sendText(text);
      expect(await client.end()).toMatch(reason);
      other.call('drop_user', 7);
      expect(await other.hear()).toBe(`drop_user[7] by ${who} committed`);
    });

    test('a cache that is kept by these rules is what a fresh subscription shows', async () => {
      const random = seededRandom(5);
      const below = (n: number): number => random.nextUint32() % n;
      const queries = [
        'SELECT * FROM Tag',
        'SELECT * FROM Tag WHERE weight < 2',
        "SELECT * FROM Tag WHERE word = 'a' OR weight = 3",
        'SELECT * FROM User WHERE id = 2',
        'SELECT * FROM User',
      ];
      const [client] = await join();
      for (let round = 0; round < 300; round++) {
        const word = 'abc'[below(3)]!;
        const act = below(10);
        if (act < 1) client.subscribe(...queries.filter(() => below(2) === 0));
        else if (act < 5) client.call('add_tag', word, below(5));
        else if (act < 8) client.call('drop_tag', word, below(5));
        else client.call('put_user', below(4), word);
        await client.hear();
      }
      client.subscribe('SELECT * FROM Tag', 'SELECT * FROM User');
      await client.hear();
      const [fresh] = await join();
      fresh.subscribe('SELECT * FROM Tag', 'SELECT * FROM User');
      await fresh.hear();
      expect(Object.fromEntries(client.cache)).toEqual(Object.fromEntries(fresh.cache));
      expect(fresh.cache.size).toBeGreaterThan(5);
    });
  });
}
