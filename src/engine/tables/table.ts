import type { ByteReader } from '../../base/byte-reader.js';
import type { ByteWriter } from '../../base/byte-writer.js';
import type { Typespace } from '../../values/algebraic-type.js';
import { compileCodec, encodeToBytes } from '../../values/bsatn/codec.js';
import type { Codec } from '../../values/bsatn/codec.js';
import type { Row } from '../contract.js';
import { describeValue, EngineError } from '../errors.js';
import type { TableChange } from '../log/commit-log.js';
import { checkDelay } from '../schedule/schedule-state.js';
import type { TableDef } from '../schema.js';
import { buildIndexes } from './build-indexes.js';
import { Cell } from './cell.js';
import type { Index, UniqueIndex } from './indexes.js';
import { Journal } from './journal.js';
import { replayChange, replayStored } from './replay.js';
import type { RowStore } from './row-store.js';
import { RowStaging } from './row-staging.js';
import { Sequence } from './sequence.js';
import type { UniqueKeys } from './unique-keys.js';
import type { WriteScope } from './write-scope.js';

/**
 * The rows of one table, for reading at any time and for changing within a transaction. The object is the same for the
 * life of the database.
 *
 * Rows that come out are the stored ones, not copies: they must not be changed in place (`copyRow` gives one that may).
 * A refused change throws EngineError and has changed nothing, so the transaction may go on.
 */
export class Table implements Iterable<Row> {
  /** Another object after the module was replaced. */
  def: TableDef;
  readonly name: string;
  /** Rows as BSATN and back. */
  readonly codec: Codec<Row>;
  /** Gives a copy of a stored row that may be changed in place. Nested arrays and objects are still shared. */
  readonly copyRow: (row: Row) => Row;
  /** Under canonical name, source name and accessor. */
  readonly indexes: ReadonlyMap<string, Index>;
  /** Internal: what the open transaction did here. */
  readonly journal: Journal;
  readonly sequences: readonly Sequence[];
  readonly #scope: WriteScope;
  readonly #store: RowStore;
  readonly #staging: RowStaging;
  readonly #primary: UniqueKeys | undefined;

  constructor(def: TableDef, typespace: Typespace, scope: WriteScope) {
    this.def = def;
    this.name = def.name;
    this.codec = compileCodec<Row>(def.rowType, typespace, { name: def.name });
    this.sequences = def.sequences.map((sequence) => new Sequence(def, sequence, typespace));
    this.#scope = scope;
    this.#staging = new RowStaging(def, typespace, this.codec, this.sequences);
    this.copyRow = this.#staging.copyStored;
    const writes = {
      name: def.name,
      updateBy: (unique: UniqueKeys, row: Row) => this.#updateBy(unique, row),
      deleteCells: (cells: readonly Cell[]) => this.#deleteCells(cells),
    };
    const { store, primary, byName } = buildIndexes(def, writes, typespace, this.codec);
    this.#store = store;
    this.#primary = primary;
    this.indexes = byName;
    this.journal = new Journal(store, this.codec);
  }

  get count(): number {
    return this.#store.size;
  }

