import type { AlgebraicType, ProductType, Typespace } from '../values/algebraic-type.js';

/*
 * What the database knows of its tables. Names come in pairs: `name` is canonical (wire, SQL, logs), `sourceName` or
 * `property` is what the module's author wrote. Columns are referred to by position.
 */

export type IndexAlgorithm = 'btree' | 'hash' | 'direct';

export interface ColumnDef {
  readonly name: string;
  /** The property of the row object. */
  readonly property: string;
  readonly type: AlgebraicType;
  /** The value for rows that were stored before the column existed. */
  readonly defaultValue?: unknown;
}

export interface IndexDef {
  readonly name: string;
  readonly sourceName: string;
  /** The property of the table accessor (`ctx.db.user.byName`), when the author gave one. */
  readonly accessor: string | undefined;
  readonly algorithm: IndexAlgorithm;
  readonly columns: readonly number[];
}

export interface UniqueConstraintDef {
  readonly name: string;
  readonly columns: readonly number[];
}

export interface SequenceDef {
  readonly name: string;
  readonly column: number;
  /** First value, 1 when absent. */
  readonly start: bigint | undefined;
  readonly minValue: bigint | undefined;
  readonly maxValue: bigint | undefined;
  readonly increment: bigint;
}

export interface ScheduleDef {
  readonly name: string;
  readonly column: number;
  /** Source name of the reducer or procedure that runs when a row is due. */
  readonly functionName: string;
}

export interface TableDef {
  readonly name: string;
  readonly sourceName: string;
  readonly columns: readonly ColumnDef[];
  /** Its elements are `columns`, in order. */
  readonly rowType: ProductType;
  /** Where `rowType` stands in the typespace. */
  readonly rowTypeRef: number;
  readonly primaryKey: number | undefined;
  readonly indexes: readonly IndexDef[];
  readonly uniqueConstraints: readonly UniqueConstraintDef[];
  readonly sequences: readonly SequenceDef[];
  readonly schedule: ScheduleDef | undefined;
  readonly isPublic: boolean;
  /** Rows of an event table are seen in their transaction and broadcast, never stored. */
  readonly isEvent: boolean;
}

export interface DatabaseSchema {
  readonly typespace: Typespace;
  readonly tables: readonly TableDef[];
}
