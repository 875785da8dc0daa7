import type { Row } from '../contract.js';
import type { IndexDef, TableDef } from '../schema.js';
import type { BoundExpression } from './bound.js';
import { findCover } from './cover.js';
import type { Equality } from './cover.js';

/** What a query reads of a table. */
export interface QueryTable {
  readonly def: TableDef;
  /** All rows; the table must not change meanwhile. */
  scan(): Iterable<Row>;
  /** Under all their names. */
  readonly indexes: ReadonlyMap<string, QueryIndex>;
}

export interface QueryIndex {
  /** Only ordered indexes, and unique ones declared as btree, find by fewer values than they have columns. */
  readonly kind: 'unique' | 'ordered' | 'hash';
  readonly def: IndexDef;
  filter(prefix: readonly unknown[]): Row[];
}

/** Rows among which are all that fulfil the condition: found by an index where an equality has one, else all rows. */
export function candidateRows(table: QueryTable, where: BoundExpression): Iterable<Row> {
  const indexes = [...new Set(table.indexes.values())];
  return rowsByConjuncts(indexes, where) ?? rowsByCover(indexes, where) ?? table.scan();
}

/** One index whose first columns all have an equality; the one with most of them, unique ones first. */
function rowsByConjuncts(indexes: readonly QueryIndex[], where: BoundExpression): Row[] | undefined {
  const equalities = equalitiesOf(where);
  let best:
    | { readonly index: QueryIndex; readonly prefix: readonly unknown[]; readonly rank: number }
    | undefined;
  for (const index of indexes) {
    const prefix = prefixFor(index, equalities);
    const isPoint = prefix.length === index.def.columns.length;
    const rank = prefix.length + (isPoint && index.kind === 'unique' ? 1000 : 0);
    if (prefix.length > 0 && (best === undefined || rank > best.rank)) best = { index, prefix, rank };
  }
  return best?.index.filter(best.prefix);
}

/** Several points of single-column indexes, for OR. */
function rowsByCover(indexes: readonly QueryIndex[], where: BoundExpression): Iterable<Row> | undefined {
  const indexOn = new Map<number, QueryIndex>();
  for (const index of indexes) {
    const [first, ...more] = index.def.columns;
    if (first !== undefined && more.length === 0) indexOn.set(first, index);
  }
  const cover = findCover(where, (column) => (indexOn.has(column.index) ? 1 : 0));
  if (cover === undefined || cover.rank === 0) return undefined;
  const rows = new Set<Row>();
  for (const { column, constant } of cover.equalities) {
    for (const row of indexOn.get(column.index)!.filter([constant.value])) rows.add(row);
  }
  return rows;
}

function equalitiesOf(where: BoundExpression): Map<number, Equality> {
  const operands = where.kind === 'and' ? where.operands : [where];
  const equalities = new Map<number, Equality>();
  for (const operand of operands) {
    if (operand.kind === 'compareConstant' && operand.comparison === '=') {
      equalities.set(operand.column.index, operand);
    }
  }
  return equalities;
}

function prefixFor(index: QueryIndex, equalities: ReadonlyMap<number, Equality>): unknown[] {
  const prefix: unknown[] = [];
  for (const column of index.def.columns) {
    const equality = equalities.get(column);
    if (equality === undefined) break;
    prefix.push(equality.constant.value);
  }
  const isPoint = prefix.length === index.def.columns.length;
  const findsPrefixes = index.kind !== 'hash' && index.def.algorithm === 'btree';
  return isPoint || findsPrefixes ? prefix : [];
}
