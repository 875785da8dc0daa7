import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DbConnection, tables } from '../../interop/generated/probe-chorale/index.js';
import type { EventContext } from '../../interop/generated/probe-chorale/index.js';
import type { ConnectionId, Identity, TimeDuration, Timestamp, Uuid } from 'chorale/client';

/*
 * What every client of the SpacetimeDB protocol must see of our server, in the words that our client and the npm SDK share.
 * Run over each transport, protocol version and client.
 */

type Builder = ReturnType<typeof DbConnection.builder>;
type Tables = typeof tables;

/** A client and a server to try it on. */
export interface ClientSuite {
  readonly name: string;
  /** The client's own classes of special values. */
  readonly values: {
    readonly Identity: typeof Identity;
    readonly ConnectionId: typeof ConnectionId;
    readonly Timestamp: typeof Timestamp;
    readonly TimeDuration: typeof TimeDuration;
    readonly Uuid: typeof Uuid;
  };
  readonly tables: Tables;
  /** Starts a server with the probe's database, empty. */
  readonly start: () => Promise<RunningServer>;
  /** Tests that do not apply, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
}

export interface RunningServer {
  /** A builder that knows server and database. */
  builder(): Builder;
  stop(): Promise<void>;
}

/** A client that has connected. */
interface Client {
  readonly conn: DbConnection;
  readonly identity: string;
  readonly token: string;
}

