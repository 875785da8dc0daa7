import { ConnectionId, Identity } from '../../../../values/identity.js';
import { Timestamp } from '../../../../values/timestamp.js';
import { Uuid } from '../../../../values/uuid.js';
import type { RowOf, UntypedSchemaDef, UntypedTableDef } from './remote-module.js';

/* Typed queries that become SQL of the subscription dialect: `tables.user.where((r) => r.online.eq(true))`. */

export type Literal = string | number | bigint | boolean | Identity | ConnectionId | Timestamp | Uuid;

/** A condition on one table, already SQL. */
export class BooleanExpr {
  readonly sql: string;

  constructor(sql: string) {
    this.sql = sql;
  }

  and(other: BooleanExpr): BooleanExpr {
    return new BooleanExpr(`(${this.sql}) AND (${other.sql})`);
  }

  or(other: BooleanExpr): BooleanExpr {
    return new BooleanExpr(`(${this.sql}) OR (${other.sql})`);
  }

  /** Chorale evaluates NOT; the reference server refuses it. */
  not(): BooleanExpr {
    return new BooleanExpr(`NOT (${this.sql})`);
  }
}

/** A column in a condition. */
export class ColumnExpr<T> {
  readonly sql: string;

  constructor(sql: string) {
    this.sql = sql;
  }

  eq(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('=', value);
  }
  ne(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('<>', value);
  }
  lt(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('<', value);
  }
  lte(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('<=', value);
  }
  gt(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('>', value);
  }
  gte(value: ComparedWith<T>): BooleanExpr {
    return this.#compare('>=', value);
  }

  #compare(operator: string, value: ComparedWith<T>): BooleanExpr {
    const right = value instanceof ColumnExpr ? value.sql : literalSql(value);
    return new BooleanExpr(`${this.sql} ${operator} ${right}`);
  }
}

type ComparedWith<T> = (T & Literal) | ColumnExpr<T>;
export type RowExpr<D extends UntypedTableDef> = {
  readonly [K in keyof RowOf<D> & string]-?: ColumnExpr<Exclude<RowOf<D>[K], undefined>>;
};

/** Rows of one table, all or those that meet a condition. */
export interface TableQuery<D extends UntypedTableDef = UntypedTableDef> {
  readonly sourceName: string;
  /** Narrows further: two calls are joined by AND. */
  where(predicate: (row: RowExpr<D>) => BooleanExpr | ColumnExpr<boolean>): TableQuery<D>;
  toSql(): string;
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
    where(predicate) {
      const added = new BooleanExpr(predicate(rowExpr(def, table)).sql);
      return tableQuery(def, condition === undefined ? added : condition.and(added));
    },
    toSql: () => `SELECT * FROM ${table}${condition === undefined ? '' : ` WHERE ${condition.sql}`}`,
  };
}

function rowExpr(def: UntypedTableDef, table: string): RowExpr<UntypedTableDef> {
  return Object.fromEntries(
    Object.entries(def.columns).map(([property, column]) => [
      property,
      new ColumnExpr(`${table}.${quoteIdentifier(column.metadata.name ?? property)}`),
    ]),
  );
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
