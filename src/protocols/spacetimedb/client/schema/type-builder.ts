import type { AlgebraicType, Typespace } from '../../../../values/algebraic-type.js';
import { optionType } from '../../../../values/special-types.js';

/*
 * Types as generated bindings write them: `t.u64().primaryKey()`. Each builder carries the algebraic type for the
 * codecs and, for the compiler only, the JavaScript type of its values.
 */

export type IndexAlgorithmName = 'btree' | 'hash' | 'direct';

/** What a column knows beside its type. */
export interface ColumnMetadata {
  /** The canonical name, where it differs from the property. */
  readonly name?: string;
  readonly isPrimaryKey?: true;
  readonly isUnique?: true;
  readonly isUnit?: true;
}

export class TypeBuilder<out T, out M extends ColumnMetadata = ColumnMetadata> {
  /** The type of the values; exists for the compiler only. */
  declare readonly type: T;
  readonly metadata: M;
  readonly #resolve: () => AlgebraicType;
  #resolved: AlgebraicType | undefined;

  constructor(resolve: () => AlgebraicType, metadata: M) {
    this.#resolve = resolve;
    this.metadata = metadata;
  }

  /** Resolved at first use, so that bindings may refer to types that are defined further down. */
  get algebraicType(): AlgebraicType {
    return (this.#resolved ??= this.#resolve());
  }

  primaryKey(): TypeBuilder<T, M & { readonly isPrimaryKey: true }> {
    return this.#with({ isPrimaryKey: true });
  }

  unique(): TypeBuilder<T, M & { readonly isUnique: true }> {
    return this.#with({ isUnique: true });
  }

  /** @param name the canonical name: on the wire and in SQL. */
  name<const N extends string>(name: N): TypeBuilder<T, M & { readonly name: N }> {
    return this.#with({ name });
  }

  optional(): TypeBuilder<T | undefined, M> {
    return new TypeBuilder(() => optionType(this.algebraicType), this.metadata);
  }

  #with<A extends ColumnMetadata>(added: A): TypeBuilder<T, M & A> {
    return new TypeBuilder(() => this.algebraicType, { ...this.metadata, ...added });
  }
}

export type AnyTypeBuilder = TypeBuilder<unknown>;
/** Columns or parameters by their properties. */
export type RowShape = Readonly<Record<string, AnyTypeBuilder>>;

type TypeOf<B> = B extends { readonly type: infer T } ? T : never;
type Flatten<T> = { [K in keyof T]: T[K] } & {};

/** The object of a row or of parameters; options may be left out. */
export type InferRow<S extends RowShape> = Flatten<
  {
    -readonly [K in keyof S as undefined extends TypeOf<S[K]> ? never : K]: TypeOf<S[K]>;
  } & {
    -readonly [K in keyof S as undefined extends TypeOf<S[K]> ? K : never]?: TypeOf<S[K]>;
  }
>;

/**
 * The JavaScript type of what a builder describes.
 *
 * @example
 * type User = Infer<typeof UserRow>;
 */
export type Infer<B> = B extends { readonly type: infer T } ? T : B extends RowShape ? InferRow<B> : never;

/** A product with names: an object type, a table's row, a reducer's parameters. */
export class RowBuilder<S extends RowShape> extends TypeBuilder<InferRow<S>> {
  readonly shape: S;

  constructor(shape: S) {
    super(() => rowType(shape), {});
    this.shape = shape;
  }
}

/** The product of a shape; the canonical names are the columns' own or the properties. */
export function rowType(shape: RowShape): AlgebraicType & { readonly kind: 'product' } {
  return {
    kind: 'product',
    elements: Object.keys(shape).map((property) => {
      const column = shape[property]!;
      return { name: column.metadata.name ?? property, property, type: column.algebraicType };
    }),
  };
}

/* Types that refer to themselves: each `t.lazy` is a place in one typespace, filled when it is first resolved. */

const lazyTypes: AlgebraicType[] = [];
const unresolved: (() => void)[] = [];

export function lazyType(thunk: () => AnyTypeBuilder): () => AlgebraicType {
  let ref: number | undefined;
  return () => {
    if (ref === undefined) {
      const place = lazyTypes.length;
      ref = place;
      lazyTypes.push({ kind: 'ref', ref: place });
      unresolved.push(() => void (lazyTypes[place] = thunk().algebraicType));
    }
    return { kind: 'ref', ref };
  };
}

/** The typespace that the algebraic types of builders refer to. Resolving one lazy type may bring up others. */
export function lazyTypespace(): Typespace {
  for (let next = unresolved.shift(); next !== undefined; next = unresolved.shift()) next();
  return { types: lazyTypes };
}
