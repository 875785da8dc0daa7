import type { ColumnDef, IndexDef, TableDef } from '../../../engine/schema.js';
import type { Lifecycle, ModuleDef, NamedType, ReducerDef } from '../../../module/module-def.js';
import { resolveType } from '../../../values/algebraic-type.js';
import type { ProductType, Typespace } from '../../../values/algebraic-type.js';
import { algebraicTypeFromJson, typespaceFromJson } from '../../../values/algebraic-type-codec.js';
import { parseJson } from '../../../values/sats-json/parse-json.js';
import { canonicalType, canonicalTypespace, NO_POLICY, SNAKE_CASE_POLICY } from './canonical-types.js';
import type { NamePolicy } from './canonical-types.js';
import { JsonReader } from './json-reader.js';

/*
 * A module's definition from what `GET /v1/database/:name/schema?version=9|10` answers, so that bindings can be generated
 * for a database on any server. What bindings do not need (sequences, schedules, defaults) is left out.
 *
 * | version | looks like                      | names                                                         |
 * | 9       | { typespace, tables, reducers } | canonical                                                     |
 * | 10      | { sections: [...] }             | the author's, with a policy and a list of those that differ   |
 */

/** Throws CodegenError or WireError when the text is not a schema. */
export function moduleDefFromSchemaJson(text: string): ModuleDef {
  const root = new JsonReader(parseJson(text), 'schema');
  return root.has('sections') ? moduleDefOfV10(root) : moduleDefOfV9(root);
}

/** What both versions come down to. */
interface Parts {
  readonly typespace: Typespace;
  readonly policy: NamePolicy;
  /** The canonical name of something that the author named. */
  nameOf(kind: 'Table' | 'Function' | 'Index', sourceName: string): string;
}

function moduleDefOfV9(root: JsonReader): ModuleDef {
  const typespace = typespaceFromJson(root.field('typespace').value);
  const parts: Parts = { typespace, policy: NO_POLICY, nameOf: (_, name) => name };
  return {
    schema: {
      typespace,
      tables: root
        .field('tables')
        .list()
        .map((table) => readTable(table, 'name', parts)),
    },
    namedTypes: root
      .field('types')
      .list()
      .map((type) => readNamedType(type, 'name', NO_POLICY)),
    reducers: root
      .field('reducers')
      .list()
      .map((reducer) => {
        const lifecycle = reducer.field('lifecycle').option((value) => lifecycleOf(value));
        return readReducer(reducer, 'name', parts, lifecycle, false);
      }),
    caseConversion: 'none',
  };
}

function moduleDefOfV10(root: JsonReader): ModuleDef {
  const sections = new Map(
    root
      .field('sections')
      .list()
      .map((section) => section.variant()),
  );
  const isSnakeCase = sections.get('CaseConversionPolicy')?.variant()[0] === 'SnakeCase';
  const policy = isSnakeCase ? SNAKE_CASE_POLICY : NO_POLICY;
  const explicit = explicitNames(sections.get('ExplicitNames'));
  const typespace = canonicalTypespace(
    typespaceFromJson(sections.get('Typespace')?.value ?? { types: [] }),
    policy,
  );
  const parts: Parts = {
    typespace,
    policy,
    nameOf: (kind, name) =>
      explicit.get(`${kind} ${name}`) ?? (kind === 'Index' ? name : policy.convert(name)),
  };
  const lifecycles = new Map(
    listOf(sections.get('LifeCycleReducers')).map((entry) => [
      entry.field('function_name').text(),
      lifecycleOf(entry.field('lifecycle_spec')),
    ]),
  );
  return {
    schema: {
      typespace,
      tables: listOf(sections.get('Tables')).map((table) => readTable(table, 'source_name', parts)),
    },
    namedTypes: listOf(sections.get('Types')).map((type) => readNamedType(type, 'source_name', policy)),
    reducers: listOf(sections.get('Reducers')).map((reducer) => {
      const lifecycle = lifecycles.get(reducer.field('source_name').text());
      const isPrivate = reducer.field('visibility').variant()[0] === 'Private';
      return readReducer(reducer, 'source_name', parts, lifecycle, isPrivate);
    }),
    caseConversion: isSnakeCase ? 'snakeCase' : 'none',
  };
}

function listOf(section: JsonReader | undefined): readonly JsonReader[] {
  return section?.list() ?? [];
}

function explicitNames(section: JsonReader | undefined): ReadonlyMap<string, string> {
  const entries = section?.field('entries').list() ?? [];
  return new Map(
    entries.map((entry) => {
      const [kind, names] = entry.variant();
      return [`${kind} ${names.field('source_name').text()}`, names.field('canonical_name').text()];
    }),
  );
}

