import { expect, test } from 'vitest';
import { CHAT_MODULE, tables } from '../client/testing/chat-bindings.js';
import { settle } from '../client/testing/scripted-server.js';
import type { TableQuery } from '../client/index.js';
import type { AnyConnection } from './connection-state.js';
import { TableStore } from './table-store.js';

type Row = { readonly id: number; readonly name: string; readonly nickName?: string };

/** As much of a connection as a store uses, played by a test. */
class FakeConnection {
  rows: Row[] = [];
  reads = 0;
  readonly queries: string[] = [];
  readonly callbacks = new Set<(ctx: unknown, row: Row) => void>();
  onApplied = (): void => undefined;
  readonly isActive = true;
  readonly db = {
    [CHAT_MODULE.tables.user.accessorName]: {
      iter: () => {
        this.reads++;
        return this.rows.values();
      },
      onInsert: (callback: (ctx: unknown, row: Row) => void) => this.callbacks.add(callback),
      removeOnInsert: (callback: (ctx: unknown, row: Row) => void) => this.callbacks.delete(callback),
      onDelete: () => undefined,
      removeOnDelete: () => undefined,
      onUpdate: () => undefined,
      removeOnUpdate: () => undefined,
    },
  };

  subscriptionBuilder() {
    return {
      onApplied: (callback: () => void) => {
        this.onApplied = callback;
        return { subscribe: (sql: string) => void this.queries.push(sql) };
      },
    };
  }

  /** One message: the cache changes as a whole, then callbacks come row by row. */
  insert(rows: readonly Row[]): void {
    this.rows = [...this.rows, ...rows];
    for (const row of rows) for (const callback of this.callbacks) callback(undefined, row);
  }
}

const people = (from: number, count: number): Row[] =>
  Array.from({ length: count }, (_, i) => ({ id: from + i, name: 'x' }));

test('a thousand rows of one message are one reading of the table and one change', async () => {
  const connection = new FakeConnection();
  let changes = 0;
  const store = new TableStore(tables.user as unknown as TableQuery, () => undefined);
  store.addListener(() => changes++);
  store.attach(connection as unknown as AnyConnection);
  connection.onApplied();
  connection.insert(people(0, 1000));
  await settle();
  expect([changes, connection.reads, store.snapshot[0].length, store.snapshot[1]]).toEqual([
    1,
    1,
    1000,
    true,
  ]);
  const before = store.snapshot;
  await settle();
  expect(store.snapshot).toBe(before);
});

test('rows of other queries in the same table are neither shown nor a change', async () => {
  const connection = new FakeConnection();
  let changes = 0;
  const few = tables.user.where((user) => user.id.lt(3).and(user.name.ne('y'))) as unknown as TableQuery;
  const store = new TableStore(few, () => undefined);
  store.addListener(() => changes++);
  store.attach(connection as unknown as AnyConnection);
  connection.insert(people(0, 2));
  await settle();
  expect(store.snapshot).toEqual([[], false]);
  connection.onApplied();
  await settle();
  connection.insert([...people(7, 5), { id: 2, name: 'y' }]);
  await settle();
  expect([changes, store.snapshot]).toEqual([1, [people(0, 2), true]]);
});

test('without a connection what was shown stays, and is not ready', async () => {
  const connection = new FakeConnection();
  const store = new TableStore(tables.user as unknown as TableQuery, () => undefined);
  store.addListener(() => undefined);
  store.attach(connection as unknown as AnyConnection);
  connection.onApplied();
  connection.insert(people(0, 2));
  await settle();
  store.detach();
  expect(store.snapshot).toEqual([people(0, 2), false]);
  expect(connection.callbacks.size).toBe(0);
});

test('rows of a connection that is cut are not ready; those that changed meanwhile come when it is back', async () => {
  const connection = new FakeConnection();
  const store = new TableStore(tables.user as unknown as TableQuery, () => undefined);
  store.addListener(() => undefined);
  store.attach(connection as unknown as AnyConnection);
  store.pause();
  store.resume();
  await settle();
  expect(store.snapshot).toEqual([[], false]);
  connection.onApplied();
  connection.insert(people(0, 2));
  await settle();
  store.pause();
  connection.insert(people(2, 1));
  await settle();
  expect(store.snapshot).toEqual([people(0, 2), false]);
  store.resume();
  await settle();
  expect(store.snapshot).toEqual([people(0, 3), true]);
});
