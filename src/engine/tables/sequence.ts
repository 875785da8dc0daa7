import { ByteReader } from '../../base/byte-reader.js';
import { ByteWriter } from '../../base/byte-writer.js';
import { resolveType } from '../../values/algebraic-type.js';
import type { Typespace } from '../../values/algebraic-type.js';
import { EngineError } from '../errors.js';
import type { SequenceDef, TableDef } from '../schema.js';

/** Values promised to the log at a time: a restart loses at most this many, and a log record says so every 4096 rows. */
export const SEQUENCE_BLOCK = 4096n;
/** Narrow columns get smaller blocks: no restart may cost more than this part of their values. */
const BLOCKS_MIN = 4096n;

/**
 * Gives the values of an autoInc column. A rollback does not take them back, and a value somebody chose himself does not
 * move it on. When the column's type or the declared maximum is used up, it fails rather than begin anew.
 */
export class Sequence {
  readonly name: string;
  readonly column: number;
  readonly property: string;
  readonly #table: string;
  readonly #isBigint: boolean;
  readonly #min: bigint;
  readonly #max: bigint;
  readonly #increment: bigint;
  readonly #block: bigint;
  #next: bigint;
  #allocated: bigint;
  #isAllocationNew = false;

  constructor(table: TableDef, def: SequenceDef, typespace: Typespace) {
    const column = table.columns[def.column]!;
    const { min, max, bits } = integerRange(resolveType(column.type, typespace).kind);
    this.name = def.name;
    this.column = def.column;
    this.property = column.property;
    this.#table = table.name;
    this.#isBigint = bits > 32;
    this.#increment = def.increment;
    // Zero asks for a value, so values start at 1 unless the author says otherwise.
    this.#min = larger(def.minValue ?? (def.increment > 0n ? 1n : min), min);
    this.#max = smaller(def.maxValue ?? (def.increment > 0n ? max : -1n), max);
    const values =
      (this.#max - this.#min) /
        (def.increment > 0n ? larger(def.increment, 1n) : larger(-def.increment, 1n)) +
      1n;
    this.#block = larger(1n, smaller(SEQUENCE_BLOCK, values / BLOCKS_MIN));
    this.#next = def.start ?? (def.increment > 0n ? this.#min : this.#max);
    if (def.increment === 0n || this.#next < this.#min || this.#next > this.#max) {
      throw new RangeError(
        `sequence \`${def.name}\` of table \`${table.name}\`: a step of ${def.increment} from ${this.#next} gives no value within ${this.#min} to ${this.#max}`,
      );
    }
    this.#allocated = this.#next;
  }

  /** The next value, as the column's JavaScript type. */
  take(): bigint | number {
    if (this.#next === 0n) this.#next += this.#increment;
    const value = this.#next;
    if (value < this.#min || value > this.#max) {
      throw new EngineError(
        'AutoIncOverflow',
        `table \`${this.#table}\`: no values are left for autoInc column \`${this.property}\` (${this.#min} to ${this.#max})`,
      );
    }
    this.#next = value + this.#increment;
    if (this.#isBeyondAllocated()) {
      this.#allocated = value + this.#increment * this.#block;
      this.#isAllocationNew = true;
    }
    return this.#isBigint ? value : Number(value);
  }

  /** True while the log has not been told of `allocated`. */
  get isAllocationNew(): boolean {
    return this.#isAllocationNew;
  }

  /** The log has taken `allocated`. */
  confirmAllocation(): void {
    this.#isAllocationNew = false;
  }

  /** Where a restarted database has to go on; for the log and for snapshots. */
  get allocated(): bigint {
    return this.#allocated;
  }

  /** Goes on at `next`, as a log or snapshot says, unless it is further already. */
  restore(next: bigint): void {
    const isFurther = this.#increment > 0n ? next > this.#next : next < this.#next;
    if (!isFurther) return;
    this.#next = next;
    this.#allocated = next;
  }

  #isBeyondAllocated(): boolean {
    return this.#increment > 0n ? this.#next > this.#allocated : this.#next < this.#allocated;
  }
}

/** The range of an integer type. Throws for another type. */
export function integerRange(kind: string): { min: bigint; max: bigint; bits: number } {
  const match = /^([iu])(8|16|32|64|128|256)$/.exec(kind);
  if (match === null) throw new RangeError(`autoInc needs an integer column, not ${kind}`);
  const bits = Number(match[2]);
  const magnitude = 1n << BigInt(match[1] === 'i' ? bits - 1 : bits);
  return { min: match[1] === 'i' ? -magnitude : 0n, max: magnitude - 1n, bits };
}

function larger(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

/** A sequence must not give values before `next` again after a restart. */
export interface SequenceAllocation {
  readonly table: string;
  readonly sequence: string;
  readonly next: bigint;
}

/** Table name, sequence name, decimal text; each with its length before it. */
export function encodeAllocation({ table, sequence, next }: SequenceAllocation): Uint8Array {
  const writer = new ByteWriter(64);
  for (const text of [table, sequence, next.toString()]) writer.writeString(text);
  return writer.finish();
}

export function decodeAllocation(bytes: Uint8Array): SequenceAllocation {
  const reader = new ByteReader(bytes);
  const allocation = {
    table: reader.readString(),
    sequence: reader.readString(),
    next: BigInt(reader.readString()),
  };
  reader.expectEnd();
  return allocation;
}
