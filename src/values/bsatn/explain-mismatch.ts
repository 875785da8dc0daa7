import { WireError } from '../../base/wire-error.js';
import { isUnitType } from '../algebraic-type.js';
import type { AlgebraicType, ArrayType, PrimitiveKind, ProductType, SumType } from '../algebraic-type.js';
import { optionInner, resultInner, specialProduct } from '../special-types.js';
import { DEPTH_MAX } from './measure.js';
import type { TypeMeasurer } from './measure.js';
import { isPrimitive, isSpecialValue } from './primitives.js';

/*
 * Encoders check values with single instructions and keep no path. When one fails, this walks the value again, finds the
 * first part that does not fit and says where it is: `player.name: expected string, got number`.
 */

/** The WireError for the first mismatch, or undefined when the value fits. */
export function explainMismatch(
  type: AlgebraicType,
  value: unknown,
  measurer: TypeMeasurer,
  path: string,
  depth = 0,
): WireError | undefined {
  switch (type.kind) {
    case 'ref':
      if (depth > DEPTH_MAX) return tooDeep(path);
      return explainMismatch(measurer.target(type.ref), value, measurer, path, depth);
    case 'array':
      return explainArray(type, value, measurer, path, depth);
    case 'product':
      return explainProduct(type, value, measurer, path, depth);
    case 'sum':
      return explainSum(type, value, measurer, path, depth);
    default:
      return isPrimitive(type.kind, value) ? undefined : primitiveError(type.kind, value, path);
  }
}

function explainArray(
  type: ArrayType,
  value: unknown,
  measurer: TypeMeasurer,
  path: string,
  depth: number,
): WireError | undefined {
  const isBytes = type.element.kind === 'u8';
  if (isBytes && value instanceof Uint8Array) return undefined;
  if (!Array.isArray(value)) return wrongType(isBytes ? 'Uint8Array' : 'array', value, path);
  for (let i = 0; i < value.length; i++) {
    const error = explainMismatch(type.element, value[i], measurer, `${path}[${i}]`, depth + 1);
    if (error !== undefined) return error;
  }
  return undefined;
}

function explainProduct(
  type: ProductType,
  value: unknown,
  measurer: TypeMeasurer,
  path: string,
  depth: number,
): WireError | undefined {
  const special = specialProduct(type);
  if (special !== undefined) {
    return isSpecialValue(special, value) ? undefined : wrongType(SPECIAL_NAMES[special], value, path);
  }
  if (isUnitType(type) && (value === undefined || value === null)) return undefined;
  if (typeof value !== 'object' || value === null) return wrongType('object', value, path);
  for (const { property, type: fieldType } of type.elements) {
    const field: unknown = Reflect.get(value, property);
    const error = explainMismatch(fieldType, field, measurer, join(path, property), depth + 1);
    if (error !== undefined) return error;
  }
  return undefined;
}

function explainSum(
  type: SumType,
  value: unknown,
  measurer: TypeMeasurer,
  path: string,
  depth: number,
): WireError | undefined {
  const some = optionInner(type);
  if (some !== undefined) {
    if (value === undefined || value === null) return undefined;
    return explainMismatch(some, value, measurer, path, depth + 1);
  }
  const isResult = resultInner(type) !== undefined;
  if (typeof value !== 'object' || value === null) {
    return wrongType(isResult ? '{ ok } or { err }' : '{ tag, value }', value, path);
  }
  const [tag, payload] = isResult ? resultParts(value) : sumParts(value);
  const variant = type.variants.find((candidate) => (isResult ? candidate.name : candidate.tag) === tag);
  if (variant === undefined) return unknownVariant(type, tag, path);
  if (!isResult && isUnitType(variant.type)) return undefined;
  return explainMismatch(variant.type, payload, measurer, join(path, tag as string), depth + 1);
}

function sumParts(value: object): [unknown, unknown] {
  return [Reflect.get(value, 'tag'), Reflect.get(value, 'value')];
}

function resultParts(value: object): [unknown, unknown] {
  const tags = ['ok', 'err'].filter((name) => Object.hasOwn(value, name));
  return tags.length === 1 ? [tags[0], Reflect.get(value, tags[0]!)] : [undefined, undefined];
}

const SPECIAL_NAMES = {
  identity: 'Identity',
  connectionId: 'ConnectionId',
  timestamp: 'Timestamp',
  timeDuration: 'TimeDuration',
  uuid: 'Uuid',
} as const;

function primitiveError(kind: PrimitiveKind, value: unknown, path: string): WireError {
  const wanted =
    kind === 'string'
      ? 'string'
      : kind === 'bool'
        ? 'boolean'
        : Number(kind.slice(1)) > 32
          ? 'bigint'
          : 'number';
  const isFloat = kind === 'f32' || kind === 'f64';
  if (isFloat || typeof value !== wanted) {
    const name =
      wanted === 'bigint' || wanted === 'number' ? `${isFloat ? 'number' : wanted} (${kind})` : wanted;
    return wrongType(name, value, path);
  }
  return error(
    'OUT_OF_RANGE',
    path,
    `${String(value).slice(0, 80)} is not a whole number in the range of ${kind}`,
  );
}

function unknownVariant(type: SumType, tag: unknown, path: string): WireError {
  const known = type.variants.map((variant) => variant.tag).join(', ');
  const got = typeof tag === 'string' ? JSON.stringify(tag.slice(0, 80)) : describe(tag);
  return error('BAD_TAG', path, `expected one of the variants ${known.slice(0, 200)}, got ${got}`);
}

function wrongType(wanted: string, value: unknown, path: string): WireError {
  return error('BAD_VALUE', path, `expected ${wanted}, got ${describe(value)}`);
}

function tooDeep(path: string): WireError {
  return error('TOO_DEEP', path.slice(0, 80), `the value is nested more than ${DEPTH_MAX} levels deep`);
}

function error(
  code: 'BAD_VALUE' | 'BAD_TAG' | 'OUT_OF_RANGE' | 'TOO_DEEP',
  path: string,
  text: string,
): WireError {
  return new WireError(code, path === '' ? text : `${path}: ${text}`, { path });
}

function describe(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
