import { ByteReader } from '../../../../base/byte-reader.js';
import type { ProductElement, Typespace } from '../../../../values/algebraic-type.js';
import { compileCodec } from '../../../../values/bsatn/codec.js';
import type { Codec } from '../../../../values/bsatn/codec.js';
import { bytesToKey } from '../../../../values/integer-bytes.js';
import type { RowList } from '../../messages/row-list.js';
import type { UntypedTableDef } from '../schema/remote-module.js';
import { lazyTypespace } from '../schema/type-builder.js';
import { equalValues } from './equal-values.js';
import { compileRowKey, RowIndex } from './row-index.js';
import { IndexView, PrimaryKeyView, TableView, UniqueIndexView } from './table-view.js';
import type { TableRowsSource } from './table-view.js';

export type Row = Readonly<Record<string, unknown>>;

type RowKey = string | number | boolean;

/** A row and how many of the client's queries hold it. */
interface Cell {
  row: Row;
  count: number;
}

/** What one message does to one row: the sum over all its queries. */
interface RowChange {
  inserts: number;
  deletes: number;
  inserted: Row | undefined;
}

/** What one message does to one table. */
export interface TableBatch {
  readonly changes: Map<RowKey, RowChange>;
  /** Rows of an event table: told, not kept. */
  readonly events: Row[];
}

/** One call of an application's callback that is due. */
export type RowEvent =
  | { readonly kind: 'insert' | 'delete'; readonly view: TableView; readonly row: Row }
  | { readonly kind: 'update'; readonly view: TableView; readonly oldRow: Row; readonly row: Row };

/**
 * The rows of one table that the client's queries hold. A row is known by its primary key or, without one, by its
 * bytes; each query that holds it counts once.
 */
export class TableCache {
  readonly def: UntypedTableDef;
  readonly view: TableView;
  readonly #codec: Codec<Row>;
  readonly #cells = new Map<RowKey, Cell>();
  readonly #indexes: RowIndex[] = [];
  readonly #primaryKey: ((row: Row) => RowKey) | undefined;
  readonly #report: (problem: string) => void;

  constructor(def: UntypedTableDef, report: (problem: string) => void) {
    this.def = def;
    this.#report = report;
    const { rowType } = def;
    const typespace = lazyTypespace();
    this.#codec = compileCodec<Row>(rowType, typespace);
    const primary = primaryKeyColumn(def);
    this.#primaryKey = primary && compileRowKey([primary], typespace);
    const source: TableRowsSource = {
      size: () => this.#cells.size,
      rows: () => this.#rows(),
      byPrimaryKey: (value) => this.#byPrimaryKey(primary, value),
    };
    this.view = new TableView(source);
    this.#addIndexViews(source, typespace, primary);
  }

  newBatch(): TableBatch {
    return { changes: new Map(), events: [] };
  }

  /** Decodes rows of a message into `batch`; nothing is changed yet. Throws WireError. */
  gather(batch: TableBatch, list: RowList, kind: 'insert' | 'delete' | 'event'): void {
    if (list.rowCount === 0) return;
    const reader = new ByteReader(list.rowsData);
    for (let i = 0; i < list.rowCount; i++) {
      const start = reader.offset;
      const row = this.#codec.decode(reader);
      if (kind === 'event') batch.events.push(row);
      else this.#gatherRow(batch, row, this.#keyOf(row, reader, start), kind);
    }
    reader.expectEnd();
  }

  /** Changes the cache and appends to `events` what callbacks are to be told. */
  apply(batch: TableBatch, events: RowEvent[]): void {
    for (const row of batch.events) events.push({ kind: 'insert', view: this.view, row });
    for (const [key, change] of batch.changes) {
      const event = this.#applyChange(key, change);
      if (event !== undefined) events.push(event);
    }
  }

  /** Changes the cache to exactly what `batch` adds up to; `events` are told only what is different then. */
  replaceAll(batch: TableBatch, events: RowEvent[]): void {
    for (const row of batch.events) events.push({ kind: 'insert', view: this.view, row });
    for (const [key, cell] of this.#cells) {
      const change = batch.changes.get(key);
      if (change === undefined || change.inserts <= change.deletes) events.push(this.#remove(key, cell));
    }
    for (const [key, { inserts, deletes, inserted }] of batch.changes) {
      if (inserted === undefined || inserts <= deletes) continue;
      const event = this.#put(key, inserted, inserts - deletes);
      if (event !== undefined) events.push(event);
    }
  }

  #put(key: RowKey, row: Row, count: number): RowEvent | undefined {
    const cell = this.#cells.get(key);
    if (cell === undefined) return this.#insert(key, row, count);
    cell.count = count;
    // Without a primary key equal keys are equal rows.
    if (this.#primaryKey === undefined || equalValues(cell.row, row)) return undefined;
    return this.#exchange(cell, row);
  }

  *#rows(): IterableIterator<Row> {
    for (const cell of this.#cells.values()) yield cell.row;
  }

  #byPrimaryKey(primary: ProductElement | undefined, value: unknown): Row | undefined {
    if (primary === undefined || this.#primaryKey === undefined) return undefined;
    return this.#cells.get(this.#primaryKey({ [primary.property]: value }))?.row;
  }

  #keyOf(row: Row, reader: ByteReader, start: number): RowKey {
    return this.#primaryKey === undefined
      ? bytesToKey(reader.bytes, start, reader.offset)
      : this.#primaryKey(row);
  }