  /** The rows as they are now: an array that later changes do not touch. */
  rows(): Row[] {
    const rows: Row[] = [];
    for (const cell of this.#store.cells()) rows.push(cell.row!);
    return rows;
  }

  /** The rows as they were when the iteration began, whatever happens meanwhile. */
  [Symbol.iterator](): IterableIterator<Row> {
    return this.rows().values();
  }

  /** The rows, without a copy of the list: the table must not change before the last was taken. */
  *scan(): IterableIterator<Row> {
    for (const cell of this.#store.cells()) yield cell.row!;
  }

  /** The index of that canonical name, source name or accessor. Throws NoSuchIndex. */
  index(name: string): Index {
    const index = this.indexes.get(name);
    if (index === undefined)
      throw new EngineError('NoSuchIndex', `table \`${this.name}\` has no index \`${name}\``);
    return index;
  }

  /** Like `index`, and throws IndexNotUnique when it is another kind. */
  uniqueIndex(name: string): UniqueIndex {
    const index = this.index(name);
    if (index.kind === 'unique') return index;
    throw new EngineError('IndexNotUnique', `table \`${this.name}\`: index \`${name}\` is not unique`);
  }

  /** The row with that primary key. The table has one. */
  findByPrimaryKey(value: unknown): Row | undefined {
    return this.#primary?.find(value)?.row;
  }

  /** The row in BSATN, in bytes of its own. */
  encodeRow(row: Row): Uint8Array {
    return encodeToBytes(this.codec, row);
  }

  /**
   * Stores a row and gives it as stored: zeros in autoInc columns are replaced. A table without unique constraints is a
   * set: a row that is there already is not stored again. Throws UniqueAlreadyExists, AutoIncOverflow, BsatnDecodeError.
   */
  insert(row: Row): Row {
    this.#scope.assertOpen(this.name);
    const writer = this.#scope.writer;
    const start = writer.length;
    const stored = this.#staging.stage(row, writer, []);
    const existing = this.#store.rowKeys?.find(writer.bytes, start, writer.length);
    if (existing !== undefined) {
      writer.length = start;
      return existing.row!;
    }
    this.#check(stored, undefined, writer, start);
    const cell = new Cell();
    this.#record('insert', cell, start);
    this.#store.add(cell, stored);
    return stored;
  }

  /** Replaces the row with the same primary key. Throws NoSuchRow when there is none. */
  update(row: Row): Row {
    if (this.#primary === undefined) {
      throw new EngineError(
        'NoSuchIndex',
        `table \`${this.name}\` has no primary key to update by: update by a unique index, or delete and insert`,
      );
    }
    return this.#updateBy(this.#primary, row);
  }

  /** Deletes the row that equals `row` in every column; false when there is none. */
  deleteRow(row: Row): boolean {
    this.#scope.assertOpen(this.name);
    const cell = this.#findEqual(row);
    return this.#deleteCells(cell === undefined ? [] : [cell]) > 0;
  }

  /** Deletes all rows and gives their number. */
  clear(): number {
    return this.#deleteCells([...this.#store.cells()]);
  }

  /** Internal, for recovery: does again what a logged transaction did. */
  replay(change: TableChange): void {
    replayChange(this.#store, this.codec, change);
  }

  /** Internal, for recovery: the same for a change as it stands in the log, behind the table's name. */
  replayStored(reader: ByteReader): void {
    replayStored(this.#store, this.codec, reader, this.name);
  }

  #updateBy(unique: UniqueKeys, row: Row): Row {
    this.#scope.assertOpen(this.name);
    const writer = this.#scope.writer;
    const start = writer.length;
    const stored = this.#staging.stage(row, writer, unique.keyColumns.columns);
    const cell = unique.findSame(stored);
    if (cell === undefined) {
      writer.length = start;
      throw new EngineError(
        'NoSuchRow',
        `table \`${this.name}\`: there is no row with ${unique.keyColumns.describe(stored)} to update`,
      );
    }
    this.#check(stored, cell, writer, start);
    // The first unique structure decides which cell a row is in: see Journal.record.
    const first = this.#store.uniques[0]!;
    const keepsKey = unique === first || first.isSame(cell.row!, stored);
    this.#record(keepsKey ? 'update' : 'move', cell, start);
    this.#store.replace(cell, stored, unique);
    return stored;
  }

  #deleteCells(cells: readonly Cell[]): number {
    this.#scope.assertOpen(this.name);
    for (const cell of cells) {
      this.#record('delete', cell, 0);
      this.#store.remove(cell);
    }
    return cells.length;
  }

  #record(kind: 'insert' | 'delete' | 'update' | 'move', cell: Cell, start: number): void {
    if (this.journal.isEmpty) this.#scope.touched.push(this);
    this.journal.record(kind, cell, start, kind === 'delete' ? start : this.#scope.writer.length);
  }

  #check(row: Row, self: Cell | undefined, writer: ByteWriter, start: number): void {
    try {
      if (this.def.schedule !== undefined) checkDelay(this.def, row, this.#scope.timestampMicros);
      this.#store.checkUnique(row, self);
    } catch (error) {
      writer.length = start;
      throw error;
    }
  }

  #findEqual(row: Row): Cell | undefined {
    const writer = this.#scope.writer;
    const start = writer.length;
    try {
      const wanted = this.#staging.stage(row, writer, 'all');
      const cell = this.#findByKey(wanted);
      if (cell === undefined) return undefined;
      const middle = writer.length;
      this.codec.encode(writer, cell.row!);
      return isRepeated(writer.bytes, start, middle, writer.length) ? cell : undefined;
    } finally {
      writer.length = start;
    }
  }

  #findByKey(row: Row): Cell | undefined {
    const { rowKeys, uniques } = this.#store;
    return rowKeys === undefined ? uniques[0]!.findSame(row) : rowKeys.findRow(row);
  }

  /** For messages of those who hold a table. */
  toString(): string {
    return `table ${describeValue(this.name)}`;
  }
}

/** Whether bytes start..middle and middle..end are the same. */
function isRepeated(bytes: Uint8Array, start: number, middle: number, end: number): boolean {
  const size = middle - start;
  if (end - middle !== size) return false;
  for (let i = 0; i < size; i++) if (bytes[start + i] !== bytes[middle + i]) return false;
  return true;
}
