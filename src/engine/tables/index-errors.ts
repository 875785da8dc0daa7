import { EngineError } from '../errors.js';
import type { IndexDef } from '../schema.js';

/** Hash and unique indexes answer only "which row has exactly these values". */
export function wrongAlgorithm(table: string, def: IndexDef, asked: string): EngineError {
  return new EngineError(
    'WrongIndexAlgo',
    `table \`${table}\`: index \`${def.name}\` finds rows only by the values of all its columns, not by ${asked}: declare it as a non-unique btree index`,
  );
}
