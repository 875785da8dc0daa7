import { describe, expect, test } from 'vitest';
import * as Y from 'yjs';

import type { RoomClient, RoomClientOptions } from '../../src/protocols/rooms/client/room-client.js';
import type { RoomServerOptions } from '../../src/protocols/rooms/client/room-manager.js';

export interface RoomsUnderTest {
  /** A new client of a room; opened unless said otherwise. */
  make(options: RoomClientOptions): Promise<RoomClient>;
  readonly roomCount: () => number;
  close(): Promise<void>;
}

export interface RoomsSuite {
  readonly name: string;
  /** What cannot be so over this wire, and why. */
  readonly skip?: readonly { readonly reason: string; readonly tests: readonly string[] }[];
  readonly start: (options: RoomServerOptions) => Promise<RoomsUnderTest>;
}

const text = (client: RoomClient): string => client.doc.getText('t').toJSON();
const insert = (client: RoomClient, at: number, what: string): void =>
  client.doc.getText('t').insert(at, what);

/** What holds of rooms over every wire. */
export function runRoomsSuite({ name, skip = [], start }: RoomsSuite): void {
  const skipped = new Set(skip.flatMap(({ tests }) => tests));
  const it = (title: string, body: () => Promise<void>): void =>
    test.skipIf(skipped.delete(title))(title, body);

  const run = async (
    body: (rooms: RoomsUnderTest, open: (options: RoomClientOptions) => Promise<RoomClient>) => Promise<void>,
    options: RoomServerOptions = {},
  ): Promise<void> => {
    const rooms = await start(options);
    const clients: RoomClient[] = [];
    try {
      await body(rooms, async (clientOptions) => {
        const client = await rooms.make(clientOptions);
        clients.push(client);
        return client.open();
      });
    } finally {
      for (const client of clients) await client.close();
      await rooms.close();
    }
  };

  describe(`rooms over ${name}`, () => {
    it('two clients converge both ways', () =>
      run(async (_rooms, open) => {
        const a = await open({ id: 'my_id' });
        const b = await open({ id: 'my_id' });
        insert(a, 0, 'Hello');
        await expect.poll(() => text(b)).toBe('Hello');
        insert(b, 5, ', World!');
        await expect.poll(() => text(a)).toBe('Hello, World!');
        expect([a.isSynchronized, a.status]).toEqual([true, 'connected']);
      }));

    it('rooms with other names are apart', () =>
      run(async (_rooms, open) => {
        const [a, b, c] = [await open({ id: 'a' }), await open({ id: 'b' }), await open({ id: 'a' })];
        insert(a, 0, 'x');
        await expect.poll(() => text(c)).toBe('x');
        expect(text(b)).toBe('');
      }));

    it('an existing document brings along what it holds', () =>
      run(async (_rooms, open) => {
        const doc = new Y.Doc();
        doc.getText('t').insert(0, 'offline');
        await open({ id: 'r', doc });
        const b = await open({ id: 'r' });
        await expect.poll(() => text(b)).toBe('offline');
      }));

    it('edits made while the handshake is under way arrive, and once', () =>
      run(async (rooms, open) => {
        const doc = new Y.Doc();
        const a = await rooms.make({ id: 'r', doc });
        const opening = a.open();
        for (const letter of 'abc') {
          doc.getText('t').insert(doc.getText('t').length, letter);
          await Promise.resolve();
        }
        await opening;
        doc.getText('t').insert(3, 'd');
        const b = await open({ id: 'r' });
        await expect.poll(() => text(b)).toBe('abcd');
        await a.close();
      }));

    it('nothing is applied before pull, and nothing sent before push', () =>
      run(async (_rooms, open) => {
        const a = await open({ id: 'r' });
        insert(a, 0, 'from a');
        const manual = await open({ id: 'r', autoUpdate: false });
        expect([manual.isSynchronized, text(manual)]).toEqual([false, '']);
        await manual.pull();
        await manual.synchronized;
        expect([manual.isSynchronized, text(manual)]).toEqual([true, 'from a']);
        insert(manual, 0, '1');
        insert(manual, 1, '2');
        const other = await open({ id: 'r' });
        insert(a, 0, '!');
        await expect.poll(() => text(other)).toBe('!from a');
        expect(text(manual)).toBe('12from a');
        manual.push();
        await expect.poll(() => text(other)).toContain('12');
        await expect.poll(async () => (await manual.pull(), text(manual))).toBe(text(other));
      }));

    it('many clients that all edit end up equal', () =>
      run(async (_rooms, open) => {
        const clients = await Promise.all(Array.from({ length: 5 }, () => open({ id: 'r' })));
        for (const [i, client] of clients.entries()) insert(client, 0, String(i));
        for (const client of clients) await expect.poll(() => text(client).length).toBe(5);
        expect(new Set(clients.map(text)).size).toBe(1);
      }));

    it('who is present is seen by all, and who leaves or is cut off is not', () =>
      run(async (_rooms, open) => {
        const [a, b] = [await open({ id: 'r' }), await open({ id: 'r' })];
        const users = (client: RoomClient): string[] =>
          Array.from(client.awareness.getStates().values(), (state) => String(state['user'])).toSorted(
            (x, y) => x.localeCompare(y),
          );
        a.awareness.setLocalStateField('user', 'ada');
        b.awareness.setLocalStateField('user', 'bob');
        const c = await open({ id: 'r' });
        for (const client of [a, b, c]) await expect.poll(() => users(client)).toEqual(['ada', 'bob']);
        a.awareness.setLocalStateField('user', 'eve');
        await expect.poll(() => users(c)).toEqual(['bob', 'eve']);
        await a.close();
        await expect.poll(() => users(c)).toEqual(['bob']);
        await b.channel?.close();
        await expect.poll(() => users(c)).toEqual([]);
        expect(users(b)).toEqual(['bob']);
      }));

    it('one edit of a megabyte goes through', () =>
      run(async (_rooms, open) => {
        const [a, b] = [await open({ id: 'r' }), await open({ id: 'r' })];
        insert(a, 0, 'x'.repeat(1_000_000));
        await expect.poll(() => text(b).length).toBe(1_000_000);
      }));

    it('a client that was closed is left alone', () =>
      run(async (_rooms, open) => {
        const [a, b] = [await open({ id: 'r' }), await open({ id: 'r' })];
        await a.close();
        insert(a, 0, 'never sent');
        insert(b, 0, 'x');
        const c = await open({ id: 'r' });
        await expect.poll(() => text(c)).toBe('x');
        expect(a.status).toBe('closed');
      }));

    it('the room ends with its last client', () =>
      run(
        async (rooms, open) => {
          const a = await open({ id: 'r' });
          expect(rooms.roomCount()).toBe(1);
          await a.close();
          await expect.poll(rooms.roomCount).toBe(0);
        },
        { lingerMs: 0 },
      ));

    test('skips only tests that there are', () => expect([...skipped]).toEqual([]));
  });
}
