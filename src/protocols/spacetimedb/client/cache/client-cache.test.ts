import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changes, rowsOf } from '../testing/scripted-server.js';
import { CHAT_MODULE } from '../testing/chat-bindings.js';
import { ClientCache } from './client-cache.js';
import type { RowEvent } from './table-cache.js';

/* Random transactions under overlapping queries, against a model that keeps the server's rows and evaluates anew. */

interface User {
  readonly id: number;
  readonly name: string;
  readonly nickName: undefined;
}

/** Queries of different query sets over the same rows. */
const QUERIES: readonly ((row: User) => boolean)[] = [
  () => true,
  (row) => row.id < 3,
  (row) => row.name.startsWith('a'),
  (row) => row.name === 'ab',
];

const operation = fc.oneof(
  fc.record({ kind: fc.constant('toggle' as const), query: fc.nat(QUERIES.length - 1) }),
  fc.record({
    kind: fc.constant('commit' as const),
    writes: fc.uniqueArray(
      fc.record({ id: fc.nat(5), name: fc.option(fc.constantFrom('a', 'ab', 'b'), { nil: undefined }) }),
      { selector: ({ id }) => id, maxLength: 4 },
    ),
  }),
);

class Model {
  readonly rows = new Map<number, User>();
  readonly active = new Set<number>();

  visible(): User[] {
    return [...this.rows.values()].filter((row) => [...this.active].some((query) => QUERIES[query]!(row)));
  }

  /** The messages that a correct server would send for the writes. */
  commit(
    writes: readonly { readonly id: number; readonly name: string | undefined }[],
  ): ReturnType<typeof changes>[] {
    const deltas = writes.map(({ id, name }) => {
      const old = this.rows.get(id);
      const row: User | undefined = name === undefined ? undefined : { id, name, nickName: undefined };
      return { old, row };
    });
    for (const { old, row } of deltas) {
      if (old !== undefined) this.rows.delete(old.id);
      if (row !== undefined) this.rows.set(row.id, row);
    }
    const changed = deltas.filter(({ old, row }) => old?.name !== row?.name);
    return [...this.active].map((query) => {
      const holds = QUERIES[query]!;
      const inserts = changed.flatMap(({ row }) => (row !== undefined && holds(row) ? [row] : []));
      const deletes = changed.flatMap(({ old }) => (old !== undefined && holds(old) ? [old] : []));
      return changes(query, 'user', { inserts, deletes });
    });
  }
}

function applyEvents(told: Map<number, string>, events: readonly RowEvent[]): void {
  for (const event of events) {
    const { id, name } = event.row as unknown as User;
    if (event.kind === 'insert') expect(told.has(id)).toBe(false);
    else expect(told.has(id)).toBe(true);
    if (event.kind === 'update') expect(told.get(id)).toBe((event.oldRow as unknown as User).name);
    if (event.kind === 'delete') told.delete(id);
    else told.set(id, name);
  }
}

test('the cache is what the active queries hold, and callbacks tell every step there', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 30 }), (operations) => {
      const problems: string[] = [];
      const cache = new ClientCache(CHAT_MODULE, (problem) => problems.push(problem));
      const model = new Model();
      // What somebody knows who only listens to callbacks.
      const told = new Map<number, string>();
      for (const step of operations) {
        if (step.kind === 'commit') {
          applyEvents(told, cache.applyUpdate(model.commit(step.writes)));
        } else {
          const held = [...model.rows.values()].filter(QUERIES[step.query]!);
          const isActive = model.active.delete(step.query);
          if (!isActive) model.active.add(step.query);
          const tables = [{ table: 'user', rows: rowsOf('user', ...held) }];
          applyEvents(told, cache.applyRows(tables, isActive ? 'delete' : 'insert'));
        }
        const byId = (a: User, b: User): number => a.id - b.id;
        const cached = [...(cache.view['user']!.iter() as Iterable<unknown> as Iterable<User>)].toSorted(
          byId,
        );
        expect(cached).toEqual(model.visible().toSorted(byId));
        expect([...told].toSorted(([a], [b]) => a - b)).toEqual(cached.map(({ id, name }) => [id, name]));
      }
      expect(problems).toEqual([]);
    }),
    { numRuns: 500 },
  );
});
