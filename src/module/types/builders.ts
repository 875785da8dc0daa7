import type { IndexAlgorithm } from '../../engine/schema.js';
import type { ProductNode, TypeNode } from './type-node.js';

/*
 * Types and columns as objects that carry both the runtime description and the TypeScript type. `type`, `kind` and
 * `meta` exist for the compiler only.
 *
 * | kind     | may be                                     |
 * | plain    | a field                                    |
 * | unit     | a field; an enum's variant without payload |
 * | key      | also primary key, unique, indexed          |
 * | integer  | also autoInc                               |
 * | unsigned | also `.index('direct')`                    |
 */

export type TypeKind = 'plain' | 'unit' | 'key' | 'integer' | 'unsigned';
export type KeyKind = 'key' | 'integer' | 'unsigned';
export type IntegerKind = 'integer' | 'unsigned';

/** What the compiler remembers of a column's modifiers. */
export interface ColumnMeta {
  readonly primaryKey?: true;
  readonly unique?: true;
  readonly autoInc?: true;
  readonly hasDefault?: true;
  readonly index?: IndexAlgorithm;
}

/** What the module definition reads of a column's modifiers. */
export interface ColumnSettings {
  readonly primaryKey: boolean;
  readonly unique: boolean;
  readonly autoInc: boolean;
  readonly index: IndexAlgorithm | undefined;
  readonly defaultValue: { readonly value: unknown } | undefined;
  readonly name: string | undefined;
}

const NO_SETTINGS: ColumnSettings = {
  primaryKey: false,
  unique: false,
  autoInc: false,
  index: undefined,
  defaultValue: undefined,
  name: undefined,
};

/** A column: a type and what is asked of it. Modifiers give a new column; the old one stays as it was. */
export class ColumnBuilder<T, K extends TypeKind, M extends ColumnMeta> {
  declare readonly type: T;
  declare readonly kind: K;
  declare readonly meta: M;
  readonly node: TypeNode;
  readonly settings: ColumnSettings;

  constructor(node: TypeNode, settings: ColumnSettings = NO_SETTINGS) {
    this.node = node;
    this.settings = settings;
  }

  /** Rows are found and updated by this column; no two rows have the same value. */
  primaryKey(this: ColumnBuilder<T, KeyKind, M>): ColumnBuilder<T, K, M & { readonly primaryKey: true }> {
    return withSettings(this, { primaryKey: true });
  }

  /** No two rows have the same value. */
  unique(this: ColumnBuilder<T, KeyKind, M>): ColumnBuilder<T, K, M & { readonly unique: true }> {
    return withSettings(this, { unique: true });
  }

  /** A row inserted with zero here gets the next number of the column's sequence. */
  autoInc(this: ColumnBuilder<T, IntegerKind, M>): ColumnBuilder<T, K, M & { readonly autoInc: true }> {
    return withSettings(this, { autoInc: true });
  }

  /** Rows can be found by this column without reading the whole table. `direct` is for dense unsigned numbers. */
  index(this: ColumnBuilder<T, KeyKind, M>): ColumnBuilder<T, K, M & { readonly index: 'btree' }>;
  index<A extends 'btree' | 'hash'>(
    this: ColumnBuilder<T, KeyKind, M>,
    algorithm: A,
  ): ColumnBuilder<T, K, M & { readonly index: A }>;
  index(
    this: ColumnBuilder<T, 'unsigned', M>,
    algorithm: 'direct',
  ): ColumnBuilder<T, K, M & { readonly index: 'direct' }>;
  index(algorithm: IndexAlgorithm = 'btree'): ColumnBuilder<T, K, never> {
    return withSettings(this, { index: algorithm });
  }

  /** What rows that were stored before the column existed have here. Not for primary key, unique or autoInc columns. */
  default(value: T): ColumnBuilder<T, K, M & { readonly hasDefault: true }> {
    return withSettings(this, { defaultValue: { value } });
  }

