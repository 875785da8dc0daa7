import { isUnitType } from '../../../values/algebraic-type.js';
import type { AlgebraicType, ProductType, SumType } from '../../../values/algebraic-type.js';
import { optionInner, specialProduct } from '../../../values/special-types.js';
import { CodegenError } from './names.js';
import { quotePython } from './python-names.js';

/*
 * How Python reads and writes the values of `v1.text` (messages/v1-text/legacy-json.ts):
 *
 * | type                      | Python                                          |
 * | bool, integers, floats    | bool, int, float                                |
 * | string                    | str                                             |
 * | array                     | list; of u8: bytes                              |
 * | option                    | the value or None                               |
 * | named product, named sum  | a class of _types.py                            |
 * | other product             | tuple                                           |
 * | other sum, ScheduleAt     | tuple of the variant's name and its payload     |
 * | Identity, ConnectionId    | the SDK's Identity, Address (None for zeros)    |
 * | Timestamp, TimeDuration   | int, microseconds                               |
 * | Uuid                      | uuid.UUID                                       |
 */

/** What a reference means: a class, or a type to write out. */
export type Scope = (ref: number) => string | AlgebraicType;

// 64 levels: more is an array of itself without end.
const DEPTH_MAX = 64;

function checkDepth(depth: number): void {
  if (depth > DEPTH_MAX) {
    throw new CodegenError(
      `a type nests more than ${DEPTH_MAX} levels without a name: it cannot be generated`,
    );
  }
}

/** An expression that makes a value of `source`, which is JSON as Python has read it. */
export function pythonDecode(type: AlgebraicType, source: string, scope: Scope, depth = 0): string {
  switch (type.kind) {
    case 'ref': {
      checkDepth(depth);
      const target = scope(type.ref);
      if (typeof target === 'string') return `${target}.decode(${source})`;
      return pythonDecode(target, source, scope, depth + 1);
    }
    case 'bool':
      return `bool(${source})`;
    case 'string':
      return `str(${source})`;
    case 'f32':
    case 'f64':
      return `float("nan" if ${source} is None else ${source})`;
    case 'array': {
      if (type.element.kind === 'u8') return `bytes.fromhex(${source})`;
      const item = `item${depth}`;
      return `[${pythonDecode(type.element, item, scope, depth + 1)} for ${item} in ${source}]`;
    }
    case 'product':
      return decodeProduct(type, source, scope, depth);
    case 'sum':
      return decodeSum(type, source, scope, depth);
    default:
      return `int(${source})`;
  }
}

function decodeProduct(type: ProductType, source: string, scope: Scope, depth: number): string {
  switch (specialProduct(type)) {
    case 'identity':
      return `_sdk.Identity.from_string(${source}[0])`;
    case 'connectionId':
      return `_sdk.Address.from_string(${source}[0])`;
    case 'uuid':
      return `_uuid.UUID(int=${source}[0])`;
    case 'timestamp':
    case 'timeDuration':
      return `int(${source})`;
    default:
      return tupleOf(
        type.elements.map((element, i) => pythonDecode(element.type, `${source}[${i}]`, scope, depth)),
      );
  }
}

function tupleOf(parts: readonly string[]): string {
  return parts.length === 1 ? `(${parts[0]},)` : `(${parts.join(', ')})`;
}

function decodeSum(type: SumType, source: string, scope: Scope, depth: number): string {
  const inner = optionInner(type);
  if (inner !== undefined) {
    return `(${pythonDecode(inner, `${source}["0"]`, scope, depth)} if "0" in ${source} else None)`;
  }
  const last = type.variants.length - 1;
  const parts = type.variants.map((variant, i) => {
    const payload = isUnitType(variant.type)
      ? 'None'
      : pythonDecode(variant.type, `${source}["${i}"]`, scope, depth);
    const pair = `(${quotePython(variant.name ?? String(i))}, ${payload})`;
    return i === last ? pair : `${pair} if "${i}" in ${source} else `;
  });
  return `(${parts.join('')})`;
}

/** An expression that makes JSON for the server of the value `source`. */
export function pythonEncode(type: AlgebraicType, source: string, scope: Scope, depth = 0): string {
  switch (type.kind) {
    case 'ref': {
      checkDepth(depth);
      const target = scope(type.ref);
      if (typeof target === 'string') return `${source}.encode()`;
      return pythonEncode(target, source, scope, depth + 1);
    }
    case 'array': {
      if (type.element.kind === 'u8') return `bytes(${source}).hex()`;
      const item = `item${depth}`;
      return `[${pythonEncode(type.element, item, scope, depth + 1)} for ${item} in ${source}]`;
    }
    case 'product':
      return encodeProduct(type, source, scope, depth);
    case 'sum':
      return encodeSum(type, source, scope, depth);
    default:
      return source;
  }
}

function encodeProduct(type: ProductType, source: string, scope: Scope, depth: number): string {
  switch (specialProduct(type)) {
    case 'identity':
      return `[str(${source})]`;
    case 'connectionId':
      return `["0" * 32 if ${source} is None else str(${source})]`;
    case 'uuid':
      return `[${source}.int]`;
    case 'timestamp':
    case 'timeDuration':
      return source;
    default: {
      const parts = type.elements.map((element, i) =>
        pythonEncode(element.type, `${source}[${i}]`, scope, depth),
      );
      return `[${parts.join(', ')}]`;
    }
  }
}

function encodeSum(type: SumType, source: string, scope: Scope, depth: number): string {
  const inner = optionInner(type);
  if (inner !== undefined) {
    return `({"1": []} if ${source} is None else {"0": ${pythonEncode(inner, source, scope, depth)}})`;
  }
  const last = type.variants.length - 1;
  const parts = type.variants.map((variant, i) => {
    const payload = isUnitType(variant.type)
      ? '[]'
      : pythonEncode(variant.type, `${source}[1]`, scope, depth);
    const object = `{"${i}": ${payload}}`;
    const test = `${source}[0] == ${quotePython(variant.name ?? String(i))}`;
    return i === last ? object : `${object} if ${test} else `;
  });
  return `(${parts.join('')})`;
}

/** The type as an annotation. */
export function pythonAnnotation(type: AlgebraicType, scope: Scope): string {
  switch (type.kind) {
    case 'ref': {
      const target = scope(type.ref);
      return typeof target === 'string' ? target : 'object';
    }
    case 'bool':
      return 'bool';
    case 'string':
      return 'str';
    case 'f32':
    case 'f64':
      return 'float';
    case 'array':
      return type.element.kind === 'u8' ? 'bytes' : `_t.List[${pythonAnnotation(type.element, scope)}]`;
    case 'product':
      return PRODUCT_ANNOTATIONS[specialProduct(type) ?? 'other'];
    case 'sum': {
      const inner = optionInner(type);
      return inner === undefined ? 'tuple' : `_t.Optional[${pythonAnnotation(inner, scope)}]`;
    }
    default:
      return 'int';
  }
}

const PRODUCT_ANNOTATIONS = {
  identity: '_sdk.Identity',
  connectionId: '_t.Optional[_sdk.Address]',
  uuid: '_uuid.UUID',
  timestamp: 'int',
  timeDuration: 'int',
  other: 'tuple',
} as const;
