import type { TableDef } from '../../../engine/schema.js';
import type { ModuleDef } from '../../../module/module-def.js';
import type { ProductType, Typespace } from '../../../values/algebraic-type.js';
import { compileCodec } from '../../../values/bsatn/codec.js';
import type { Codec } from '../../../values/bsatn/codec.js';

/* Codecs of rows and arguments, for the wires that do not speak BSATN; made when first needed. */

const rowCodecs = new WeakMap<TableDef, Codec>();

export function rowCodec(table: TableDef, typespace: Typespace): Codec {
  let codec = rowCodecs.get(table);
  if (codec === undefined) rowCodecs.set(table, (codec = compileCodec(table.rowType, typespace)));
  return codec;
}

export interface KnownReducer {
  /** Its place among the module's reducers. */
  readonly id: number;
  readonly params: ProductType;
  /** Of the arguments. */
  readonly codec: Codec;
}

const knownReducers = new WeakMap<ModuleDef, Map<string, KnownReducer>>();

/** What is known of a reducer by its canonical name. */
export function findReducer(def: ModuleDef, name: string): KnownReducer | undefined {
  let known = knownReducers.get(def);
  if (known === undefined) knownReducers.set(def, (known = new Map<string, KnownReducer>()));
  const found = known.get(name);
  if (found !== undefined) return found;
  const id = def.reducers.findIndex((reducer) => reducer.name === name);
  if (id < 0) return undefined;
  const { params } = def.reducers[id]!;
  const reducer = { id, params, codec: compileCodec(params, def.schema.typespace) };
  known.set(name, reducer);
  return reducer;
}
