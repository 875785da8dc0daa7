import { isUnitType } from '../../../values/algebraic-type.js';
import type { AlgebraicType, ProductType, SumType } from '../../../values/algebraic-type.js';
import { isScheduleAt, optionInner, resultInner, specialProduct } from '../../../values/special-types.js';
import { CodegenError, propertyName, quote, variantTag } from './names.js';

/* An algebraic type as the builder expression of the bindings: `__t.array(__t.string())`. */

/** How references are written, and what name an anonymous type gets. */
export interface TypeScope {
  /** The expression for a named type of the typespace. */
  reference(ref: number): string;
  /** The TypeScript type of a named type. */
  referenceType(ref: number): string;
  /** Whether objects may leave options out: ours may, the npm client's may not. */
  readonly mayOmitOptions: boolean;
}

export function typeExpression(type: AlgebraicType, scope: TypeScope, name: string): string {
  switch (type.kind) {
    case 'ref':
      return scope.reference(type.ref);
    case 'array':
      return type.element.kind === 'u8'
        ? '__t.byteArray()'
        : `__t.array(${typeExpression(type.element, scope, `${name}Item`)})`;
    case 'product':
      return productExpression(type, scope, name);
    case 'sum':
      return sumExpression(type, scope, name);
    default:
      return `__t.${type.kind}()`;
  }
}

function productExpression(type: ProductType, scope: TypeScope, name: string): string {
  const special = specialProduct(type);
  if (special !== undefined) return `__t.${special}()`;
  if (isUnitType(type)) return '__t.unit()';
  return `__t.object(${quote(name)}, ${shapeExpression(type, scope, name)})`;
}

function sumExpression(type: SumType, scope: TypeScope, name: string): string {
  if (isScheduleAt(type)) return '__t.scheduleAt()';
  const some = optionInner(type);
  if (some !== undefined) return `__t.option(${typeExpression(some, scope, name)})`;
  const result = resultInner(type);
  if (result !== undefined) {
    return `__t.result(${typeExpression(result.ok, scope, `${name}Ok`)}, ${typeExpression(result.err, scope, `${name}Err`)})`;
  }
  const variants = type.variants.map((variant) => {
    const tag = variantTag(needName(variant.name, `a variant of ${name}`));
    return `${tag}: ${typeExpression(variant.type, scope, `${name}${tag}`)}`;
  });
  return `__t.enum(${quote(name)}, { ${variants.join(', ')} })`;
}

/** `{ name: __t.string(), ... }` */
export function shapeExpression(type: ProductType, scope: TypeScope, name: string): string {
  const fields = type.elements.map((element) => {
    const property = propertyName(needName(element.name, `a field of ${name}`), 'field');
    return `  ${property}: ${typeExpression(element.type, scope, name + capitalise(property))},`;
  });
  return fields.length === 0 ? '{}' : `{\n${fields.join('\n')}\n}`;
}

/** The TypeScript type of the values, written out: what the compiler cannot infer for types that contain themselves. */
export function valueType(type: AlgebraicType, scope: TypeScope): string {
  switch (type.kind) {
    case 'ref':
      return scope.referenceType(type.ref);
    case 'array':
      return type.element.kind === 'u8' ? 'Uint8Array' : `(${valueType(type.element, scope)})[]`;
    case 'product':
      return productValueType(type, scope);
    case 'sum':
      return sumValueType(type, scope);
    case 'bool':
      return 'boolean';
    case 'string':
      return 'string';
    default:
      return /^[iu](64|128|256)$/.test(type.kind) ? 'bigint' : 'number';
  }
}

const SPECIAL_TYPES = {
  identity: '__Infer<ReturnType<typeof __t.identity>>',
  connectionId: '__Infer<ReturnType<typeof __t.connectionId>>',
  timestamp: '__Infer<ReturnType<typeof __t.timestamp>>',
  timeDuration: '__Infer<ReturnType<typeof __t.timeDuration>>',
  uuid: '__Infer<ReturnType<typeof __t.uuid>>',
} as const;

function productValueType(type: ProductType, scope: TypeScope): string {
  const special = specialProduct(type);
  if (special !== undefined) return SPECIAL_TYPES[special];
  const fields = type.elements.map((element) => {
    const property = propertyName(needName(element.name, 'a field'), 'field');
    const isOption = element.type.kind === 'sum' && optionInner(element.type) !== undefined;
    return `${property}${isOption && scope.mayOmitOptions ? '?' : ''}: ${valueType(element.type, scope)}`;
  });
  return fields.length === 0 ? '{}' : `{ ${fields.join('; ')} }`;
}

function sumValueType(type: SumType, scope: TypeScope): string {
  if (isScheduleAt(type)) return '__Infer<ReturnType<typeof __t.scheduleAt>>';
  const some = optionInner(type);
  if (some !== undefined) return `${valueType(some, scope)} | undefined`;
  const result = resultInner(type);
  if (result !== undefined)
    return `{ ok: ${valueType(result.ok, scope)} } | { err: ${valueType(result.err, scope)} }`;
  const variants = type.variants.map((variant) => {
    const tag = quote(variantTag(needName(variant.name, 'a variant')));
    return isUnitType(variant.type)
      ? `{ tag: ${tag} }`
      : `{ tag: ${tag}; value: ${valueType(variant.type, scope)} }`;
  });
  return variants.length === 0 ? 'never' : variants.join(' | ');
}

export function needName(name: string | undefined, what: string): string {
  if (name === undefined) throw new CodegenError(`${what} has no name and cannot be generated`);
  return name;
}

export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
