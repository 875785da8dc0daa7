import { ByteReader } from '../../base/byte-reader.js';
import type { ByteWriter } from '../../base/byte-writer.js';
import { WireError } from '../../base/wire-error.js';
import type { Typespace } from '../../values/algebraic-type.js';
import { resolveType } from '../../values/algebraic-type.js';
import type { Codec } from '../../values/bsatn/codec.js';
import { optionInner } from '../../values/special-types.js';
import type { Row } from '../contract.js';
import { describeValue, didYouMean, EngineError } from '../errors.js';
import type { ColumnDef, TableDef } from '../schema.js';
import { compileRowShape, isImmutableType } from './row-shape.js';
import type { RowShape } from './row-shape.js';
import type { Sequence } from './sequence.js';

/** Turns what an application hands in into a stored row and its bytes, or refuses it with a message for its author. */
export class RowStaging {
  readonly #table: TableDef;
  readonly #typespace: Typespace;
  readonly #codec: Codec<Row>;
  readonly #shape: RowShape;
  readonly #isImmutable: boolean;
  readonly #sequences: readonly Sequence[];

  constructor(table: TableDef, typespace: Typespace, codec: Codec<Row>, sequences: readonly Sequence[]) {
    this.#table = table;
    this.#typespace = typespace;
    this.#codec = codec;
    this.#shape = compileRowShape(table);
    this.#isImmutable = table.columns.every((column) => isImmutableType(column.type));
    this.#sequences = sequences;
  }

  /** See `Table.copyRow`. */
  get copyStored(): (row: Row) => Row {
    return this.#shape.copyStored;
  }

  /** Encodes `row` at the end of `writer` and gives it as it is to be stored. Sequences fill zeros, except in `fixed` columns. */
  stage(row: Row, writer: ByteWriter, fixed: readonly number[] | 'all'): Row {
    if (typeof row !== 'object' || row === null)
      throw this.#badRow(`a row is an object, got ${describeValue(row)}`);
    if (!this.#shape.isExact(row)) this.#checkColumns(row);
    const copied = this.#shape.copy(row);
    if (fixed !== 'all') this.#fillSequences(copied, fixed);
    const start = writer.length;
    try {
      this.#codec.encode(writer, copied);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      throw new EngineError('BsatnDecodeError', error.message, { cause: error });
    }
    // What the author could still change behind our back is taken from the bytes.
    return this.#isImmutable ? copied : this.#codec.decode(readerOf(writer, start));
  }

  #fillSequences(row: Record<string, unknown>, fixed: readonly number[]): void {
    for (const sequence of this.#sequences) {
      const value = row[sequence.property];
      if ((value === 0n || value === 0) && !fixed.includes(sequence.column)) {
        row[sequence.property] = sequence.take();
      }
    }
  }

  #checkColumns(row: Row): void {
    const properties = this.#table.columns.map((column) => column.property);
    for (const key of Object.keys(row)) {
      if (properties.includes(key)) continue;
      const hint = didYouMean(key, properties);
      throw new EngineError(
        'BsatnDecodeError',
        `table \`${this.#table.name}\` has no column \`${key}\`${hint}`,
      );
    }
    const missing = this.#table.columns.find(
      (column) => row[column.property] === undefined && !this.#isOption(column),
    );
    if (missing !== undefined) throw this.#badRow(`column \`${missing.property}\` is missing`);
  }

  #isOption(column: ColumnDef): boolean {
    const type = resolveType(column.type, this.#typespace);
    return type.kind === 'sum' && optionInner(type) !== undefined;
  }

  #badRow(message: string): EngineError {
    return new EngineError('BsatnDecodeError', `table \`${this.#table.name}\`: ${message}`);
  }
}

function readerOf(writer: ByteWriter, start: number): ByteReader {
  return new ByteReader(writer.bytes.subarray(start, writer.length));
}
