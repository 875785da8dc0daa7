import { isUnitType, primitiveType, productType, sumType, UNIT_TYPE } from './algebraic-type.js';
import type { AlgebraicType, PrimitiveKind, ProductType, SumType } from './algebraic-type.js';

/* Products and sums that mean more than their shape; recognised by their magic names, as the protocol does. */

export const IDENTITY_TYPE = productType({ __identity__: primitiveType('u256') });
export const CONNECTION_ID_TYPE = productType({ __connection_id__: primitiveType('u128') });
export const TIMESTAMP_TYPE = productType({ __timestamp_micros_since_unix_epoch__: primitiveType('i64') });
export const TIME_DURATION_TYPE = productType({ __time_duration_micros__: primitiveType('i64') });
export const UUID_TYPE = productType({ __uuid__: primitiveType('u128') });
export const SCHEDULE_AT_TYPE = sumType({ Interval: TIME_DURATION_TYPE, Time: TIMESTAMP_TYPE });

export function optionType(some: AlgebraicType): SumType {
  return sumType({ some, none: UNIT_TYPE });
}

export function resultType(ok: AlgebraicType, err: AlgebraicType): SumType {
  return sumType({ ok, err });
}

export type SpecialProduct = 'identity' | 'connectionId' | 'timestamp' | 'timeDuration' | 'uuid';

const SPECIAL_FIELDS: Readonly<
  Record<string, { readonly special: SpecialProduct; readonly kind: PrimitiveKind }>
> = {
  __identity__: { special: 'identity', kind: 'u256' },
  __connection_id__: { special: 'connectionId', kind: 'u128' },
  __timestamp_micros_since_unix_epoch__: { special: 'timestamp', kind: 'i64' },
  __time_duration_micros__: { special: 'timeDuration', kind: 'i64' },
  __uuid__: { special: 'uuid', kind: 'u128' },
};

/** Which special type a product is, if any. */
export function specialProduct(type: ProductType): SpecialProduct | undefined {
  const [only, ...more] = type.elements;
  if (only?.name === undefined || more.length > 0) return undefined;
  const special = Object.hasOwn(SPECIAL_FIELDS, only.name) ? SPECIAL_FIELDS[only.name] : undefined;
  return special !== undefined && only.type.kind === special.kind ? special.special : undefined;
}

/** The inner type when the sum is an option (`some`, `none`), else undefined. */
export function optionInner(type: SumType): AlgebraicType | undefined {
  const [some, none, ...more] = type.variants;
  const isOption =
    some?.name === 'some' && none?.name === 'none' && more.length === 0 && isUnitType(none.type);
  return isOption ? some.type : undefined;
}

/** The two types when the sum is a result (`ok`, `err`), else undefined. */
export function resultInner(
  type: SumType,
): { readonly ok: AlgebraicType; readonly err: AlgebraicType } | undefined {
  const [ok, err, ...more] = type.variants;
  const isResult = ok?.name === 'ok' && err?.name === 'err' && more.length === 0;
  return isResult ? { ok: ok.type, err: err.type } : undefined;
}

export function isScheduleAt(type: AlgebraicType): boolean {
  if (type.kind !== 'sum') return false;
  const [interval, time, ...more] = type.variants;
  return (
    interval?.name === 'Interval' &&
    time?.name === 'Time' &&
    more.length === 0 &&
    isSpecial(interval.type, 'timeDuration') &&
    isSpecial(time.type, 'timestamp')
  );
}

function isSpecial(type: AlgebraicType, special: SpecialProduct): boolean {
  return type.kind === 'product' && specialProduct(type) === special;
}
