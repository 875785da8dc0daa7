import type {
  ColumnDef,
  IndexAlgorithm,
  IndexDef,
  SequenceDef,
  TableDef,
  UniqueConstraintDef,
} from '../../engine/schema.js';
import type { AlgebraicType, ProductType } from '../../values/algebraic-type.js';
import { isScheduleAt } from '../../values/special-types.js';
import type { IndexOptions, TableHandle } from '../table.js';
import type { AnyColumn } from '../types/builders.js';
import { DefinitionError } from './definition-error.js';
import { canonicalName, checkName, NameSet } from './names.js';
import type { NamePolicy } from './names.js';
import type { TypespaceBuilder } from './typespace-builder.js';

/*
 * Default names, all of canonical names:
 *   index `{table}_{columns}_idx_{algorithm}`, unique constraint `{table}_{columns}_key`, sequence `{table}_{column}_seq`.
 * An index's source name is the same of written names: `{accessor}_{properties}_idx_{algorithm}`.
 */

const AUTO_INC_KINDS = new Set([
  'i8',
  'u8',
  'i16',
  'u16',
  'i32',
  'u32',
  'i64',
  'u64',
  'i128',
  'u128',
  'i256',
  'u256',
]);
// Direct indexes are arrays of positions: wider or negative numbers cannot be one.
const DIRECT_KINDS = new Set(['u8', 'u16', 'u32', 'u64']);
/** What every table accessor has: an index of that name would hide it. */
const TABLE_METHODS = new Set(['count', 'iter', 'insert', 'delete', 'clear']);

/** The definition of one table, but for its schedule, which needs the reducers' names. */
export function buildTable(
  accessor: string,
  handle: TableHandle,
  policy: NamePolicy,
  types: TypespaceBuilder,
): TableDef {
  const name = canonicalName(policy, accessor, handle.options.name, `table \`${accessor}\``);
  return new TableBuilder(accessor, name, handle, types).build();
}

class TableBuilder {
  readonly #accessor: string;
  readonly #name: string;
  readonly #handle: TableHandle;
  readonly #types: TypespaceBuilder;
  readonly #columns: readonly { readonly property: string; readonly column: AnyColumn }[];
  readonly #indexes: IndexDef[] = [];
  readonly #unique: UniqueConstraintDef[] = [];
  readonly #indexNames: NameSet;
  readonly #accessors: NameSet;

  constructor(accessor: string, name: string, handle: TableHandle, types: TypespaceBuilder) {
    this.#accessor = accessor;
    this.#name = name;
    this.#handle = handle;
    this.#types = types;
    this.#columns = Object.entries(handle.rowType.row).map(([property, column]) => ({ property, column }));
    this.#indexNames = new NameSet(`indexes of table \`${accessor}\``);
    this.#accessors = new NameSet(`index accessors of table \`${accessor}\``);
  }

