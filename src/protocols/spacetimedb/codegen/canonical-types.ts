import type { AlgebraicType, Typespace } from '../../../values/algebraic-type.js';
import { toCamelCase, toPascalCase, toSnakeCase } from '../../../values/case-conversion.js';
import { isScheduleAt, optionInner, resultInner, specialProduct } from '../../../values/special-types.js';

/* How a module's policy turns the names its author wrote into those of the wire. Version 9 has them turned already. */

export interface NamePolicy {
  /** Tables, columns, fields, functions, parameters. */
  convert(name: string): string;
  convertVariant(name: string): string;
  convertType(name: string): string;
}

const asWritten = (name: string): string => name;
export const NO_POLICY: NamePolicy = {
  convert: asWritten,
  convertVariant: asWritten,
  convertType: asWritten,
};
export const SNAKE_CASE_POLICY: NamePolicy = {
  convert: toSnakeCase,
  convertVariant: toCamelCase,
  convertType: toPascalCase,
};

/** The type with canonical names; special types keep the names they are known by. */
export function canonicalType(type: AlgebraicType, policy: NamePolicy): AlgebraicType {
  switch (type.kind) {
    case 'array':
      return { kind: 'array', element: canonicalType(type.element, policy) };
    case 'product': {
      if (specialProduct(type) !== undefined) return type;
      const elements = type.elements.map((element) => ({
        ...element,
        name: element.name === undefined ? undefined : policy.convert(element.name),
        type: canonicalType(element.type, policy),
      }));
      return { kind: 'product', elements };
    }
    case 'sum': {
      const isSpecial =
        isScheduleAt(type) || optionInner(type) !== undefined || resultInner(type) !== undefined;
      const variants = type.variants.map((variant) => ({
        ...variant,
        name: variant.name === undefined || isSpecial ? variant.name : policy.convertVariant(variant.name),
        type: canonicalType(variant.type, policy),
      }));
      return { kind: 'sum', variants };
    }
    default:
      return type;
  }
}

export function canonicalTypespace(typespace: Typespace, policy: NamePolicy): Typespace {
  return { types: typespace.types.map((type) => canonicalType(type, policy)) };
}
