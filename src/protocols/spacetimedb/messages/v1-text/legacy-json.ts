import { encodeHex } from '../../../../base/hex.js';
import { resolveType } from '../../../../values/algebraic-type.js';
import type { AlgebraicType, ProductType, SumType, Typespace } from '../../../../values/algebraic-type.js';
import type { ConnectionId, Identity } from '../../../../values/identity.js';
import { encodeFloat, openSum } from '../../../../values/sats-json/encode-json.js';
import type { JsonValue } from '../../../../values/sats-json/parse-json.js';
import { specialProduct } from '../../../../values/special-types.js';
import type { TimeDuration, Timestamp } from '../../../../values/timestamp.js';
import type { Uuid } from '../../../../values/uuid.js';

/*
 * Values in the JSON of `v1.text`, an ancestor of SATS-JSON:
 *
 * | type                      | JSON                                                                       |
 * | bool, string              | as JSON has them                                                           |
 * | integers                  | all digits, of every width                                                 |
 * | f32, f64                  | number; null for NaN, Infinity                                             |
 * | array                     | array; of u8: hexadecimal text                                             |
 * | product                   | array of its fields                                                        |
 * | sum                       | {"<number of the variant>":payload}; some {"0":value}, none {"1":[]}       |
 * | Identity, ConnectionId    | ["64 hexadecimal digits"], ["32 hexadecimal digits"], big-endian, no 0x    |
 * | Timestamp, TimeDuration   | microseconds                                                               |
 *
 * The last two kinds were no special types in its time: what there was (identity, address, a bare integer) stands here.
 */

/** The JSON text of a value that fits its type. */
export function encodeLegacyJson(type: AlgebraicType, value: unknown, typespace: Typespace): string {
  const resolved = resolveType(type, typespace);
  switch (resolved.kind) {
    case 'product':
      return encodeProduct(resolved, value, typespace);
    case 'sum': {
      const { index, payload } = openSum(resolved, value);
      const inner = resolved.variants[index]!.type;
      return `{"${index}":${encodeLegacyJson(inner, payload, typespace)}}`;
    }
    case 'array': {
      if (value instanceof Uint8Array) return `"${encodeHex(value)}"`;
      const items = value as readonly unknown[];
      return `[${items.map((item) => encodeLegacyJson(resolved.element, item, typespace)).join(',')}]`;
    }
    case 'string':
      return JSON.stringify(value);
    case 'f32':
    case 'f64':
      return encodeFloat(value as number);
    default:
      return String(value);
  }
}

function encodeProduct(type: ProductType, value: unknown, typespace: Typespace): string {
  switch (specialProduct(type)) {
    case 'identity':
      return `["${(value as Identity).toHexString()}"]`;
    case 'connectionId':
      return `["${(value as ConnectionId).toHexString()}"]`;
    case 'timestamp':
      return String((value as Timestamp).__timestamp_micros_since_unix_epoch__);
    case 'timeDuration':
      return String((value as TimeDuration).__time_duration_micros__);
    case 'uuid':
      return `[${(value as Uuid).__uuid__}]`;
    default: {
      const fields = value as Readonly<Record<string, unknown>>;
      const parts = type.elements.map((element) =>
        encodeLegacyJson(element.type, fields[element.property], typespace),
      );
      return `[${parts.join(',')}]`;
    }
  }
}

/**
 * The same value in SATS-JSON, for `valueFromJson`. What is not as it should be is left as it is: the reader complains.
 */
export function toSatsJson(type: AlgebraicType, json: JsonValue, typespace: Typespace): JsonValue {
  const resolved = resolveType(type, typespace);
  if (resolved.kind === 'product') return productToSats(resolved, json, typespace);
  if (resolved.kind === 'sum') return sumToSats(resolved, json, typespace);
  if (resolved.kind === 'array' && Array.isArray(json)) {
    return json.map((item) => toSatsJson(resolved.element, item, typespace));
  }
  return json;
}

function productToSats(type: ProductType, json: JsonValue, typespace: Typespace): JsonValue {
  const special = specialProduct(type);
  if (special === 'identity') {
    const digits = onlyText(json);
    return digits !== undefined && /^[0-9a-f]{64}$/i.test(digits) ? [`0x${digits}`] : json;
  }
  if (special === 'connectionId') {
    const digits = onlyText(json);
    return digits !== undefined && /^[0-9a-f]{32}$/i.test(digits) ? [BigInt(`0x${digits}`)] : json;
  }
  if (special !== undefined) return typeof json === 'number' || typeof json === 'bigint' ? [json] : json;
  if (!Array.isArray(json) || json.length !== type.elements.length) return json;
  return json.map((part, i) => toSatsJson(type.elements[i]!.type, part, typespace));
}

function onlyText(json: JsonValue): string | undefined {
  const [only, ...more] = Array.isArray(json) ? json : [json];
  return typeof only === 'string' && more.length === 0 ? only : undefined;
}

function sumToSats(type: SumType, json: JsonValue, typespace: Typespace): JsonValue {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return json;
  const entries = Object.entries(json).map(([key, payload]): [string, JsonValue] => {
    const variant = /^[0-9]{1,3}$/.test(key)
      ? type.variants[Number(key)]
      : type.variants.find(({ name }) => name === key);
    return [key, variant === undefined ? payload : toSatsJson(variant.type, payload, typespace)];
  });
  return Object.fromEntries(entries);
}

/** JSON that `parseJson` has read, as text again; integers keep their digits. */
export function stringifyJson(json: JsonValue): string {
  if (typeof json === 'bigint') return String(json);
  if (typeof json === 'number') return encodeFloat(json);
  if (Array.isArray(json)) return `[${json.map(stringifyJson).join(',')}]`;
  if (typeof json !== 'object' || json === null) return JSON.stringify(json);
  const parts = Object.entries(json).map(([name, part]) => `${JSON.stringify(name)}:${stringifyJson(part)}`);
  return `{${parts.join(',')}}`;
}
