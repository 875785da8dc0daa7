import { productType, resolveType } from '../../values/algebraic-type.js';
import type { AlgebraicType, PrimitiveKind, Typespace } from '../../values/algebraic-type.js';
import { compileCompare, compileKey } from '../../values/key.js';
import { specialProduct } from '../../values/special-types.js';
import type { SpecialProduct } from '../../values/special-types.js';
import type { Row } from '../contract.js';
import { describeValue, EngineError } from '../errors.js';
import type { TableDef } from '../schema.js';
import type { MapKey } from './key-map.js';
import { compileGetter } from './row-shape.js';

/** The columns an index or constraint covers, and what can be done with their values. */
export interface KeyColumns {
  /** Positions in the table, in the order of the index. */
  readonly columns: readonly number[];
  /** True when keys are integers, for which pages of slots may pay. */
  readonly isInteger: boolean;
  /** The Map key of a row's columns. */
  keyOf(row: Row): MapKey;
  /** The Map key of given values: the value itself for one column, an array for several. Throws when a type is wrong. */
  keyOfValues(values: unknown): MapKey;
  /** The value of the one column, or an array of the several: what ordered indexes sort by. */
  sortKeyOf(row: Row): unknown;
  /** True when two rows have the same values here. */
  isSame(a: Row, b: Row): boolean;
  /** Throws unless `value` can be a value of the `position`-th column of the key. */
  check(position: number, value: unknown): void;
  compareValues(position: number, a: unknown, b: unknown): number;
  /** For messages: `id = 7`, `(a, b) = (1, "x")`. */
  describe(row: Row): string;
}

interface KeyColumn {
  readonly name: string;
  readonly property: string;
  readonly type: Exclude<AlgebraicType, { kind: 'ref' }>;
  readonly get: (row: Row) => unknown;
  readonly key: (value: unknown) => MapKey;
  readonly compare: (a: unknown, b: unknown) => number;
  readonly isExpected: (value: unknown) => boolean;
}

export function compileKeyColumns(
  table: TableDef,
  columns: readonly number[],
  typespace: Typespace,
): KeyColumns {
  const parts = columns.map((column) => compileColumn(table, column, typespace));
  return parts.length === 1
    ? singleColumn(table.name, columns, parts[0]!)
    : severalColumns(table.name, columns, parts, typespace);
}

function compileColumn(table: TableDef, column: number, typespace: Typespace): KeyColumn {
  const def = table.columns[column]!;
  const type = resolveType(def.type, typespace);
  return {
    name: def.name,
    property: def.property,
    type,
    get: compileGetter(def.property),
    key: compileKey(type, typespace),
    compare: compileCompare(type, typespace),
    isExpected: valueTest(type),
  };
}

function singleColumn(table: string, columns: readonly number[], part: KeyColumn): KeyColumns {
  const { get, key, isExpected } = part;
  const check = (_position: number, value: unknown): void => {
    if (!isExpected(value)) throw wrongType(table, part, value);
  };
  return {
    columns,
    isInteger: INTEGER_KINDS.has(part.type.kind),
    keyOf: (row) => key(get(row)),
    keyOfValues(value) {
      if (!isExpected(value)) throw wrongType(table, part, value);
      return key(value);
    },
    sortKeyOf: get,
    isSame: sameTest(part),
    check,
    compareValues: (_position, a, b) => part.compare(a, b),
    describe: (row) => `${part.name} = ${describeValue(get(row))}`,
  };
}

