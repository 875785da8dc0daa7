import type { ProductType } from '../../../../values/algebraic-type.js';
import { RowBuilder, rowType } from './type-builder.js';
import type { AnyTypeBuilder, IndexAlgorithmName, InferRow, RowShape } from './type-builder.js';

/* What a client knows of a database: the plain object that generated bindings build and a connection is made of. */

export interface IndexOptions {
  readonly accessor: string;
  readonly name?: string;
  readonly algorithm: IndexAlgorithmName;
  readonly columns: readonly string[];
}

export interface ConstraintOptions {
  readonly name?: string;
  readonly constraint: 'unique';
  readonly columns: readonly string[];
}

export interface TableOptions {
  /** The canonical name: on the wire and in SQL. */
  readonly name?: string;
  readonly indexes?: readonly IndexOptions[];
  readonly constraints?: readonly ConstraintOptions[];
  readonly event?: boolean;
}

export interface TableSchema<O extends TableOptions, S extends RowShape> {
  readonly options: O;
  readonly row: RowBuilder<S>;
}
export type AnyTableSchema = TableSchema<TableOptions, RowShape>;

/** One table of a remote module. */
export interface UntypedTableDef {
  /** The property of `conn.db`. */
  readonly accessorName: string;
  /** The canonical name. */
  readonly sourceName: string;
  readonly columns: RowShape;
  readonly rowType: ProductType;
  readonly indexes: readonly IndexOptions[];
  readonly constraints: readonly ConstraintOptions[];
  readonly isEvent: boolean;
}

type Indexes<O extends TableOptions> = O extends { readonly indexes: infer I extends readonly IndexOptions[] }
  ? I
  : readonly [];
type Constraints<O extends TableOptions> = O extends {
  readonly constraints: infer C extends readonly ConstraintOptions[];
}
  ? C
  : readonly [];

export interface TableDef<
  A extends string,
  O extends TableOptions,
  S extends RowShape,
> extends UntypedTableDef {
  readonly accessorName: A;
  readonly columns: S;
  readonly indexes: Indexes<O>;
  readonly constraints: Constraints<O>;
  readonly isEvent: O extends { readonly event: true } ? true : false;
}

export interface UntypedSchemaDef {
  readonly tables: Readonly<Record<string, UntypedTableDef>>;
}

export type TablesToSchema<T extends Readonly<Record<string, AnyTableSchema>>> = {
  readonly tables: {
    readonly [A in keyof T & string]: T[A] extends TableSchema<infer O, infer S> ? TableDef<A, O, S> : never;
  };
};

export interface UntypedReducerDef {
  readonly name: string;
  readonly accessorName: string;
  readonly params: RowShape;
  readonly paramsType: ProductType;
}

export interface UntypedProcedureDef extends UntypedReducerDef {
  readonly returnType: AnyTypeBuilder;
}

export interface UntypedRemoteModule extends UntypedSchemaDef {
  readonly reducers: readonly UntypedReducerDef[];
  readonly procedures: readonly UntypedProcedureDef[];
  readonly versionInfo: { readonly cliVersion: string };
}

export type RemoteModule<
  S extends UntypedSchemaDef,
  R extends { readonly reducers: readonly UntypedReducerDef[] },
  P extends { readonly procedures: readonly UntypedProcedureDef[] },
> = S & R & P & { readonly versionInfo: { readonly cliVersion: string } };

/** A table of the bindings. */
export function table<const O extends TableOptions, S extends RowShape>(
  options: O,
  row: RowBuilder<S> | S,
): TableSchema<O, S> {
  return { options, row: row instanceof RowBuilder ? row : new RowBuilder(row) };
}

/** The tables of the bindings, by their accessors. */
export function schema<const T extends Readonly<Record<string, AnyTableSchema>>>(
  tables: T,
): { readonly schemaType: TablesToSchema<T> } {
  const defs = Object.fromEntries(
    Object.entries(tables).map(([accessorName, { options, row }]) => [
      accessorName,
      {
        accessorName,
        sourceName: options.name ?? accessorName,
        columns: row.shape,
        get rowType() {
          return rowType(row.shape);
        },
        indexes: options.indexes ?? [],
        constraints: options.constraints ?? [],
        isEvent: options.event === true,
      } satisfies UntypedTableDef,
    ]),
  );
  return { schemaType: { tables: defs } as unknown as TablesToSchema<T> };
}

type CamelTail<S extends string> = S extends `${infer H}_${infer R}` ? `${H}${Capitalize<CamelTail<R>>}` : S;
/** `send_message` -> `sendMessage`, as the function of the same purpose below. */
export type CamelCase<S extends string> = Uncapitalize<CamelTail<S>>;

function camelCase(name: string): string {
  const joined = name.replaceAll(/_(.?)/g, (_, next: string) => next.toUpperCase());
  return joined.charAt(0).toLowerCase() + joined.slice(1);
}

export interface ReducerDef<N extends string, P extends RowShape> extends UntypedReducerDef {
  readonly name: N;
  readonly accessorName: CamelCase<N>;
  readonly params: P;
}

/** One reducer of the bindings. @param name canonical. */
export function reducerSchema<const N extends string, P extends RowShape>(
  name: N,
  params: P,
): ReducerDef<N, P> {
  return {
    name,
    accessorName: camelCase(name) as CamelCase<N>,
    params,
    get paramsType() {
      return rowType(params);
    },
  };
}

export function reducers<const H extends readonly UntypedReducerDef[]>(
  ...handles: H
): { readonly reducersType: { readonly reducers: H } } {
  return { reducersType: { reducers: handles } };
}

export interface ProcedureDef<
  N extends string,
  P extends RowShape,
  B extends AnyTypeBuilder,
> extends ReducerDef<N, P> {
  readonly returnType: B;
}

/** One procedure of the bindings. @param name canonical. */
export function procedureSchema<const N extends string, P extends RowShape, B extends AnyTypeBuilder>(
  name: N,
  params: P,
  returnType: B,
): ProcedureDef<N, P, B> {
  const { accessorName } = reducerSchema(name, params);
  return {
    name,
    accessorName,
    params,
    get paramsType() {
      return rowType(params);
    },
    returnType,
  };
}

export function procedures<const H extends readonly UntypedProcedureDef[]>(
  ...handles: H
): { readonly procedures: H } {
  return { procedures: handles };
}

/** Definitions by their accessors: `reducers.sendMessage.name`. */
export function convertToAccessorMap<const H extends readonly { readonly accessorName: string }[]>(
  handles: H,
): { readonly [D in H[number] as D['accessorName']]: D } {
  return Object.fromEntries(handles.map((def) => [def.accessorName, def])) as never;
}

/** The row objects of a table. */
export type RowOf<D extends UntypedTableDef> = InferRow<D['columns']>;
