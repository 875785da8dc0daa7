import type { Row } from '../engine/contract.js';
import type { IndexDef, TableDef } from '../engine/schema.js';
import type { Index } from '../engine/tables/indexes.js';
import type { KeyRange, RangeBound } from '../engine/tables/ordered-keys.js';
import type { Table } from '../engine/tables/table.js';
import type { Typespace } from '../values/algebraic-type.js';
import type { PointIndex, PrimaryKeyIndex, RangeIndex, TableMethods, UniqueIndex } from './db-view.js';
import { Range } from './range.js';
import type { Bound } from './range.js';
import { compileCopy } from './row-copy.js';
import { RowIterator } from './row-iterator.js';
import type { TableHandle } from './table.js';

/* What stands behind `ctx.db.<table>`; made once per database. The types that authors see are in db-view.ts. */

type CopyRow = (row: Row) => Row;

/** @param handle what the author wrote, which decides whether an index has `find` or `filter`. */
export function makeTableAccessor(table: Table, handle: TableHandle, typespace: Typespace): object {
  const copyRow = makeRowCopy(table, typespace);
  const accessor = makeTableMethods(table, copyRow);
  for (const def of table.def.indexes) {
    if (def.accessor === undefined) continue;
    const value = makeIndexAccessor(table.index(def.name), table.def, def, handle, copyRow);
    Object.defineProperty(accessor, def.accessor, { value, enumerable: true });
  }
  return accessor;
}

/** Most tables are flat. */
function makeRowCopy({ def, copyRow }: Table, typespace: Typespace): CopyRow {
  const isNested = def.columns.some((column) => compileCopy(column.type, typespace) !== undefined);
  const copy = isNested ? compileCopy(def.rowType, typespace) : undefined;
  return copy === undefined ? copyRow : (row) => copy(row) as Row;
}

function makeTableMethods(table: Table, copyRow: CopyRow): TableMethods<Row> {
  const iter = (): RowIterator<Row> => rowIterator(table.rows(), copyRow);
  return {
    count: () => BigInt(table.count),
    iter,
    [Symbol.iterator]: iter,
    insert: (row) => copyRow(table.insert(row)),
    delete: (row) => table.deleteRow(row),
    clear: () => BigInt(table.clear()),
  };
}

function makeIndexAccessor(
  index: Index,
  table: TableDef,
  def: IndexDef,
  handle: TableHandle,
  copyRow: CopyRow,
): object {
  const columns = def.columns.map((at) => handle.rowType.row[table.columns[at]!.property]!.settings);
  const isUnique = columns.every((column) => column.unique || column.primaryKey);
  if (isUnique) {
    const unique = index.kind === 'unique' ? makeUnique(index, copyRow) : makeUniqueByFilter(index, copyRow);
    return columns.every((column) => column.primaryKey) ? makePrimaryKey(index, unique, copyRow) : unique;
  }
  const split = def.columns.length === 1 ? splitSingle : splitSeveral;
  const ranged: RangeIndex<Row, unknown> & PointIndex<Row, unknown> = {
    filter: (bounds) => rowIterator(index.filter(...split(bounds)), copyRow),
    delete: (bounds) => index.deleteMatching(...split(bounds)),
  };
  return ranged;
}

function makeUnique(index: Extract<Index, { kind: 'unique' }>, copyRow: CopyRow): UniqueIndex<Row, unknown> {
  return {
    find(value) {
      const row = index.find(value);
      return row === undefined ? null : copyRow(row);
    },
    delete: (value) => index.delete(value),
  };
}

/** Several columns, each unique by itself: the index over all of them finds at most one row. */
function makeUniqueByFilter(index: Index, copyRow: CopyRow): UniqueIndex<Row, unknown> {
  return {
    find(value) {
      const [row] = index.filter(...splitSeveral(value));
      return row === undefined ? null : copyRow(row);
    },
    delete: (value) => index.deleteMatching(...splitSeveral(value)) > 0,
  };
}

function makePrimaryKey(
  index: Index,
  unique: UniqueIndex<Row, unknown>,
  copyRow: CopyRow,
): PrimaryKeyIndex<Row, unknown> {
  if (index.kind !== 'unique')
    throw new TypeError(`the primary key's index \`${index.def.name}\` is not unique`);
  return { ...unique, update: (row) => copyRow(index.update(row)) };
}

type SplitBounds = [prefix: readonly unknown[], range?: KeyRange];

function splitSingle(bounds: unknown): SplitBounds {
  return bounds instanceof Range ? [[], keyRange(bounds)] : [[bounds]];
}

/** `[a, b]`, `[a, range]`, or a bare value or range of the first column. */
function splitSeveral(bounds: unknown): SplitBounds {
  if (!Array.isArray(bounds)) return splitSingle(bounds);
  const last: unknown = bounds.at(-1);
  return last instanceof Range ? [bounds.slice(0, -1), keyRange(last)] : [bounds];
}

function keyRange(range: Range<unknown>): KeyRange {
  return { from: rangeBound(range.from), to: rangeBound(range.to) };
}

function rangeBound(bound: Bound<unknown>): RangeBound {
  return bound.tag === 'unbounded' ? { kind: 'unbounded' } : { kind: bound.tag, value: bound.value };
}

function rowIterator(rows: readonly Row[], copyRow: CopyRow): RowIterator<Row> {
  return new RowIterator(copies(rows, copyRow));
}

/** Rows are copied when they are asked for: many iterations stop early. */
function* copies(rows: readonly Row[], copyRow: CopyRow): Generator<Row> {
  for (const row of rows) yield copyRow(row);
}