function severalColumns(
  table: string,
  columns: readonly number[],
  parts: readonly KeyColumn[],
  typespace: Typespace,
): KeyColumns {
  const key = compileKey(
    productType(Object.fromEntries(parts.map((part) => [part.property, part.type]))),
    typespace,
  );
  const sames = parts.map(sameTest);
  const check = (position: number, value: unknown): void => {
    const part = parts[position]!;
    if (!part.isExpected(value)) throw wrongType(table, part, value);
  };
  return {
    columns,
    isInteger: false,
    keyOf: key,
    keyOfValues(values) {
      if (!Array.isArray(values) || values.length !== parts.length) {
        const names = parts.map((part) => part.name).join(', ');
        throw new EngineError(
          'BsatnDecodeError',
          `table \`${table}\`: an array of values for (${names}) is needed, got ${describeValue(values)}`,
        );
      }
      values.forEach((value, position) => check(position, value));
      return key(Object.fromEntries(parts.map((part, position) => [part.property, values[position]])));
    },
    sortKeyOf: (row) => parts.map((part) => part.get(row)),
    isSame: (a, b) => sames.every((same) => same(a, b)),
    check,
    compareValues: (position, a, b) => parts[position]!.compare(a, b),
    describe(row) {
      const values = parts.map((part) => describeValue(part.get(row)));
      return `(${parts.map((part) => part.name).join(', ')}) = (${values.join(', ')})`;
    },
  };
}

/** Whether two rows agree in a column. Must never say yes where the key or the order differs. */
function sameTest({ type, get, key }: KeyColumn): (a: Row, b: Row) => boolean {
  if (COMPARED_BY_IDENTITY.has(type.kind)) return (a, b) => get(a) === get(b);
  if (type.kind === 'f32' || type.kind === 'f64') return (a, b) => Object.is(get(a), get(b));
  return (a, b) => {
    const left = get(a);
    const right = get(b);
    return left === right || key(left) === key(right);
  };
}

function wrongType(table: string, { name, type }: KeyColumn, value: unknown): EngineError {
  return new EngineError(
    'BsatnDecodeError',
    `table \`${table}\`: column \`${name}\` is looked up by ${expectedText(type)}, got ${typeof value} ${describeValue(value)}`,
  );
}

const SMALL_INTEGERS: readonly PrimitiveKind[] = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32'];
const WIDE_INTEGERS: readonly PrimitiveKind[] = ['i64', 'u64', 'i128', 'u128', 'i256', 'u256'];
const INTEGER_KINDS = new Set<string>([...SMALL_INTEGERS, 'i64', 'u64']);
const COMPARED_BY_IDENTITY = new Set<string>([...SMALL_INTEGERS, ...WIDE_INTEGERS, 'string', 'bool']);

/** The property every value of a special product has: cheaper to ask for than `instanceof` of five classes. */
const SPECIAL_PROPERTIES: Readonly<Record<SpecialProduct, string>> = {
  identity: '__identity__',
  connectionId: '__connection_id__',
  timestamp: '__timestamp_micros_since_unix_epoch__',
  timeDuration: '__time_duration_micros__',
  uuid: '__uuid__',
};

function expectedText(type: AlgebraicType): string {
  if (type.kind === 'product') return `a value of type ${specialProduct(type) ?? 'product'}`;
  const js = expectedJsType(type);
  return js === undefined ? `a value of type ${type.kind}` : `a ${js}`;
}

function expectedJsType(type: AlgebraicType): 'string' | 'boolean' | 'number' | 'bigint' | undefined {
  if (type.kind === 'string') return 'string';
  if (type.kind === 'bool') return 'boolean';
  if (type.kind === 'f32' || type.kind === 'f64' || SMALL_INTEGERS.includes(type.kind as PrimitiveKind))
    return 'number';
  return WIDE_INTEGERS.includes(type.kind as PrimitiveKind) ? 'bigint' : undefined;
}

/** A cheap test that catches the usual slips (a number for a u64); the key function does the rest. */
function valueTest(type: AlgebraicType): (value: unknown) => boolean {
  const js = expectedJsType(type);
  // Spelled out one by one: `typeof x === <variable>` is several times slower than against a literal.
  if (js === 'string') return (value) => typeof value === 'string';
  if (js === 'boolean') return (value) => typeof value === 'boolean';
  if (js === 'number') return (value) => typeof value === 'number';
  if (js === 'bigint') return (value) => typeof value === 'bigint';
  const special = type.kind === 'product' ? specialProduct(type) : undefined;
  if (special === undefined) return () => true;
  const property = SPECIAL_PROPERTIES[special];
  return (value) => typeof value === 'object' && value !== null && property in value;
}
