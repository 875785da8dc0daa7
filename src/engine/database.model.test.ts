import {
  array,
  assert,
  boolean,
  constantFrom,
  integer,
  nat,
  oneof,
  property,
  record,
  tuple,
} from 'fast-check';
import type { Arbitrary } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeHex } from '../base/hex.js';
import { primitiveType } from '../values/algebraic-type.js';
import { optionType } from '../values/special-types.js';
import type { Row, TableDelta } from './contract.js';
import { Database } from './database.js';
import { EngineError } from './errors.js';
import { RecordingLog, schemaOf, TEST_ORIGIN, testOptions } from './testing/table-def.js';
import type { TableSketch } from './testing/table-def.js';

/*
 * Random transactions against a model that is an array of rows. After each one: rows, every index, counts and deltas are
 * those of the model; a transaction that throws leaves no trace; the log replayed into a fresh database gives the same.
 */

const SKETCHES: Readonly<Record<string, TableSketch>> = {
  keyed: {
    columns: {
      id: primitiveType('u64'),
      name: primitiveType('string'),
      group: primitiveType('i32'),
      note: optionType(primitiveType('string')),
    },
    primaryKey: 'id',
    unique: [['group', 'name']],
    indexes: [
      ['btree', 'group', 'name'],
      ['btree', 'name'],
      ['hash', 'group'],
    ],
  },
  single: {
    columns: { id: primitiveType('u32'), n: primitiveType('u8') },
    primaryKey: 'id',
    indexes: [['btree', 'n']],
  },
  bag: {
    columns: { a: primitiveType('f64'), b: primitiveType('u256'), c: primitiveType('string') },
    indexes: [
      ['btree', 'a', 'b', 'c'],
      ['hash', 'b', 'c'],
    ],
  },
};

const keyedRow = record({
  id: constantFrom(0n, 1n, 2n, 3n, 1024n, 1025n, 1n << 60n),
  name: constantFrom('', 'a', 'b', 'ä', '\u{1f600}', '\uffee'),
  group: integer({ min: -1, max: 2 }),
  note: constantFrom(undefined, 'x', 'y'),
});
const bagRow = record({
  a: constantFrom(0, -0, 1.5, Number.NaN, Number.NEGATIVE_INFINITY),
  b: constantFrom(0n, 1n, 1n << 64n, 1n << 128n),
  c: constantFrom('', 'z'),
});

const singleRow = record({ id: integer({ min: 0, max: 4 }), n: integer({ min: 0, max: 2 }) });

type Op = { readonly table: string; readonly kind: string; readonly row: Row };
const op: Arbitrary<Op> = oneof(
  record({
    table: constantFrom('keyed'),
    kind: constantFrom(
      'insert',
      'insert',
      'insert',
      'update',
      'updateByPair',
      'deleteByPair',
      'delete',
      'deleteId',
      'deleteGroup',
      'clear',
    ),
    row: keyedRow,
  }),
  record({
    table: constantFrom('single'),
    kind: constantFrom('insert', 'insert', 'update', 'delete', 'deleteId', 'clear'),
    row: singleRow,
  }),
  record({
    table: constantFrom('bag'),
    kind: constantFrom('insert', 'insert', 'delete', 'deleteRange'),
    row: bagRow,
  }),
);
const transaction = record({ ops: array(op, { maxLength: 12 }), throws: boolean() });

const sameRow = (a: Row, b: Row): boolean => Object.keys(a).every((key) => Object.is(a[key], b[key]));

/** The naive database: arrays of rows, searched from end to end. */
class Model {
  readonly rows: Record<string, Row[]> = { keyed: [], single: [], bag: [] };

