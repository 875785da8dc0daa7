import { UNIT_TYPE, arrayType, productType, sumType } from '../../../../values/algebraic-type.js';
import type { AlgebraicType, SumType } from '../../../../values/algebraic-type.js';
import { compileCodec, encodeToBytes } from '../../../../values/bsatn/codec.js';
import { toSnakeCase } from '../../../../values/case-conversion.js';
import { encodeJson } from '../../../../values/sats-json/encode-json.js';
import { optionType } from '../../../../values/special-types.js';
import type { TableDef } from '../../../../engine/schema.js';
import type { ModuleDef } from '../../../../module/module-def.js';
import { describeAlgorithm, describeDefaults, describeSequence, LIFECYCLE_TAGS } from './described-parts.js';
import {
  ALGEBRAIC_TYPE,
  BOOL,
  BYTES,
  CASE_CONVERSION,
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
  VISIBILITY,
} from './raw-types.js';
import type { NameOf } from './raw-types.js';

/*
 * RawModuleDefV10: { sections: [Section] }. Names are what the author wrote; readers convert them by the policy of the
 * module, and ExplicitNames hold what the policy would not give.
 *
 * | tag | section              | payload                                                                            |
 * | 0   | Typespace            | types [AlgebraicType]                                                              |
 * | 1   | Types                | [{ source_name { scope [str], source_name str }, ty u32, custom_ordering bool }]   |
 * | 2   | Tables               | [{ source_name, product_type_ref u32, primary_key [u16], indexes, constraints,     |
 * |     |                      | sequences, table_type, table_access, default_values, is_event }]                   |
 * | 3   | Reducers             | [{ source_name, params, visibility, ok_return_type, err_return_type }]             |
 * | 6   | Schedules            | [{ source_name opt, table_name, schedule_at_col u16, function_name }]              |
 * | 7   | LifeCycleReducers    | [{ lifecycle_spec, function_name }]                                                |
 * | 9   | CaseConversionPolicy | 0 None, 1 SnakeCase                                                                |
 * | 10  | ExplicitNames        | { entries [{ Table, Function or Index: { source_name, canonical_name } }] }        |
 *
 * 4 Procedures, 5 Views, 8 RowLevelSecurity, 11 HttpHandlers, 12 HttpRoutes, 13 ViewPrimaryKeys, 14 Submodules: empty.
 */

const INDEX = productType({
  source_name: optionType(STRING),
  accessor_name: optionType(STRING),
  algorithm: INDEX_ALGORITHM,
});
const CONSTRAINT = productType({ source_name: optionType(STRING), data: CONSTRAINT_DATA });
const SEQUENCE = productType({
  source_name: optionType(STRING),
  column: U16,
  start: optionType(I128),
  min_value: optionType(I128),
  max_value: optionType(I128),
  increment: I128,
});
const TABLE = productType({
  source_name: STRING,
  product_type_ref: U32,
  primary_key: COLUMNS,
  indexes: arrayType(INDEX),
  constraints: arrayType(CONSTRAINT),
  sequences: arrayType(SEQUENCE),
  table_type: TABLE_TYPE,
  table_access: TABLE_ACCESS,
  default_values: arrayType(productType({ col_id: U16, value: BYTES })),
  is_event: BOOL,
});
const REDUCER = productType({
  source_name: STRING,
  params: PRODUCT_TYPE,
  visibility: VISIBILITY,
  ok_return_type: ALGEBRAIC_TYPE,
  err_return_type: ALGEBRAIC_TYPE,
});
const NAMED_TYPE = productType({
  source_name: productType({ scope: arrayType(STRING), source_name: STRING }),
  ty: U32,
  custom_ordering: BOOL,
});
const SCHEDULE = productType({
  source_name: optionType(STRING),
  table_name: STRING,
  schedule_at_col: U16,
  function_name: STRING,
});
const NAME_PAIR = productType({ source_name: STRING, canonical_name: STRING });

const SECTION: SumType = sumType({
  Typespace: TYPESPACE,
  Types: arrayType(NAMED_TYPE),
  Tables: arrayType(TABLE),
  Reducers: arrayType(REDUCER),
  Procedures: NOTHING,
  Views: NOTHING,
  Schedules: arrayType(SCHEDULE),
  LifeCycleReducers: arrayType(productType({ lifecycle_spec: LIFECYCLE, function_name: STRING })),
  RowLevelSecurity: NOTHING,
  CaseConversionPolicy: CASE_CONVERSION,
  ExplicitNames: productType({
    entries: arrayType(sumType({ Table: NAME_PAIR, Function: NAME_PAIR, Index: NAME_PAIR })),
  }),
  HttpHandlers: NOTHING,
  HttpRoutes: NOTHING,
  ViewPrimaryKeys: NOTHING,
  Submodules: NOTHING,
});

const RAW_MODULE_DEF_V10: AlgebraicType = productType({ sections: arrayType(SECTION) });
/** What a module describes itself with: a sum over the versions. */
const RAW_MODULE_DEF = sumType({ V8BackCompat: UNIT_TYPE, V9: UNIT_TYPE, V10: RAW_MODULE_DEF_V10 });
const codec = compileCodec(RAW_MODULE_DEF, RAW_TYPESPACE);

/** The JSON of `GET /schema?version=10`. */
export function encodeModuleDefV10Json(def: ModuleDef): string {
  return encodeJson(RAW_MODULE_DEF_V10, describeModule(def), { form: 'typed', typespace: RAW_TYPESPACE });
}