function readNamedType(type: JsonReader, nameField: string, policy: NamePolicy): NamedType {
  const name = type.field(nameField);
  return {
    name: policy.convertType(name.field(nameField).text()),
    scope: name
      .field('scope')
      .list()
      .map((part) => policy.convertType(part.text())),
    ref: type.field('ty').position(),
  };
}

function readTable(table: JsonReader, nameField: string, parts: Parts): TableDef {
  const sourceName = table.field(nameField).text();
  const name = parts.nameOf('Table', sourceName);
  const rowTypeRef = table.field('product_type_ref').position();
  const rowType = rowTypeOf(table, rowTypeRef, parts.typespace);
  const columns: ColumnDef[] = rowType.elements.map((element, i) => ({
    name: element.name ?? String(i),
    property: element.property,
    type: element.type,
  }));
  const checkColumn = (reader: JsonReader): number => {
    const position = reader.position();
    if (position >= columns.length) throw reader.bad(`a column of the ${columns.length}`);
    return position;
  };
  return {
    name,
    sourceName,
    columns,
    rowType,
    rowTypeRef,
    primaryKey: table.field('primary_key').list().map(checkColumn)[0],
    indexes: table
      .field('indexes')
      .list()
      .map((index) => readIndex(index, nameField, { name, columns }, parts, checkColumn)),
    uniqueConstraints: table
      .field('constraints')
      .list()
      .map((constraint) => {
        const unique = constraint.field('data').field('Unique').field('columns').list().map(checkColumn);
        const given = constraint.field(nameField).option((value) => value.text());
        return { name: given ?? `${name}_${columnNames(columns, unique)}_key`, columns: unique };
      }),
    sequences: [],
    schedule: undefined,
    isPublic: table.field('table_access').variant()[0] === 'Public',
    isEvent: table.has('is_event') && table.field('is_event').bool(),
  };
}

function rowTypeOf(table: JsonReader, ref: number, typespace: Typespace): ProductType {
  const type = typespace.types[ref] && resolveType({ kind: 'ref', ref }, typespace);
  if (type?.kind !== 'product') throw table.field('product_type_ref').bad('the place of a product type');
  return type;
}

const ALGORITHMS = { BTree: 'btree', Hash: 'hash', Direct: 'direct' } as const;

function readIndex(
  index: JsonReader,
  nameField: string,
  table: { readonly name: string; readonly columns: readonly ColumnDef[] },
  parts: Parts,
  checkColumn: (reader: JsonReader) => number,
): IndexDef {
  const [tag, payload] = index.field('algorithm').variant();
  if (!Object.hasOwn(ALGORITHMS, tag)) throw index.field('algorithm').bad('BTree, Hash or Direct');
  const algorithm = ALGORITHMS[tag as keyof typeof ALGORITHMS];
  const columns = Array.isArray(payload.value) ? payload.list().map(checkColumn) : [checkColumn(payload)];
  const usual = `${table.name}_${columnNames(table.columns, columns)}_idx_${algorithm}`;
  const given = index.field(nameField).option((value) => value.text());
  return {
    // In version 10 the source name is not the canonical one: that is listed, or the usual one.
    name: nameField === 'name' ? (given ?? usual) : explicitOr(parts, given, usual),
    sourceName: given ?? usual,
    accessor: index.field('accessor_name').option((value) => value.text()),
    algorithm,
    columns,
  };
}

function explicitOr(parts: Parts, given: string | undefined, usual: string): string {
  if (given === undefined) return usual;
  const explicit = parts.nameOf('Index', given);
  return explicit === given ? usual : explicit;
}

function columnNames(columns: readonly ColumnDef[], positions: readonly number[]): string {
  return positions.map((position) => columns[position]!.name).join('_');
}

function readReducer(
  reducer: JsonReader,
  nameField: string,
  parts: Parts,
  lifecycle: Lifecycle | undefined,
  isPrivate: boolean,
): ReducerDef {
  const sourceName = reducer.field(nameField).text();
  const params = canonicalType(
    algebraicTypeFromJson({ Product: reducer.field('params').value }),
    parts.policy,
  ) as ProductType;
  return { name: parts.nameOf('Function', sourceName), sourceName, params, lifecycle, isPrivate };
}

const LIFECYCLES: Readonly<Record<string, Lifecycle>> = {
  Init: 'init',
  OnConnect: 'clientConnected',
  OnDisconnect: 'clientDisconnected',
};

function lifecycleOf(reader: JsonReader): Lifecycle {
  const [tag] = reader.variant();
  const lifecycle = Object.hasOwn(LIFECYCLES, tag) ? LIFECYCLES[tag] : undefined;
  if (lifecycle === undefined) throw reader.bad('Init, OnConnect or OnDisconnect');
  return lifecycle;
}