  build(): TableDef {
    const { rowType: row, options } = this.#handle;
    const node = row.node;
    if (node.kind !== 'product' || this.#columns.length === 0) this.#fail('BAD_COLUMN', 'has no columns');
    const rowTypeRef = this.#types.addNamed(node, node.typeName ?? this.#accessor);
    const rowType = this.#types.types[rowTypeRef] as ProductType;
    const columns = this.#columns.map(({ column }, at) => this.#buildColumn(column, at, rowType));
    const primaryKey = this.#primaryKey();
    this.#columns.forEach((_, at) => this.#addColumnIndex(at, columns));
    for (const index of options.indexes ?? []) this.#addIndex(index, columns);
    this.#addConstraints(columns);
    return {
      name: this.#name,
      sourceName: this.#accessor,
      columns,
      rowType,
      rowTypeRef,
      primaryKey,
      indexes: this.#indexes,
      uniqueConstraints: this.#unique,
      sequences: this.#sequences(columns),
      schedule: undefined,
      isPublic: options.public === true,
      isEvent: options.event === true,
    };
  }

  #buildColumn({ settings }: AnyColumn, at: number, rowType: ProductType): ColumnDef {
    const element = rowType.elements[at]!;
    const { name = element.property, property, type } = element;
    const kind = this.#kindOf(type);
    if (settings.autoInc && !AUTO_INC_KINDS.has(kind)) {
      this.#failColumn(
        property,
        `autoInc() counts whole numbers, this is ${describeKind(kind)}; use for example t.u64()`,
      );
    }
    if (settings.index === 'direct') this.#checkDirect(property, kind);
    if (settings.defaultValue === undefined) return { name, property, type };
    if (settings.primaryKey || settings.unique || settings.autoInc) {
      this.#failColumn(
        property,
        'default() cannot be combined with primaryKey(), unique() or autoInc(): all old rows would get the same value; remove one',
      );
    }
    return { name, property, type, defaultValue: settings.defaultValue.value };
  }

  #primaryKey(): number | undefined {
    const keys = this.#columns.flatMap(({ column }, at) => (column.settings.primaryKey ? [at] : []));
    if (keys.length > 1) {
      const names = keys.map((at) => `\`${this.#columns[at]!.property}\``).join(' and ');
      this.#fail('BAD_COLUMN', `has two primary keys, ${names}; keep one and make the other unique()`);
    }
    return keys[0];
  }

  /** Primary keys and unique columns get a btree index unless another one was asked for. */
  #addColumnIndex(at: number, columns: readonly ColumnDef[]): void {
    const { property, column } = this.#columns[at]!;
    const isUnique = column.settings.primaryKey || column.settings.unique;
    const algorithm = column.settings.index ?? (isUnique ? 'btree' : undefined);
    if (isUnique) this.#addUnique([at], undefined, columns);
    if (algorithm === undefined) return;
    if (TABLE_METHODS.has(property)) {
      this.#failColumn(
        property,
        `its index would hide the table's method \`${property}()\`; rename the property and keep the name on the wire with .name('${property}')`,
      );
    }
    this.#push(algorithm, [at], property, undefined, columns);
  }

  #addIndex(index: IndexOptions, columns: readonly ColumnDef[]): void {
    const { accessor } = index;
    if (typeof accessor !== 'string') {
      this.#fail('BAD_INDEX', `has an index without accessor; add for example \`accessor: 'byName'\``);
    }
    checkName(accessor, `index accessor of table \`${this.#accessor}\``);
    if (TABLE_METHODS.has(accessor)) {
      this.#fail('BAD_INDEX', `index accessor \`${accessor}\` would hide the table's method; choose another`);
    }
    const properties = index.algorithm === 'direct' ? [index.column] : index.columns;
    const positions = this.#positions(properties, `index \`${accessor}\``);
    if (index.algorithm === 'direct') {
      this.#checkDirect(index.column, this.#kindOf(columns[positions[0]!]!.type));
    }
    this.#push(index.algorithm, positions, accessor, index.name, columns);
  }

  #addConstraints(columns: readonly ColumnDef[]): void {
    for (const { constraint, columns: properties, name } of this.#handle.options.constraints ?? []) {
      if (constraint !== 'unique') this.#fail('BAD_CONSTRAINT', `has a constraint that is not 'unique'`);
      const positions = this.#positions(properties, `constraint \`${name ?? properties.join(', ')}\``);
      this.#addUnique(positions, name, columns);
      const hasIndex = this.#indexes.some((index) => sameSet(index.columns, positions));
      if (!hasIndex) this.#push('btree', positions, undefined, undefined, columns);
    }
  }

  #addUnique(
    positions: readonly number[],
    explicit: string | undefined,
    columns: readonly ColumnDef[],
  ): void {
    if (this.#unique.some((other) => sameSet(other.columns, positions))) return;
    const parts = positions.map((at) => columns[at]!.name).join('_');
    const name = explicit ?? `${this.#name}_${parts}_key`;
    this.#unique.push({
      name: checkName(name, `constraint of table \`${this.#accessor}\``),
      columns: positions,
    });
  }

  #push(
    algorithm: IndexAlgorithm,
    positions: readonly number[],
    accessor: string | undefined,
    explicit: string | undefined,
    columns: readonly ColumnDef[],
  ): void {
    const parts = positions.map((at) => columns[at]!.name).join('_');
    const written = positions.map((at) => columns[at]!.property).join('_');
    const name = explicit ?? `${this.#name}_${parts}_idx_${algorithm}`;
    const sourceName = `${this.#accessor}_${written}_idx_${algorithm}`;
    checkName(name, `index of table \`${this.#accessor}\``);
    if (accessor !== undefined) this.#accessors.add(accessor, accessor);
    this.#indexNames.add(name, accessor ?? sourceName);
    this.#indexes.push({ name, sourceName, accessor, algorithm, columns: positions });
  }

  #positions(properties: readonly string[] | undefined, what: string): number[] {
    if (properties === undefined || properties.length === 0) {
      this.#fail('BAD_INDEX', `${what} names no columns`);
    }
    const positions = properties.map((property) => {
      const at = this.#columns.findIndex((column) => column.property === property);
      if (at < 0) this.#fail('BAD_INDEX', `${what}: there is no column \`${property}\``);
      return at;
    });
    if (new Set(positions).size < positions.length) this.#fail('BAD_INDEX', `${what} names a column twice`);
    return positions;
  }

  #sequences(columns: readonly ColumnDef[]): SequenceDef[] {
    return this.#columns.flatMap(({ column }, at) => {
      if (!column.settings.autoInc) return [];
      const name = `${this.#name}_${columns[at]!.name}_seq`;
      return [
        { name, column: at, start: undefined, minValue: undefined, maxValue: undefined, increment: 1n },
      ];
    });
  }

  #checkDirect(property: string, kind: string): void {
    if (DIRECT_KINDS.has(kind)) return;
    this.#failColumn(
      property,
      `a direct index needs an unsigned number of at most 64 bits, this is ${describeKind(kind)}; use 'btree'`,
    );
  }

  #kindOf(type: AlgebraicType): string {
    return type.kind === 'ref' ? (this.#types.types[type.ref]?.kind ?? 'ref') : type.kind;
  }

  #failColumn(property: string, message: string): never {
    throw new DefinitionError(
      'BAD_COLUMN',
      `column \`${property}\` of table \`${this.#accessor}\`: ${message}`,
    );
  }

  #fail(code: 'BAD_COLUMN' | 'BAD_INDEX' | 'BAD_CONSTRAINT', message: string): never {
    throw new DefinitionError(code, `table \`${this.#accessor}\` ${message}`);
  }
}

function describeKind(kind: string): string {
  return kind === 'product' || kind === 'sum' ? `a ${kind}` : `\`${kind}\``;
}

function sameSet(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((at) => b.includes(at));
}

/** Which column says when a scheduled row is due; checks that rows of the table can be scheduled. */
export function scheduleColumn(def: TableDef): number {
  const due = def.columns.flatMap(({ type }, at) => (isScheduleAt(type) ? [at] : []));
  if (due.length !== 1) {
    throw new DefinitionError(
      'BAD_SCHEDULE',
      `table \`${def.sourceName}\` is scheduled and needs exactly one column t.scheduleAt(), it has ${due.length}`,
    );
  }
  const key = def.primaryKey === undefined ? undefined : def.columns[def.primaryKey];
  if (key?.type.kind !== 'u64') {
    throw new DefinitionError(
      'BAD_SCHEDULE',
      `table \`${def.sourceName}\` is scheduled and needs a primary key t.u64().primaryKey().autoInc()`,
    );
  }
  return due[0]!;
}
