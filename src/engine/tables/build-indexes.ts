import type { Typespace } from '../../values/algebraic-type.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { Row } from '../contract.js';
import type { IndexDef, TableDef } from '../schema.js';
import { HashKeys } from './hash-keys.js';
import { HashIndex, OrderedIndex, UniqueIndex } from './indexes.js';
import type { Index, TableWrites } from './indexes.js';
import { compileKeyColumns } from './key-columns.js';
import { OrderedKeys } from './ordered-keys.js';
import { RowKeys } from './row-keys.js';
import { RowStore } from './row-store.js';
import { UniqueKeys } from './unique-keys.js';

export interface BuiltIndexes {
  readonly store: RowStore;
  readonly primary: UniqueKeys | undefined;
  /** Under canonical name, source name and accessor. */
  readonly byName: ReadonlyMap<string, Index>;
}

/**
 * Makes the structures that a table's constraints and indexes need. An index over exactly the columns of a unique
 * constraint shares the constraint's structure.
 */
export function buildIndexes(
  table: TableDef,
  writes: TableWrites,
  typespace: Typespace,
  codec: Codec<Row>,
): BuiltIndexes {
  const uniques = buildUniques(table, typespace);
  const others: (HashKeys | OrderedKeys)[] = [];
  const byName = new Map<string, Index>();
  for (const def of table.indexes) {
    const index = buildIndex(def);
    for (const name of [def.accessor, def.sourceName, def.name])
      if (name !== undefined) byName.set(name, index);
  }
  const rowKeys = uniques.length === 0 ? new RowKeys(codec) : undefined;
  const store = new RowStore(table, { uniques, rowKeys }, others);
  return { store, primary: table.primaryKey === undefined ? undefined : uniques[0], byName };

  function buildIndex(def: IndexDef): Index {
    const unique = uniques.find((keys) => coversSame(keys.keyColumns.columns, def.columns));
    if (unique !== undefined && isInOrder(unique.keyColumns.columns, def.columns)) {
      const needsOrder = def.algorithm === 'btree' && def.columns.length > 1;
      return new UniqueIndex(writes, def, unique, needsOrder ? addOrdered(def) : undefined);
    }
    if (def.algorithm === 'hash') {
      const keys = new HashKeys(compileKeyColumns(table, def.columns, typespace));
      others.push(keys);
      return new HashIndex(writes, def, keys);
    }
    // A direct index over columns that are not unique is kept in order: it promises ranges, too.
    return new OrderedIndex(writes, def, addOrdered(def));
  }

  function addOrdered(def: IndexDef): OrderedKeys {
    const keys = new OrderedKeys(compileKeyColumns(table, def.columns, typespace));
    others.push(keys);
    return keys;
  }
}

/** One structure per distinct set of columns, the primary key first. Column order follows an index over them, if any. */
function buildUniques(table: TableDef, typespace: Typespace): UniqueKeys[] {
  const primary =
    table.primaryKey === undefined
      ? []
      : [{ name: `${table.name}_${table.columns[table.primaryKey]!.name}_key`, columns: [table.primaryKey] }];
  const uniques: UniqueKeys[] = [];
  for (const constraint of [...primary, ...table.uniqueConstraints]) {
    if (uniques.some((keys) => coversSame(keys.keyColumns.columns, constraint.columns))) continue;
    const declared = table.uniqueConstraints.find(({ columns }) => coversSame(columns, constraint.columns));
    const index = table.indexes.find(({ columns }) => coversSame(columns, constraint.columns));
    const columns = index?.columns ?? constraint.columns;
    uniques.push(
      new UniqueKeys(declared?.name ?? constraint.name, compileKeyColumns(table, columns, typespace)),
    );
  }
  return uniques;
}

function coversSame(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((column) => b.includes(column));
}

function isInOrder(a: readonly number[], b: readonly number[]): boolean {
  return a.every((column, position) => column === b[position]);
}
