import {
  asArray,
  asOption,
  asRecord,
  asString,
  asText,
  asVariant,
  parseAnswer,
  type JsonRecord,
} from './json-shape.js';

/* What a database offers, read from its schema (version 9, JSON): for people, and for checking calls before they leave. */

export interface ColumnView {
  readonly name: string;
  readonly type: string;
  /** `primary key`, `unique`, `auto increment`. */
  readonly marks: readonly string[];
}

export interface TableView {
  readonly name: string;
  readonly isPublic: boolean;
  readonly columns: readonly ColumnView[];
}

export interface ParamView {
  readonly name: string;
  readonly type: string;
}

export interface ReducerView {
  readonly name: string;
  readonly params: readonly ParamView[];
  /** `Init`, `OnConnect`, `OnDisconnect`; undefined for those that clients call. */
  readonly lifecycle: string | undefined;
}

export interface SchemaView {
  readonly tables: readonly TableView[];
  readonly reducers: readonly ReducerView[];
}

const SPECIAL_TYPES: Readonly<Record<string, string>> = {
  __identity__: 'identity',
  __connection_id__: 'connectionId',
  __timestamp_micros_since_unix_epoch__: 'timestamp',
  __time_duration_micros__: 'timeDuration',
  __uuid__: 'uuid',
};

export function readSchema(text: string): SchemaView {
  const schema = asRecord(parseAnswer(text));
  const typespace = asArray(asRecord(schema['typespace'])['types']);
  const names = new Map(asArray(schema['types']).map((type) => readTypeName(asRecord(type))));
  const print: TypePrinter = (type) => printType(type, names);
  return {
    tables: asArray(schema['tables']).map((table) => readTable(asRecord(table), typespace, print)),
    reducers: asArray(schema['reducers']).map((reducer) => readReducer(asRecord(reducer), print)),
  };
}

type TypePrinter = (type: unknown) => string;

function readTypeName(type: JsonRecord): [ref: number, name: string] {
  const { scope, name } = asRecord(type['name']) as { scope: unknown; name: unknown };
  return [Number(type['ty']), [...asArray(scope).map(asString), asString(name)].join('.')];
}

function readTable(table: JsonRecord, typespace: readonly unknown[], print: TypePrinter): TableView {
  const [, row] = asVariant(typespace[Number(table['product_type_ref'])]);
  const marks = readMarks(table);
  const columns = readElements(row, print).map((column, index) => ({ ...column, marks: marks(index) }));
  const [access] = asVariant(table['table_access']);
  return { name: asString(table['name']), isPublic: access === 'Public', columns };
}

/** What is said about each column, by its index. */
function readMarks(table: JsonRecord): (column: number) => string[] {
  const primaryKey = asArray(table['primary_key']).map(Number);
  const unique = asArray(table['constraints']).map((constraint) => {
    const [, data] = asVariant(asRecord(constraint)['data']);
    return asArray(asRecord(data)['columns']).map(Number);
  });
  const sequences = asArray(table['sequences']).map((sequence) => Number(asRecord(sequence)['column']));
  return (column) => [
    ...(primaryKey.includes(column) ? ['primary key'] : []),
    ...(!primaryKey.includes(column) && unique.some((set) => set.length === 1 && set[0] === column)
      ? ['unique']
      : []),
    ...(sequences.includes(column) ? ['auto increment'] : []),
  ];
}

function readReducer(reducer: JsonRecord, print: TypePrinter): ReducerView {
  const lifecycle = asOption(reducer['lifecycle']);
  return {
    name: asString(reducer['name']),
    params: readElements(reducer['params'], print),
    lifecycle: lifecycle === undefined ? undefined : asVariant(lifecycle)[0],
  };
}

function readElements(product: unknown, print: TypePrinter): ParamView[] {
  return asArray(asRecord(product)['elements']).map((element, index) => {
    const { name, algebraic_type: type } = asRecord(element);
    return { name: asText(asOption(name), index), type: print(type) };
  });
}

/** A type in the words of `t`: `u64`, `option<string>`, `array<Point>`. */
export function printType(type: unknown, names: ReadonlyMap<number, string> = new Map()): string {
  const [kind, payload] = asVariant(type);
  const print: TypePrinter = (inner) => printType(inner, names);
  if (kind === 'Ref') return names.get(Number(payload)) ?? `type ${Number(payload)}`;
  if (kind === 'Array') return `array<${print(payload)}>`;
  if (kind === 'Product') return printProduct(payload, print);
  if (kind === 'Sum') return printSum(payload, print);
  return kind.toLowerCase();
}

function printProduct(payload: unknown, print: TypePrinter): string {
  const fields = readElements(payload, print);
  const special = fields.length === 1 ? SPECIAL_TYPES[fields[0]?.name ?? ''] : undefined;
  return special ?? `{ ${fields.map(({ name, type }) => `${name}: ${type}`).join(', ')} }`;
}

function printSum(payload: unknown, print: TypePrinter): string {
  const variants = asArray(asRecord(payload)['variants']).map((variant) => {
    const { name, algebraic_type: type } = asRecord(variant);
    return { name: asText(asOption(name), ''), type: print(type) };
  });
  const names = variants.map(({ name }) => name).join('|');
  if (names === 'some|none') return `option<${variants[0]?.type}>`;
  if (names === 'ok|err') return `result<${variants[0]?.type}, ${variants[1]?.type}>`;
  if (names === 'Interval|Time') return 'scheduleAt';
  return `(${names})`;
}