  /** Gives what the operation gives, or the error's code. */
  apply({ table, kind, row }: Op): unknown {
    const rows = this.rows[table]!;
    const remove = (doomed: (other: Row) => boolean): number => {
      this.rows[table] = rows.filter((other) => !doomed(other));
      return rows.length - this.rows[table].length;
    };
    const clash = (self?: Row): boolean =>
      rows.some(
        (other) =>
          other !== self &&
          (other['id'] === row['id'] ||
            (table === 'keyed' && other['group'] === row['group'] && other['name'] === row['name'])),
      );
    switch (`${table} ${kind}`) {
      case 'keyed insert':
      case 'single insert':
        if (clash()) return 'UniqueAlreadyExists';
        rows.push(row);
        return 'stored';
      case 'bag insert':
        if (!rows.some((other) => sameRow(other, row))) rows.push(row);
        return 'stored';
      case 'keyed update':
      case 'single update':
      case 'keyed updateByPair': {
        const isIt = (other: Row): boolean =>
          kind === 'update'
            ? other['id'] === row['id']
            : other['group'] === row['group'] && other['name'] === row['name'];
        const at = rows.findIndex(isIt);
        if (at < 0) return 'NoSuchRow';
        if (clash(rows[at])) return 'UniqueAlreadyExists';
        rows[at] = row;
        return 'stored';
      }
      case 'keyed deleteId':
      case 'single deleteId':
        return remove((other) => other['id'] === row['id']) > 0;
      case 'keyed deleteByPair':
        return remove((other) => other['group'] === row['group'] && other['name'] === row['name']) > 0;
      case 'keyed deleteGroup':
        return remove((other) => other['group'] === row['group']);
      case 'keyed clear':
      case 'single clear':
        return remove(() => true);
      case 'bag deleteRange':
        return remove(
          (other) => isSameFloat(other['a'], row['a']) && (other['b'] as bigint) > (row['b'] as bigint),
        );
      default:
        return remove((other) => sameRow(other, row)) > 0;
    }
  }
}

/** Equal as keys: one zero, one NaN. */
function isSameFloat(a: unknown, b: unknown): boolean {
  return a === b || Object.is(a, b);
}

function applyOp(database: Database, { table: name, kind, row }: Op): unknown {
  const table = database.table(name);
  try {
    switch (kind) {
      case 'insert':
        table.insert(row);
        return 'stored';
      case 'update':
        table.update(row);
        return 'stored';
      case 'updateByPair':
        table.uniqueIndex('keyed_group_name_idx_btree').update(row);
        return 'stored';
      case 'deleteByPair':
        return table.uniqueIndex('keyed_group_name_idx_btree').delete([row['group'], row['name']]);
      case 'deleteId':
        return table.uniqueIndex('id').delete(row['id']);
      case 'deleteGroup':
        return table.index('group').deleteMatching([row['group']]);
      case 'deleteRange':
        return table.index('bag_a_b_c_idx_btree').deleteMatching([row['a']], {
          from: { kind: 'excluded', value: row['b'] },
          to: { kind: 'unbounded' },
        });
      case 'clear':
        return table.clear();
      default:
        return table.deleteRow(row);
    }
  } catch (error) {
    if (error instanceof EngineError) return error.code;
    throw error;
  }
}

const hexOf = (database: Database, table: string, rows: Iterable<Row>): string[] =>
  Array.from(rows, (row) => encodeHex(database.table(table).encodeRow(row)));

function checkAgainstModel(database: Database, model: Model): void {
  for (const [name, rows] of Object.entries(model.rows)) {
    const table = database.table(name);
    expect(table.count).toBe(rows.length);
    const all = hexOf(database, name, rows).toSorted();
    expect(hexOf(database, name, table).toSorted()).toEqual(all);
    expect(hexOf(database, name, table.scan()).toSorted()).toEqual(all);
  }
  checkKeyedIndexes(database, model.rows['keyed']!);
  checkBagIndexes(database, model.rows['bag']!);
}

function checkKeyedIndexes(database: Database, rows: readonly Row[]): void {
  const table = database.table('keyed');
  const hex = (found: Iterable<Row>): string[] => hexOf(database, 'keyed', found);
  const byPair = table.uniqueIndex('keyed_group_name_idx_btree');
  for (const id of [0n, 1n, 1024n, 1n << 60n]) {
    expect(table.uniqueIndex('id').find(id)).toEqual(rows.find((row) => row['id'] === id));
  }
  for (const group of [-1, 0, 1, 2]) {
    const inGroup = rows.filter((row) => row['group'] === group);
    expect(hex(table.index('group').filter([group])).toSorted()).toEqual(hex(inGroup).toSorted());
    const byName = inGroup.toSorted((a, b) => compareUtf8(a['name'] as string, b['name'] as string));
    expect(hex(byPair.filter([group]))).toEqual(hex(byName));
    const upTo = byPair.filter([group], {
      from: { kind: 'excluded', value: '' },
      to: { kind: 'included', value: 'b' },
    });
    expect(hex(upTo)).toEqual(hex(byName.filter((row) => row['name'] === 'a' || row['name'] === 'b')));
    expect(byPair.find([group, 'ä'])).toEqual(inGroup.find((row) => row['name'] === 'ä'));
  }
  const sorted = table
    .index('name')
    .filter([])
    .map((row) => row['name'] as string);
  expect(sorted).toEqual(sorted.toSorted(compareUtf8));
  expect(sorted).toHaveLength(rows.length);
}