  /** The name on the wire and in SQL, when it is not the converted property. */
  name(name: string): ColumnBuilder<T, K, M> {
    return withSettings(this, { name });
  }
}

function withSettings<T, K extends TypeKind, M extends ColumnMeta>(
  column: { readonly node: TypeNode; readonly settings: ColumnSettings },
  change: Partial<ColumnSettings>,
): ColumnBuilder<T, K, M> {
  return new ColumnBuilder<T, K, M>(column.node, { ...column.settings, ...change });
}

/** What the compiler knows of a column without modifiers. */
// oxlint-disable-next-line typescript/no-generated-empty-object-type -- an object without members is what is meant
export type NoMeta = Readonly<Record<never, never>>;

/** A type without column modifiers: what arrays, options, objects and enums are made of. */
export class TypeBuilder<T, K extends TypeKind = 'plain'> extends ColumnBuilder<T, K, NoMeta> {
  /** The value or undefined. */
  optional(): TypeBuilder<T | undefined> {
    return new TypeBuilder({ kind: 'option', some: this.node });
  }
}

export type AnyColumn = ColumnBuilder<unknown, TypeKind, ColumnMeta>;
export type AnyType = TypeBuilder<unknown, TypeKind>;
export type RowShape = Readonly<Record<string, AnyColumn>>;
export type FieldsShape = Readonly<Record<string, AnyType>>;
export type VariantsShape = Readonly<Record<string, AnyType>>;

type OptionalKeys<R extends RowShape> = {
  [P in keyof R & string]-?: undefined extends R[P]['type'] ? P : never;
}[keyof R & string];

export type Prettify<T> = { [P in keyof T]: T[P] };

/** The row object of columns: options may be left out. */
export type InferRow<R extends RowShape> = Prettify<
  { [P in Exclude<keyof R & string, OptionalKeys<R>>]: R[P]['type'] } & {
    [P in OptionalKeys<R>]?: R[P]['type'];
  }
>;

/** The TypeScript type of a Chorale type, a column, a row or an object of columns. */
export type Infer<B> =
  B extends ColumnBuilder<infer T, TypeKind, ColumnMeta> ? T : B extends RowShape ? InferRow<B> : never;

/** A row type: columns with their modifiers, which can also stand where a type stands. */
export class RowBuilder<R extends RowShape> extends TypeBuilder<InferRow<R>> {
  readonly row: R;

  constructor(row: R, typeName: string | undefined) {
    super(rowNode(row, typeName));
    this.row = row;
  }
}

function rowNode(row: RowShape, typeName: string | undefined): ProductNode {
  const fields = Object.entries(row).map(([property, column]) => {
    if (!(column instanceof ColumnBuilder)) {
      throw new TypeError(
        `column ${JSON.stringify(property)} is not a type: write for example \`${property}: t.string()\``,
      );
    }
    return { property, name: column.settings.name, node: column.node };
  });
  return { kind: 'product', typeName, fields };
}

/** The value of an enum: `{ tag, value }`, or `{ tag }` when the variant carries nothing. */
export type EnumValue<V extends VariantsShape> = {
  [P in keyof V & string]: VariantValue<P, V[P]>;
}[keyof V & string];

type VariantValue<Tag extends string, B extends AnyType> = B['kind'] extends 'unit'
  ? { tag: Tag }
  : { tag: Tag; value: B['type'] };

/** An enum also makes its values: `Shape.Circle({ radius: 1 })`, `Shape.Nothing`. */
export type EnumBuilder<V extends VariantsShape> = TypeBuilder<EnumValue<V>, EnumKind<V>> & {
  readonly [P in keyof V & string]: V[P]['kind'] extends 'unit'
    ? VariantValue<P, V[P]>
    : (value: V[P]['type']) => VariantValue<P, V[P]>;
};

/** A plain enum, without payloads, can be a key. */
type EnumKind<V extends VariantsShape> = V[keyof V & string]['kind'] extends 'unit' ? 'key' : 'plain';