/** The BSATN that a SpacetimeDB module describes itself with (`__describe_module__`). */
export function encodeModuleDefV10(def: ModuleDef): Uint8Array {
  return encodeToBytes(codec, { tag: 'V10', value: describeModule(def) });
}

interface Section {
  readonly tag: string;
  readonly value: unknown;
}

/** Sections in the order in which the npm package writes them. */
function describeModule(def: ModuleDef): { readonly sections: readonly Section[] } {
  const policy = def.caseConversion === 'snakeCase' ? 'SnakeCase' : 'None';
  const nameOf = sourceNameBy(def);
  const types = def.schema.typespace.types.map((type) => describeType(type, nameOf));
  return {
    sections: [
      { tag: 'Typespace', value: { types } },
      { tag: 'Types', value: describeNamedTypes(def) },
      { tag: 'Tables', value: def.schema.tables.map((table) => describeTable(def, table)) },
      { tag: 'Reducers', value: describeReducers(def, nameOf) },
      { tag: 'Procedures', value: [] },
      { tag: 'Views', value: [] },
      { tag: 'ViewPrimaryKeys', value: [] },
      { tag: 'Schedules', value: describeSchedules(def) },
      { tag: 'LifeCycleReducers', value: describeLifecycle(def) },
      { tag: 'HttpHandlers', value: [] },
      { tag: 'HttpRoutes', value: [] },
      { tag: 'RowLevelSecurity', value: [] },
      { tag: 'ExplicitNames', value: { entries: explicitNames(def) } },
      { tag: 'CaseConversionPolicy', value: { tag: policy } },
      { tag: 'Submodules', value: [] },
    ],
  };
}

function convert(def: ModuleDef, sourceName: string): string {
  return def.caseConversion === 'snakeCase' ? toSnakeCase(sourceName) : sourceName;
}

/** The author's name of a field where the policy leads from it to the canonical one, else the canonical one itself. */
function sourceNameBy(def: ModuleDef): NameOf {
  return ({ name, property }) => (name !== undefined && convert(def, property) === name ? property : name);
}

function describeNamedTypes(def: ModuleDef): unknown[] {
  return def.namedTypes.map(({ name, scope, ref }) => ({
    source_name: { scope, source_name: name },
    ty: ref,
    custom_ordering: true,
  }));
}

function describeTable(def: ModuleDef, table: TableDef): unknown {
  const columnNames = (columns: readonly number[]): string =>
    columns.map((i) => table.columns[i]!.name).join('_');
  return {
    source_name: table.sourceName,
    product_type_ref: table.rowTypeRef,
    primary_key: table.primaryKey === undefined ? [] : [table.primaryKey],
    indexes: table.indexes.map((index) => ({
      source_name: index.sourceName,
      accessor_name: index.accessor,
      algorithm: describeAlgorithm(index),
    })),
    constraints: table.uniqueConstraints.map(({ name, columns }) => ({
      source_name: name === `${table.name}_${columnNames(columns)}_key` ? undefined : name,
      data: { tag: 'Unique', value: { columns } },
    })),
    sequences: table.sequences.map((sequence) => ({
      source_name:
        sequence.name === `${table.name}_${columnNames([sequence.column])}_seq` ? undefined : sequence.name,
      ...describeSequence(sequence),
    })),
    table_type: { tag: 'User' },
    table_access: { tag: table.isPublic ? 'Public' : 'Private' },
    default_values: describeDefaults(table, def.schema.typespace).map(({ column, value }) => ({
      col_id: column,
      value,
    })),
    is_event: table.isEvent,
  };
}

function describeReducers(def: ModuleDef, nameOf: NameOf): unknown[] {
  return def.reducers.map((reducer) => ({
    source_name: reducer.sourceName,
    params: { elements: describeParts(reducer.params.elements, nameOf) },
    visibility: { tag: reducer.isPrivate || reducer.lifecycle !== undefined ? 'Private' : 'ClientCallable' },
    ok_return_type: describeType(UNIT_TYPE, nameOf),
    err_return_type: { tag: 'String' },
  }));
}

function describeSchedules(def: ModuleDef): unknown[] {
  return def.schema.tables.flatMap((table) => {
    if (table.schedule === undefined) return [];
    const { name, column, functionName } = table.schedule;
    const isDefault = name === `${table.name}_sched`;
    const source_name = isDefault ? undefined : name;
    return [
      { source_name, table_name: table.sourceName, schedule_at_col: column, function_name: functionName },
    ];
  });
}

function describeLifecycle(def: ModuleDef): unknown[] {
  return def.reducers.flatMap(({ lifecycle, sourceName }) =>
    lifecycle === undefined
      ? []
      : [{ lifecycle_spec: { tag: LIFECYCLE_TAGS[lifecycle] }, function_name: sourceName }],
  );
}

/** Names that do not follow from the source names by the policy. */
function explicitNames(def: ModuleDef): Section[] {
  const entries: Section[] = [];
  const add = (tag: string, source_name: string, canonical_name: string, usual: string): void => {
    if (canonical_name !== usual) entries.push({ tag, value: { source_name, canonical_name } });
  };
  for (const table of def.schema.tables) {
    add('Table', table.sourceName, table.name, convert(def, table.sourceName));
    for (const index of table.indexes) {
      const columns = index.columns.map((i) => table.columns[i]!.name).join('_');
      add('Index', index.sourceName, index.name, `${table.name}_${columns}_idx_${index.algorithm}`);
    }
  }
  for (const { name, sourceName } of def.reducers)
    add('Function', sourceName, name, convert(def, sourceName));
  return entries;
}
