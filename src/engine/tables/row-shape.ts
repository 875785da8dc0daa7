import { specialProduct, optionInner } from '../../values/special-types.js';
import type { AlgebraicType } from '../../values/algebraic-type.js';
import type { Row } from '../contract.js';
import type { TableDef } from '../schema.js';

/*
 * Row constructors and column getters, made once per table: as generated code, so that all rows of a table have one
 * hidden class and each getter its own inline cache, or as closures where the platform forbids eval.
 *
 * Property names reach the generated code only as JSON string literals, and a schema is checked to hold nothing but
 * identifiers before it comes here (schema-check.ts).
 */

/** What becomes of a column's value on its way into a stored row. */
type Normalisation = 'asIs' | 'fround' | 'wellFormed' | 'option';

export interface RowShape {
  /** A fresh row with exactly the table's columns, in order. Values that mean the same are made the same. */
  copy(row: Row): Record<string, unknown>;
  /** The same for a row that came from `copy`. A spread takes 2 to 5 times as long, and more when the row is not in the cache. */
  readonly copyStored: (row: Row) => Record<string, unknown>;
  /** True when every column is there and nothing else; false may still be a good row. */
  isExact(row: Row): boolean;
}

/**
 * True when values of the type can never change in place, so that stored rows may share them with the caller. `undefined`
 * of an option counts.
 */
export function isImmutableType(type: AlgebraicType): boolean {
  if (type.kind === 'product') return specialProduct(type) !== undefined;
  if (type.kind === 'sum') {
    const inner = optionInner(type);
    return inner !== undefined && normalisationOf(inner) === 'asIs' && isImmutableType(inner);
  }
  return type.kind !== 'array' && type.kind !== 'ref';
}

function normalisationOf(type: AlgebraicType): Normalisation {
  if (type.kind === 'f32') return 'fround';
  if (type.kind === 'string') return 'wellFormed';
  return type.kind === 'sum' && optionInner(type) !== undefined ? 'option' : 'asIs';
}

/** Lone surrogates become U+FFFD, as they do on the wire: what is stored equals what a client decodes. */
function wellFormed(value: unknown): unknown {
  return typeof value === 'string' ? (value as string & { toWellFormed(): string }).toWellFormed() : value;
}

const canGenerateCode = ((): boolean => {
  try {
    // eslint-disable-next-line typescript/no-implied-eval -- a constant.
    return new Function('return true')() === true;
  } catch {
    return false;
  }
})();

export function compileRowShape(table: TableDef, codegen = canGenerateCode): RowShape {
  const columns = table.columns.map((column) => ({
    property: column.property,
    normalisation: normalisationOf(column.type),
  }));
  return codegen ? generateShape(columns) : closeOverShape(columns);
}

interface ShapeColumn {
  readonly property: string;
  readonly normalisation: Normalisation;
}

const EXPRESSIONS: Readonly<Record<Normalisation, (value: string) => string>> = {
  asIs: (value) => value,
  fround: (value) => `(typeof ${value} === "number" ? fround(${value}) : ${value})`,
  wellFormed: (value) => `wellFormed(${value})`,
  option: (value) => `(${value} ?? undefined)`,
};

function generateShape(columns: readonly ShapeColumn[]): RowShape {
  const value = ({ property }: ShapeColumn): string => `row[${JSON.stringify(property)}]`;
  const members = columns.map(
    (column) => `${JSON.stringify(column.property)}: ${EXPRESSIONS[column.normalisation](value(column))}`,
  );
  const present = columns.map((column) =>
    column.normalisation === 'option'
      ? `${JSON.stringify(column.property)} in row`
      : `${value(column)} !== undefined`,
  );
  const stored = columns.map((column) => `${JSON.stringify(column.property)}: ${value(column)}`);
  const body = `
    return {
      copy(row) { return { ${members.join(', ')} }; },
      copyStored: (row) => ({ ${stored.join(', ')} }),
      isExact(row) {
        let count = 0;
        for (const _ in row) count++;
        return count === ${columns.length}${present.map((text) => ` && ${text}`).join('')};
      },
    };`;
  // eslint-disable-next-line typescript/no-implied-eval -- names are quoted, and identifiers by checkSchema.
  return new Function('fround', 'wellFormed', body)(Math.fround, wellFormed) as RowShape;
}

const NORMALISERS: Readonly<Record<Normalisation, (value: unknown) => unknown>> = {
  asIs: (value) => value,
  fround: (value) => (typeof value === 'number' ? Math.fround(value) : value),
  wellFormed,
  option: (value) => value ?? undefined,
};

function closeOverShape(columns: readonly ShapeColumn[]): RowShape {
  return {
    copy(row) {
      const copied: Record<string, unknown> = {};
      for (const { property, normalisation } of columns)
        copied[property] = NORMALISERS[normalisation](row[property]);
      return copied;
    },
    copyStored: (row) => ({ ...row }),
    isExact(row) {
      const hasAll = columns.every(({ property, normalisation }) =>
        normalisation === 'option' ? property in row : row[property] !== undefined,
      );
      return hasAll && Object.keys(row).length === columns.length;
    },
  };
}

/** A function that reads one column of a row. */
export function compileGetter(property: string, codegen = canGenerateCode): (row: Row) => unknown {
  if (!codegen) return (row) => row[property];
  // eslint-disable-next-line typescript/no-implied-eval -- the name is quoted.
  return new Function('row', `return row[${JSON.stringify(property)}];`) as (row: Row) => unknown;
}
