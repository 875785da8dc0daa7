import { productType } from '../../values/algebraic-type.js';
import type { AlgebraicType } from '../../values/algebraic-type.js';
import { seededRandom } from '../../base/random.js';
import { ManualClock } from '../../base/clock.js';
import { Identity } from '../../values/identity.js';
import type { DatabaseOptions, TransactionOrigin } from '../contract.js';
import { MemoryLog } from '../log/commit-log.js';
import type { NewRecord, TransactionRecord } from '../log/commit-log.js';
import { asRead } from './log-records.js';
import type { DatabaseSchema, IndexAlgorithm, TableDef } from '../schema.js';

/* Schemas and databases in few words, for tests and benchmarks. */

export interface TableSketch {
  readonly columns: Readonly<Record<string, AlgebraicType>>;
  readonly primaryKey?: string;
  readonly unique?: readonly (readonly string[])[];
  readonly indexes?: readonly (readonly [IndexAlgorithm, ...string[]])[];
  readonly autoInc?: string;
  readonly isEvent?: boolean;
  readonly isPublic?: boolean;
}

/** Names follow the rules of the module layer: `player_name_idx_btree`, `player_name_key`. */
export function tableDef(name: string, sketch: TableSketch, rowTypeRef = 0): TableDef {
  const rowType = productType(sketch.columns);
  const properties = Object.keys(sketch.columns);
  const position = (column: string): number => properties.indexOf(column);
  const primary = sketch.primaryKey === undefined ? [] : [[sketch.primaryKey]];
  const unique = [...primary, ...(sketch.unique ?? [])];
  const implied = unique
    .filter((columns) => !sketch.indexes?.some(([, ...indexed]) => indexed.join() === columns.join()))
    .map((columns): [IndexAlgorithm, ...string[]] => ['btree', ...columns]);
  return {
    name,
    sourceName: name,
    columns: rowType.elements.map(({ property, type }) => ({ name: property, property, type })),
    rowType,
    rowTypeRef,
    primaryKey: sketch.primaryKey === undefined ? undefined : position(sketch.primaryKey),
    indexes: [...implied, ...(sketch.indexes ?? [])].map(([algorithm, ...columns]) => ({
      name: `${name}_${columns.join('_')}_idx_${algorithm}`,
      sourceName: `${name}_${columns.join('_')}_idx_${algorithm}`,
      accessor: columns.length === 1 ? columns[0] : undefined,
      algorithm,
      columns: columns.map(position),
    })),
    uniqueConstraints: unique.map((columns) => ({
      name: `${name}_${columns.join('_')}_key`,
      columns: columns.map(position),
    })),
    sequences:
      sketch.autoInc === undefined
        ? []
        : [
            {
              name: `${name}_${sketch.autoInc}_seq`,
              column: position(sketch.autoInc),
              start: undefined,
              minValue: undefined,
              maxValue: undefined,
              increment: 1n,
            },
          ],
    schedule: undefined,
    isPublic: sketch.isPublic ?? true,
    isEvent: sketch.isEvent ?? false,
  };
}

export function schemaOf(tables: Readonly<Record<string, TableSketch>>): DatabaseSchema {
  const defs = Object.entries(tables).map(([name, sketch], ref) => tableDef(name, sketch, ref));
  return { typespace: { types: defs.map((def) => def.rowType) }, tables: defs };
}

/** A MemoryLog that remembers, and that can be told to fail. */
export class RecordingLog extends MemoryLog {
  readonly records: TransactionRecord[] = [];
  refusal: Error | undefined;

  override append(record: NewRecord): number {
    if (this.refusal !== undefined) throw this.refusal;
    this.records.push(asRead(record));
    return super.append(record);
  }
}

export function testOptions(log = new MemoryLog()): DatabaseOptions {
  const identity = new Identity(1n);
  return { identity, owner: new Identity(2n), clock: new ManualClock(), random: seededRandom(1), log };
}

export const TEST_ORIGIN: TransactionOrigin = {
  caller: undefined,
  connectionId: undefined,
  functionName: 'test',
  timestampMicros: 1_700_000_000_000_000,
};