export function runClientSuite(suite: ClientSuite): void {
  let server: RunningServer;
  let clients: DbConnection[] = [];

  const connect = (configure: (builder: Builder) => Builder = (builder) => builder): Promise<Client> =>
    new Promise((resolve, reject) => {
      const conn = configure(server.builder())
        .onConnect((conn, identity, token) => resolve({ conn, identity: identity.toHexString(), token }))
        .onConnectError((_, error) => reject(error))
        .build();
      clients.push(conn);
    });

  const subscribe = (
    client: Client,
    ...queries: string[]
  ): Promise<{ unsubscribeThen(onEnd: () => void): void }> =>
    new Promise((resolve, reject) => {
      const handle = client.conn
        .subscriptionBuilder()
        .onApplied(() => queueMicrotask(() => resolve(handle)))
        .onError((ctx) => reject(ctx.event ?? new Error('no error given')))
        .subscribe(queries);
    });

  const it = (name: string, body: () => Promise<void>): void => {
    const skipped = suite.skip?.find(({ tests }) => tests.includes(name));
    test.skipIf(skipped !== undefined)(skipped === undefined ? name : `${name} (${skipped.reason})`, body);
  };

  describe(suite.name, () => {
    beforeEach(async () => {
      server = await suite.start();
      clients = [];
    });
    afterEach(async () => {
      for (const conn of clients) conn.disconnect();
      await server.stop();
    });

    it('an anonymous client gets an identity, and comes back to it with its token', async () => {
      const first = await connect();
      expect(first.identity).toMatch(/^c200[0-9a-f]{60}$/);
      expect(first.conn.identity?.toHexString()).toBe(first.identity);
      const again = await connect((builder) => builder.withToken(first.token));
      expect(again.identity).toBe(first.identity);
      expect(again.token).toBe(first.token);
      const other = await connect();
      expect(other.identity).not.toBe(first.identity);
    });

    it('a token that is none is refused', async () => {
      await expect(connect((builder) => builder.withToken('not-a-token'))).rejects.toThrow();
    });

    it('the cache is complete when a subscription applies, and rows are told after it', async () => {
      const client = await connect();
      await client.conn.reducers.addLabel({ color: 1, text: 'one' });
      await client.conn.reducers.addLabel({ color: 2, text: 'two' });
      const trace: string[] = [];
      client.conn.db.label.onInsert((ctx, row) => trace.push(`+ ${row.text} ${ctx.event.tag}`));
      await new Promise<void>((resolve) => {
        client.conn
          .subscriptionBuilder()
          .onApplied(() => {
            trace.push(`applied ${client.conn.db.label.count()}`);
            queueMicrotask(resolve);
          })
          .subscribe(['SELECT * FROM label']);
      });
      expect(trace[0]).toBe('applied 2');
      expect(trace.slice(1).toSorted()).toEqual(['+ one SubscribeApplied', '+ two SubscribeApplied']);
    });

    it("a reducer's rows are told before its promise resolves, to the caller and to others", async () => {
      const [ada, bob] = [await connect(), await connect()];
      await Promise.all([subscribe(ada, 'SELECT * FROM message'), subscribe(bob, 'SELECT * FROM message')]);
      const trace: string[] = [];
      const log = (who: string, what: string) => (ctx: EventContext, row: { text: string }) =>
        trace.push(`${who} ${what} ${row.text} ${ctx.event.tag}`);
      ada.conn.db.message.onInsert(log('ada', '+'));
      ada.conn.db.message.onUpdate((ctx, old, row) =>
        trace.push(`ada ~ ${old.text} ${row.text} ${ctx.event.tag}`),
      );
      ada.conn.db.message.onDelete(log('ada', '-'));
      const seen = vi.fn();
      bob.conn.db.message.onInsert((ctx, row) => seen(`+ ${row.text} ${ctx.event.tag}`));
      bob.conn.db.message.onUpdate((_, old, row) => seen(`~ ${old.text} ${row.text}`));
      bob.conn.db.message.onDelete((_, row) => seen(`- ${row.text}`));
      await ada.conn.reducers.sendMessage({ text: 'hello' });
      trace.push('sent');
      const [sent] = [...ada.conn.db.message.iter()];
      await ada.conn.reducers.editMessage({ id: sent!.id, text: 'hallo' });
      trace.push('edited');
      await ada.conn.reducers.deleteMessage({ id: sent!.id });
      trace.push('deleted');
      expect(trace).toEqual([
        'ada + hello Reducer',
        'sent',
        'ada ~ hello hallo Reducer',
        'edited',
        'ada - hallo Reducer',
        'deleted',
      ]);
      await vi.waitFor(() => expect(seen).toHaveBeenCalledTimes(3));
      expect(seen.mock.calls.flat()).toEqual(['+ hello Transaction', '~ hello hallo', '- hallo']);
      expect(bob.conn.db.message.count()).toBe(0n);
    });

    it('what the author refuses and what breaks are two kinds of errors, and change nothing', async () => {
      const client = await connect();
      await subscribe(client, 'SELECT * FROM label');
      const refused = client.conn.reducers.setName({ name: '' });
      await expect(refused).rejects.toMatchObject({
        name: 'SenderError',
        message: 'A name needs at least one letter',
      });
      const broken: unknown = await client.conn.reducers.crash({}).catch((error: unknown) => error);
      expect(broken).toMatchObject({ name: 'InternalError' });
      await client.conn.reducers.addLabel({ color: 1, text: 'after' });
      expect([...client.conn.db.label.iter()]).toEqual([{ color: 1, text: 'after' }]);
    });

    it('overlapping queries count a row each, and it stays until the last lets go', async () => {
      const client = await connect();
      await client.conn.reducers.setScore({ player: 'ada', points: 10n });
      await client.conn.reducers.setScore({ player: 'bob', points: 1n });
      const trace: string[] = [];
      client.conn.db.score.onInsert((_, row) => trace.push(`+ ${row.player} ${row.points}`));
      client.conn.db.score.onDelete((_, row) => trace.push(`- ${row.player} ${row.points}`));
      const all = await subscribe(client, 'SELECT * FROM score', 'SELECT * FROM score WHERE points > 5');
      const high = await subscribe(client, 'SELECT * FROM score WHERE points > 5');
      expect(trace.splice(0).toSorted()).toEqual(['+ ada 10', '+ bob 1']);
      await client.conn.reducers.setScore({ player: 'bob', points: 7n });
      expect(trace.splice(0).toSorted()).toEqual(['+ bob 7', '- bob 1']);
      await new Promise<void>((resolve) => all.unsubscribeThen(resolve));
      await vi.waitFor(() => expect(client.conn.db.score.count()).toBe(2n));
      expect(trace).toEqual([]);
      await new Promise<void>((resolve) => high.unsubscribeThen(resolve));
      await vi.waitFor(() => expect(client.conn.db.score.count()).toBe(0n));
      await vi.waitFor(() => expect(trace.toSorted()).toEqual(['- ada 10', '- bob 7']));
      await client.conn.reducers.setScore({ player: 'bob', points: 8n });
      expect(client.conn.db.score.count()).toBe(0n);
    });

    it('a row under overlapping queries is updated, leaves when no query holds it, and enters again', async () => {
      const client = await connect();
      await subscribe(
        client,
        "SELECT * FROM message WHERE text <> 'hidden'",
        "SELECT * FROM message WHERE text = 'a'",
      );
      await subscribe(client, "SELECT * FROM message WHERE text = 'b' OR text = 'c'");
      const trace: string[] = [];
      const { message } = client.conn.db;
      message.onInsert((_, row) => trace.push(`+ ${row.text}`));
      message.onDelete((_, row) => trace.push(`- ${row.text}`));
      message.onUpdate((_, old, row) => trace.push(`~ ${old.text} ${row.text}`));
      await client.conn.reducers.sendMessage({ text: 'a' });
      const [{ id } = { id: 0n }] = message.iter();
      for (const text of ['b', 'c', 'a', 'hidden', 'b', 'x']) {
        await client.conn.reducers.editMessage({ id, text });
      }
      await client.conn.reducers.deleteMessage({ id });
      expect(trace).toEqual(['+ a', '~ a b', '~ b c', '~ c a', '- a', '+ b', '~ b x', '- x']);
      expect(message.count()).toBe(0n);
    });

    it('equal rows without a primary key are one row of the set', async () => {
      const client = await connect();
      await subscribe(client, 'SELECT * FROM label', 'SELECT * FROM label WHERE color < 9');
      for (const color of [1, 1, 2]) await client.conn.reducers.addLabel({ color, text: 'x' });
      expect(client.conn.db.label.count()).toBe(2n);
      await client.conn.reducers.removeLabel({ color: 1, text: 'x' });
      expect([...client.conn.db.label.iter()]).toEqual([{ color: 2, text: 'x' }]);
    });

    it('two clients chat, and see each other come and go', async () => {
      const ada = await connect();
      await subscribe(ada, 'SELECT * FROM user', 'SELECT * FROM message');
      const bob = await connect();
      await subscribe(bob, 'SELECT * FROM user', 'SELECT * FROM message');
      await ada.conn.reducers.setName({ name: 'Ada' });
      await bob.conn.reducers.setName({ name: 'Bob' });
      await ada.conn.reducers.sendMessage({ text: 'Hi Bob' });
      await bob.conn.reducers.sendMessage({ text: 'Hi Ada' });
      const lines = (client: Client): string[] =>
        [...client.conn.db.message.iter()]
          .toSorted((a, b) => Number(a.id - b.id))
          .map(({ sender, text }) => `${client.conn.db.user.identity.find(sender)?.name}: ${text}`);
      const both = ['Ada: Hi Bob', 'Bob: Hi Ada'];
      await vi.waitFor(() => expect(lines(ada)).toEqual(both));
      await vi.waitFor(() => expect(lines(bob)).toEqual(both));
      bob.conn.disconnect();
      const isOnline = (name: string): boolean | undefined =>
        [...ada.conn.db.user.iter()].find((user) => user.name === name)?.online;
      await vi.waitFor(() => expect(isOnline('Bob')).toBe(false));
      expect(isOnline('Ada')).toBe(true);
    });

    it('rows of event tables are told once and never kept', async () => {
      const [ada, bob] = [await connect(), await connect()];
      const heard: string[] = [];
      for (const { conn } of [ada, bob]) conn.db.doorBell.onInsert((_, row) => heard.push(row.text));
      await Promise.all([
        subscribe(ada, 'SELECT * FROM door_bell'),
        subscribe(bob, 'SELECT * FROM door_bell'),
      ]);
      await ada.conn.reducers.pressBell({ text: 'ding' });
      await vi.waitFor(() => expect(heard).toEqual(['ding', 'ding']));
      expect(bob.conn.db.doorBell.count()).toBe(0n);
    });

    it('every type goes there and back', async () => {
      const { Identity, ConnectionId, Timestamp, TimeDuration, Uuid } = suite.values;
      const client = await connect();
      await subscribe(client, 'SELECT * FROM exotic');
      const row = {
        id: 4_294_967_295,
        i8: -128,
        u16: 65_535,
        i32: -2_147_483_648,
        i64: -9_223_372_036_854_775_808n,
        u128: (1n << 128n) - 1n,
        i256: -(1n << 255n),
        f32: 0.5,
        f64: Number.MIN_VALUE,
        text: 'grüße 🐣 \u0000 end',
        bytes: Uint8Array.of(0, 255, 128),
        numbers: [-1, 0, 1],
        place: { x: 1.5, y: -2.25 },
        maybe: 18_446_744_073_709_551_615n,
        owner: new Identity(`c2${'0123456789abcdef'.repeat(4).slice(2)}`),
        connection: new ConnectionId(1n << 100n),
        seen: new Timestamp(1_700_000_000_123_456n),
        lasted: new TimeDuration(-5n),
        key: Uuid.parse('0190a5b6-7c8d-7e9f-8a0b-1c2d3e4f5a6b'),
      };
      const moods = [{ tag: 'Calm' }, { tag: 'Angry', value: 7 }, { tag: 'Sure', value: 'yes' }] as const;
      for (const mood of moods) {
        await client.conn.reducers.keepExotic({ row: { ...row, mood } });
        const kept = client.conn.db.exotic.id.find(row.id)!;
        expect(kept.mood).toMatchObject(mood);
        expect({ ...kept, mood: undefined }).toEqual({ ...row, mood: undefined });
      }
      await client.conn.reducers.keepExotic({ row: { ...row, mood: moods[0], maybe: undefined } });
      expect(client.conn.db.exotic.id.find(row.id)?.maybe).toBeUndefined();
    });

    it('calls in flight are answered in the order they were made', async () => {
      const client = await connect();
      await subscribe(client, 'SELECT * FROM message');
      const answers: number[] = [];
      const calls = Array.from({ length: 500 }, (_, i) =>
        client.conn.reducers.sendMessage({ text: `m${i}` }).then(() => answers.push(i)),
      );
      await Promise.all(calls);
      expect(answers).toEqual(calls.map((_, i) => i));
      const texts = [...client.conn.db.message.iter()].toSorted((a, b) => Number(a.id - b.id));
      expect(texts.map(({ text }) => text)).toEqual(calls.map((_, i) => `m${i}`));
    });

    it('many rows come whole', async () => {
      const client = await connect();
      await client.conn.reducers.fill({ count: 20_000 });
      await subscribe(client, 'SELECT * FROM score');
      expect(client.conn.db.score.count()).toBe(20_000n);
      let sum = 0n;
      for (const { points } of client.conn.db.score.iter()) sum += points;
      expect(sum).toBe((19_999n * 20_000n) / 2n);
    });

    it('typed queries select what they say', async () => {
      const client = await connect();
      await client.conn.reducers.setScore({ player: "O'Brian", points: -3n });
      await client.conn.reducers.setScore({ player: 'ada', points: 5n });
      await new Promise<void>((resolve, reject) => {
        client.conn
          .subscriptionBuilder()
          .onApplied(() => resolve())
          .onError((ctx) => reject(ctx.event!))
          .subscribe([
            suite.tables.score.where((row) => row.player.eq("O'Brian").and(row.points.lt(0n))),
            suite.tables.user.where((row) => row.identity.eq(client.conn.identity!)),
          ]);
      });
      expect([...client.conn.db.score.iter()].map(({ player }) => player)).toEqual(["O'Brian"]);
      expect(client.conn.db.user.count()).toBe(1n);
    });

    it('a subscription that the server refuses says why, and others go on', async () => {
      const client = await connect();
      await expect(subscribe(client, 'SELECT * FROM nope')).rejects.toThrow('no such table: `nope`');
      await expect(subscribe(client, 'SELECT * FROM secret')).rejects.toThrow('marked private');
      await expect(subscribe(client, 'SELEKT')).rejects.toThrow();
      await subscribe(client, 'SELECT * FROM label');
      await client.conn.reducers.addLabel({ color: 1, text: 'still here' });
      expect(client.conn.db.label.count()).toBe(1n);
    });

    it('all tables are subscribed with one call', async () => {
      const client = await connect();
      await new Promise<void>((resolve) => {
        client.conn
          .subscriptionBuilder()
          .onApplied(() => resolve())
          .subscribeToAllTables();
      });
      await client.conn.reducers.sendMessage({ text: 'hi' });
      expect([client.conn.db.user.count(), client.conn.db.message.count()]).toEqual([1n, 1n]);
    });

    it('unconfirmed reads work alike', async () => {
      const client = await connect((builder) => builder.withConfirmedReads(false));
      await subscribe(client, 'SELECT * FROM label');
      await client.conn.reducers.addLabel({ color: 3, text: 'quick' });
      expect(client.conn.db.label.count()).toBe(1n);
    });

    it('many clients hear of every change', async () => {
      const all = await Promise.all(Array.from({ length: 20 }, () => connect()));
      await Promise.all(all.map((client) => subscribe(client, 'SELECT * FROM label')));
      await Promise.all(all.map(({ conn }, color) => conn.reducers.addLabel({ color, text: 'x' })));
      for (const { conn } of all) await vi.waitFor(() => expect(conn.db.label.count()).toBe(20n));
    });
  });
}
