import { ConnectionId, Identity } from '../../../../values/identity.js';
import { compileCompare } from '../../../../values/key.js';
import { optionInner } from '../../../../values/special-types.js';
import { Timestamp } from '../../../../values/timestamp.js';
import { Uuid } from '../../../../values/uuid.js';
import type { RowOf, UntypedSchemaDef, UntypedTableDef } from './remote-module.js';
import { lazyTypespace } from './type-builder.js';
import type { AnyTypeBuilder } from './type-builder.js';

/* Typed queries that become SQL of the subscription dialect: `tables.user.where((r) => r.online.eq(true))`. */

export type Literal = string | number | bigint | boolean | Identity | ConnectionId | Timestamp | Uuid;

type Row = Readonly<Record<string, unknown>>;

/** A condition on one table: SQL for the server, and the same as a function for rows that are here. */
export class BooleanExpr {
  readonly sql: string;
  readonly matches: (row: Row) => boolean;

  constructor(sql: string, matches: (row: Row) => boolean) {
    this.sql = sql;
    this.matches = matches;
  }

  and(other: BooleanExpr): BooleanExpr {
    return new BooleanExpr(
      `(${this.sql}) AND (${other.sql})`,
      (row) => this.matches(row) && other.matches(row),
    );
  }

  or(other: BooleanExpr): BooleanExpr {
    return new BooleanExpr(
      `(${this.sql}) OR (${other.sql})`,
      (row) => this.matches(row) || other.matches(row),
    );
  }

  /** Chorale evaluates NOT; the reference server refuses it. */
  not(): BooleanExpr {
    return new BooleanExpr(`NOT (${this.sql})`, (row) => !this.matches(row));
  }
}

/** What a comparison of two values says: NaN when they have no order, as floats may. */
type Compare = (a: unknown, b: unknown) => number;

/** How a column is read from a row and compared. */
export interface ColumnAccess {
  readonly property: string;
  readonly compare: Compare;
}

/** A column in a condition. */
export class ColumnExpr<T> {
  readonly sql: string;
  readonly access: ColumnAccess;

  constructor(sql: string, access: ColumnAccess) {
    this.sql = sql;
    this.access = access;
  }

  eq(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('=', value, (order) => order === 0);
  }
  ne(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('<>', value, (order) => order !== 0);
  }
  lt(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('<', value, (order) => order < 0);
  }
  lte(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('<=', value, (order) => order <= 0);
  }
  gt(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('>', value, (order) => order > 0);
  }
  gte(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('>=', value, (order) => order >= 0);
  }

  #compare(operator: string, value: ComparedWith<T>, holds: (order: number) => boolean): BooleanExpr {
    const right = value instanceof ColumnExpr ? value.sql : literalSql(value);
    const { property, compare } = this.access;
    const valueIn = (row: Row): unknown => (value instanceof ColumnExpr ? row[value.access.property] : value);
    return new BooleanExpr(`${this.sql} ${operator} ${right}`, (row) => {
      const left = row[property];
      // An option without a value equals nothing and differs from nothing.
      return left !== undefined && valueIn(row) !== undefined && holds(compare(left, valueIn(row)));
    });
  }
}

type ComparedWith<T> = (T & Literal) | ColumnExpr<T>;
export type RowExpr<D extends UntypedTableDef> = {
  readonly [K in keyof RowOf<D> & string]-?: ColumnExpr<Exclude<RowOf<D>[K], undefined>>;
};

/** Rows of one table, all or those that meet a condition. */
export interface TableQuery<D extends UntypedTableDef = UntypedTableDef> {
  readonly sourceName: string;
  /** The property of `conn.db`. */
  readonly accessorName: string;
  /** Narrows further: two calls are joined by AND. */
  where(predicate: (row: RowExpr<D>) => BooleanExpr | ColumnExpr<boolean>): TableQuery<D>;
  toSql(): string;
  /** Whether a row of the table is one of the query's. */
  matches(row: RowOf<D>): boolean;
}

export type QueryBuilder<S extends UntypedSchemaDef> = {
  readonly [A in keyof S['tables']]: TableQuery<S['tables'][A]>;
};

/**
 * One query per table, by accessor.
 *
 * @example
 * tables.user.where((row) => row.online.eq(true)).toSql() // SELECT * FROM "user" WHERE "user"."online" = TRUE
 */
export function makeQueryBuilder<S extends UntypedSchemaDef>(schema: S): QueryBuilder<S> {
  return Object.fromEntries(
    Object.values(schema.tables).map((def) => [def.accessorName, tableQuery(def, undefined)]),
  ) as unknown as QueryBuilder<S>;
}

function tableQuery(def: UntypedTableDef, condition: BooleanExpr | undefined): TableQuery {
  const table = quoteIdentifier(def.sourceName);
  return {
    sourceName: def.sourceName,
    accessorName: def.accessorName,
    where(predicate) {
      const added = asCondition(predicate(rowExpr(def, table)));
      return tableQuery(def, condition === undefined ? added : condition.and(added));
    },
    toSql: () => `SELECT * FROM ${table}${condition === undefined ? '' : ` WHERE ${condition.sql}`}`,
    matches: (row) => condition === undefined || condition.matches(row),
  };
}

function rowExpr(def: UntypedTableDef, table: string): RowExpr<UntypedTableDef> {
  return Object.fromEntries(
    Object.entries(def.columns).map(([property, column]) => [
      property,
      new ColumnExpr(`${table}.${quoteIdentifier(column.metadata.name ?? property)}`, {
        property,
        compare: lazyCompare(column),
      }),
    ]),
  );
}

function asCondition(expression: BooleanExpr | ColumnExpr<boolean>): BooleanExpr {
  if (expression instanceof BooleanExpr) return expression;
  const { property } = expression.access;
  return new BooleanExpr(expression.sql, (row) => row[property] === true);
}

/** Compiled when the first row is looked at: most queries are only sent. */
function lazyCompare(column: AnyTypeBuilder): Compare {
  let compiled: Compare | undefined;
  return (a, b) => (compiled ??= compileColumnCompare(column))(a, b);
}

function compileColumnCompare({ algebraicType }: AnyTypeBuilder): Compare {
  // Keys order floats totally; SQL takes them as they are.
  if (algebraicType.kind === 'f32' || algebraicType.kind === 'f64') {
    return (a, b) => ((a as number) === (b as number) ? 0 : (a as number) - (b as number));
  }
  const inner = algebraicType.kind === 'sum' ? optionInner(algebraicType) : undefined;
  return compileCompare(inner ?? algebraicType, lazyTypespace());
}

export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function literalSql(value: Literal): string {
  if (typeof value === 'string') return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === 'boolean') return value ? 'TRUE' : 'FALSE';
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new RangeError(`SQL has no literal for ${value}`);
    return String(value);
  }
  if (value instanceof Identity || value instanceof ConnectionId) return `0x${value.toHexString()}`;
  if (value instanceof Timestamp) return `'${value.toISOString()}'`;
  if (value instanceof Uuid) return `'${value.toString()}'`;
  throw new TypeError('a condition compares with a string, number, bigint, boolean, id or timestamp');
}