function checkBagIndexes(database: Database, rows: readonly Row[]): void {
  const table = database.table('bag');
  const hex = (found: Iterable<Row>): string[] => hexOf(database, 'bag', found).toSorted();
  for (const a of [0, -0, Number.NaN, 1.5]) {
    const wanted = rows.filter((row) => isSameFloat(row['a'], a));
    expect(hex(table.index('bag_a_b_c_idx_btree').filter([a]))).toEqual(hex(wanted));
  }
  for (const b of [0n, 1n << 64n]) {
    const wanted = rows.filter((row) => row['b'] === b && row['c'] === 'z');
    expect(hex(table.index('bag_b_c_idx_hash').filter([b, 'z']))).toEqual(hex(wanted));
  }
}

function compareUtf8(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function checkDeltas(
  database: Database,
  before: Model['rows'],
  after: Model['rows'],
  deltas: readonly TableDelta[],
): void {
  for (const [name, rows] of Object.entries(after)) {
    const old = new Set(hexOf(database, name, before[name]!));
    const now = new Set(hexOf(database, name, rows));
    const delta = deltas.find(({ table }) => table.name === name);
    const bytes = (side: 'deletes' | 'inserts'): string[] =>
      (delta?.[side] ?? []).map((change) => encodeHex(change.bytes)).toSorted();
    expect(bytes('deletes')).toEqual([...old].filter((row) => !now.has(row)).toSorted());
    expect(bytes('inserts')).toEqual([...now].filter((row) => !old.has(row)).toSorted());
    for (const change of [...(delta?.deletes ?? []), ...(delta?.inserts ?? [])])
      expect(encodeHex(change.bytes)).toBe(encodeHex(database.table(name).encodeRow(change.row)));
  }
}

describe('random transactions', () => {
  test('agree with the model in results, rows, indexes and deltas, and replay to the same tables', () => {
    assert(
      property(array(transaction, { maxLength: 12 }), (transactions) => {
        const log = new RecordingLog();
        const database = new Database(schemaOf(SKETCHES), testOptions(log));
        let model = new Model();
        for (const { ops, throws } of transactions) {
          const next = new Model();
          Object.assign(next.rows, structuredClone(model.rows));
          const body = (): void => {
            for (const each of ops) expect(applyOp(database, each)).toEqual(next.apply(each));
            checkAgainstModel(database, next);
            if (throws) throw new RangeError('taken back');
          };
          if (throws) {
            expect(() => database.transact(TEST_ORIGIN, body)).toThrow('taken back');
          } else {
            const { commit } = database.transact(TEST_ORIGIN, body);
            checkDeltas(database, model.rows, next.rows, commit.deltas);
            model = next;
          }
          checkAgainstModel(database, model);
        }
        const replayed = new Database(schemaOf(SKETCHES), testOptions());
        for (const logged of log.records) replayed.applyChanges(logged);
        checkAgainstModel(replayed, model);
      }),
      { numRuns: 300 },
    );
  });
});

describe('dense keys', () => {
  test('integer keys in any order, dense or far apart, are all found and iterated', () => {
    const keys = array(
      oneof(
        nat(5000),
        tuple(nat(3), nat(2000)).map(([p, k]) => p * 1_000_000 + k),
      ),
      { maxLength: 3000 },
    );
    assert(
      property(keys, keys, (inserted, deleted) => {
        const database = new Database(
          schemaOf({ n: { columns: { id: primitiveType('u32') }, primaryKey: 'id' } }),
          testOptions(),
        );
        const table = database.table('n');
        const model = new Set<number>();
        database.transact(TEST_ORIGIN, () => {
          for (const id of new Set(inserted)) model.add(table.insert({ id })['id'] as number);
          for (const id of new Set(deleted))
            expect(table.uniqueIndex('id').delete(id)).toBe(model.delete(id));
          for (let id = 0; id < 3000; id++)
            if (!model.has(id)) model.add(table.insert({ id })['id'] as number);
        });
        expect(table.count).toBe(model.size);
        expect(new Set(table.rows().map((row) => row['id']))).toEqual(model);
        for (const id of model) expect(table.uniqueIndex('id').find(id)).toEqual({ id });
      }),
      { numRuns: 30 },
    );
  });
});