  #gatherRow(batch: TableBatch, row: Row, key: RowKey, kind: 'insert' | 'delete'): void {
    let change = batch.changes.get(key);
    if (change === undefined) {
      change = { inserts: 0, deletes: 0, inserted: undefined };
      batch.changes.set(key, change);
    }
    if (kind === 'delete') {
      change.deletes++;
    } else {
      change.inserts++;
      change.inserted = row;
    }
  }

  #applyChange(key: RowKey, { inserts, deletes, inserted }: RowChange): RowEvent | undefined {
    const cell = this.#cells.get(key);
    if (cell === undefined) {
      if (deletes > 0)
        this.#report(`the server deletes a row of \`${this.def.sourceName}\` that is not in the cache`);
      return inserted === undefined ? undefined : this.#insert(key, inserted, inserts);
    }
    cell.count += inserts - deletes;
    if (cell.count > 0) return inserted === undefined ? undefined : this.#replace(cell, inserted, deletes);
    if (cell.count < 0 || inserts > 0) {
      this.#report(`the server deletes a row of \`${this.def.sourceName}\` more often than it inserted it`);
    }
    return this.#remove(key, cell);
  }

  #insert(key: RowKey, row: Row, count: number): RowEvent {
    this.#cells.set(key, { row, count });
    for (const index of this.#indexes) index.added(row);
    return { kind: 'insert', view: this.view, row };
  }

  /** A row that is known came again: for another query, or changed under its primary key. */
  #replace(cell: Cell, row: Row, deletes: number): RowEvent | undefined {
    if (this.#primaryKey === undefined) return undefined;
    const oldRow = cell.row;
    if (deletes === 0) {
      if (equalValues(oldRow, row)) return undefined;
      this.#report(
        `the server inserts a row of \`${this.def.sourceName}\` that differs from the one in the cache`,
      );
    }
    return this.#exchange(cell, row);
  }

  #exchange(cell: Cell, row: Row): RowEvent {
    const oldRow = cell.row;
    cell.row = row;
    for (const index of this.#indexes) {
      index.removed(oldRow);
      index.added(row);
    }
    return { kind: 'update', view: this.view, oldRow, row };
  }

  #remove(key: RowKey, { row }: Cell): RowEvent {
    this.#cells.delete(key);
    for (const index of this.#indexes) index.removed(row);
    return { kind: 'delete', view: this.view, row };
  }

  #addIndexViews(source: TableRowsSource, typespace: Typespace, primary: ProductElement | undefined): void {
    for (const { accessor, columns } of this.def.indexes) {
      if (accessor in this.view) {
        this.#report(
          `index \`${accessor}\` of \`${this.def.sourceName}\` has the name of a method and is left out`,
        );
        continue;
      }
      const value =
        columns.length === 1 && columns[0] === primary?.property
          ? new PrimaryKeyView(source)
          : this.#indexView(columns, typespace, () => source.rows());
      Object.defineProperty(this.view, accessor, { value, enumerable: true });
    }
  }

  #indexView(
    columns: readonly string[],
    typespace: Typespace,
    rows: () => Iterable<Row>,
  ): UniqueIndexView | IndexView {
    const index = new RowIndex(
      columns.map((property) => columnOf(this.def, property)),
      typespace,
      rows,
    );
    this.#indexes.push(index);
    return isUnique(this.def, columns) ? new UniqueIndexView(index) : new IndexView(index);
  }
}

function primaryKeyColumn(def: UntypedTableDef): ProductElement | undefined {
  const property = Object.keys(def.columns).find((name) => def.columns[name]!.metadata.isPrimaryKey);
  return property === undefined ? undefined : columnOf(def, property);
}

function columnOf(def: UntypedTableDef, property: string): ProductElement {
  const column = def.rowType.elements.find((element) => element.property === property);
  if (column === undefined) throw new TypeError(`table \`${def.sourceName}\` has no column \`${property}\``);
  return column;
}

function isUnique(def: UntypedTableDef, columns: readonly string[]): boolean {
  const isColumnUnique = columns.every((name) => {
    const metadata = def.columns[name]?.metadata;
    return metadata?.isPrimaryKey === true || metadata?.isUnique === true;
  });
  return isColumnUnique || def.constraints.some((constraint) => sameColumns(constraint.columns, columns));
}

function sameColumns(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
