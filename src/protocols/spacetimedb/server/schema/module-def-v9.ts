import { arrayType, productType, sumType } from '../../../../values/algebraic-type.js';
import type { AlgebraicType } from '../../../../values/algebraic-type.js';
import { encodeJson } from '../../../../values/sats-json/encode-json.js';
import { optionType } from '../../../../values/special-types.js';
import type { TableDef } from '../../../../engine/schema.js';
import type { ModuleDef } from '../../../../module/module-def.js';
import { describeAlgorithm, describeDefaults, describeSequence, LIFECYCLE_TAGS } from './described-parts.js';
import {
  BOOL,
  BYTES,
  canonicalName,
  COLUMNS,
  CONSTRAINT_DATA,
  describeParts,
  describeType,
  I128,
  INDEX_ALGORITHM,
  LIFECYCLE,
  NOTHING,
  PRODUCT_TYPE,
  RAW_TYPESPACE,
  STRING,
  TABLE_ACCESS,
  TABLE_TYPE,
  TYPESPACE,
  U16,
  U32,
} from './raw-types.js';

/*
 * RawModuleDefV9, JSON only: what tools ask for that do not know version 10. All names are canonical.
 */

const TABLE = productType({
  name: STRING,
  product_type_ref: U32,
  primary_key: COLUMNS,
  indexes: arrayType(
    productType({ name: optionType(STRING), accessor_name: optionType(STRING), algorithm: INDEX_ALGORITHM }),
  ),
  constraints: arrayType(productType({ name: optionType(STRING), data: CONSTRAINT_DATA })),
  sequences: arrayType(
    productType({
      name: optionType(STRING),
      column: U16,
      start: optionType(I128),
      min_value: optionType(I128),
      max_value: optionType(I128),
      increment: I128,
    }),
  ),
  schedule: optionType(
    productType({ name: optionType(STRING), reducer_name: STRING, scheduled_at_column: U16 }),
  ),
  table_type: TABLE_TYPE,
  table_access: TABLE_ACCESS,
});

const RAW_MODULE_DEF_V9: AlgebraicType = productType({
  typespace: TYPESPACE,
  tables: arrayType(TABLE),
  reducers: arrayType(productType({ name: STRING, params: PRODUCT_TYPE, lifecycle: optionType(LIFECYCLE) })),
  types: arrayType(
    productType({
      name: productType({ scope: arrayType(STRING), name: STRING }),
      ty: U32,
      custom_ordering: BOOL,
    }),
  ),
  misc_exports: arrayType(
    sumType({ ColumnDefaultValue: productType({ table: STRING, col_id: U16, value: BYTES }) }),
  ),
  row_level_security: NOTHING,
});

/** The JSON of `GET /schema?version=9`. */
export function encodeModuleDefV9Json(def: ModuleDef): string {
  const { typespace, tables } = def.schema;
  const value = {
    typespace: { types: typespace.types.map((type) => describeType(type, canonicalName)) },
    tables: tables.map((table) => describeTable(def, table)),
    reducers: def.reducers.map(({ name, params, lifecycle }) => ({
      name,
      params: { elements: describeParts(params.elements, canonicalName) },
      lifecycle: lifecycle === undefined ? undefined : { tag: LIFECYCLE_TAGS[lifecycle] },
    })),
    types: def.namedTypes.map(({ name, scope, ref }) => ({
      name: { scope, name },
      ty: ref,
      custom_ordering: true,
    })),
    misc_exports: tables.flatMap((table) =>
      describeDefaults(table, typespace).map(({ column, value }) => ({
        tag: 'ColumnDefaultValue',
        value: { table: table.name, col_id: column, value },
      })),
    ),
    row_level_security: [],
  };
  return encodeJson(RAW_MODULE_DEF_V9, value, { form: 'typed', typespace: RAW_TYPESPACE });
}

function describeTable(def: ModuleDef, table: TableDef): unknown {
  return {
    name: table.name,
    product_type_ref: table.rowTypeRef,
    primary_key: table.primaryKey === undefined ? [] : [table.primaryKey],
    indexes: table.indexes.map((index) => ({
      name: index.name,
      accessor_name: index.accessor,
      algorithm: describeAlgorithm(index),
    })),
    constraints: table.uniqueConstraints.map(({ name, columns }) => ({
      name,
      data: { tag: 'Unique', value: { columns } },
    })),
    sequences: table.sequences.map((sequence) => ({ name: sequence.name, ...describeSequence(sequence) })),
    schedule: describeSchedule(def, table),
    table_type: { tag: 'User' },
    table_access: { tag: table.isPublic ? 'Public' : 'Private' },
  };
}

function describeSchedule(def: ModuleDef, { schedule }: TableDef): unknown {
  if (schedule === undefined) return undefined;
  const reducer = def.reducers.find(({ sourceName }) => sourceName === schedule.functionName);
  const reducer_name = reducer?.name ?? schedule.functionName;
  return { name: schedule.name, reducer_name, scheduled_at_column: schedule.column };
}
