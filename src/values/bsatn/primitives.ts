import type { ByteReader } from '../../base/byte-reader.js';
import type { ByteWriter } from '../../base/byte-writer.js';
import { WireError } from '../../base/wire-error.js';
import type { PrimitiveKind } from '../algebraic-type.js';
import { ConnectionId, Identity } from '../identity.js';
import { bytesToKey, keyToBytes, readSigned, readUnsigned, writeInteger } from '../integer-bytes.js';
import type { SpecialProduct } from '../special-types.js';
import { TimeDuration, Timestamp } from '../timestamp.js';
import { Uuid } from '../uuid.js';
import { DEPTH_MAX, EMPTY_ELEMENTS_MAX } from './measure.js';

/* The steps that generated code and closures share: what a value must be, and the parts that are not one instruction. */

/** Thrown inside an encoder and turned into a WireError that names the place by `explainMismatch`. */
export class Mismatch extends Error {}

export function failMismatch(): never {
  throw new Mismatch('the value does not fit its type');
}

export function failDepth(): never {
  throw new WireError('TOO_DEEP', `the value is nested more than ${DEPTH_MAX} levels deep`, {
    max: DEPTH_MAX,
  });
}

export function failTag(tag: number, offset: number): never {
  throw new WireError('BAD_TAG', `there is no variant with tag ${tag}, at offset ${offset}`, { tag, offset });
}

export function failBool(byte: number, offset: number): never {
  throw new WireError('BAD_BOOL', `a bool is 0 or 1, got ${byte} at offset ${offset}`, { offset });
}

/** Refuses a count whose elements cannot be in the bytes that are left, before anything is allocated for them. */
export function checkCount(reader: ByteReader, count: number, minBytes: number): void {
  if (minBytes > 0) reader.need(count * minBytes);
  else checkEmptyCount(count);
}

/** Elements without bytes: the same limit when encoding, so that what was written can be read. */
export function checkEmptyCount(count: number): void {
  if (count > EMPTY_ELEMENTS_MAX) {
    throw new WireError(
      'BAD_LENGTH',
      `an array of empty elements has at most ${EMPTY_ELEMENTS_MAX}, got ${count}`,
      {
        count,
        max: EMPTY_ELEMENTS_MAX,
      },
    );
  }
}

const UNSIGNED_ENDS = new Map([64, 128, 256].map((bits) => [bits, 1n << BigInt(bits)]));

export function fitsUnsigned(value: unknown, bits: number): value is bigint {
  return typeof value === 'bigint' && value >= 0n && value < UNSIGNED_ENDS.get(bits)!;
}

export function fitsSigned(value: unknown, bits: number): value is bigint {
  return typeof value === 'bigint' && BigInt.asIntN(bits, value) === value;
}

const isNumber = (value: unknown): boolean => typeof value === 'number';

/** Whether a JavaScript value is one of the primitive type, and in its range. */
export const PRIMITIVE_CHECKS: Readonly<Record<PrimitiveKind, (value: unknown) => boolean>> = {
  string: (value) => typeof value === 'string',
  bool: (value) => typeof value === 'boolean',
  i8: (value) => isNumber(value) && ((value as number) << 24) >> 24 === value,
  u8: (value) => isNumber(value) && ((value as number) & 255) === value,
  i16: (value) => isNumber(value) && ((value as number) << 16) >> 16 === value,
  u16: (value) => isNumber(value) && ((value as number) & 65535) === value,
  i32: (value) => isNumber(value) && ((value as number) | 0) === value,
  u32: (value) => isNumber(value) && (value as number) >>> 0 === value,
  i64: (value) => typeof value === 'bigint' && BigInt.asIntN(64, value) === value,
  u64: (value) => typeof value === 'bigint' && BigInt.asUintN(64, value) === value,
  i128: (value) => fitsSigned(value, 128),
  u128: (value) => fitsUnsigned(value, 128),
  i256: (value) => fitsSigned(value, 256),
  u256: (value) => fitsUnsigned(value, 256),
  f32: isNumber,
  f64: isNumber,
};

export function isPrimitive(kind: PrimitiveKind, value: unknown): boolean {
  return PRIMITIVE_CHECKS[kind](value);
}

export function readWide(reader: ByteReader, kind: string): bigint {
  const byteCount = Number(kind.slice(1)) / 8;
  const { view, offset } = reader;
  reader.need(byteCount);
  reader.offset += byteCount;
  return kind[0] === 'u' ? readUnsigned(view, offset, byteCount) : readSigned(view, offset, byteCount);
}

export function writeWide(writer: ByteWriter, value: bigint, byteCount: number): void {
  writer.reserve(byteCount);
  writeInteger(writer.view, writer.length, value, byteCount);
  writer.length += byteCount;
}

/** What the special products are made of: bytes behind a key, or one signed 64-bit integer. */
export const SPECIALS = {
  identity: { field: '__identity__', byteCount: 32, isKeyed: true },
  connectionId: { field: '__connection_id__', byteCount: 16, isKeyed: true },
  uuid: { field: '__uuid__', byteCount: 16, isKeyed: true },
  timestamp: { field: '__timestamp_micros_since_unix_epoch__', byteCount: 8, isKeyed: false },
  timeDuration: { field: '__time_duration_micros__', byteCount: 8, isKeyed: false },
} as const satisfies Record<SpecialProduct, { field: string; byteCount: number; isKeyed: boolean }>;

/** The key of an Identity; also of what another copy of this package made. */
export function identityKey(value: unknown): string {
  if (value instanceof Identity) return value.key;
  return new Identity(wideOf(value, '__identity__', 256)).key;
}

export function connectionIdKey(value: unknown): string {
  if (value instanceof ConnectionId) return value.key;
  return new ConnectionId(wideOf(value, '__connection_id__', 128)).key;
}

export function uuidKey(value: unknown): string {
  if (value instanceof Uuid) return value.key;
  return new Uuid(wideOf(value, '__uuid__', 128)).key;
}

/** The integer of a Timestamp or TimeDuration. */
export function microsOf(value: unknown, field: string): bigint {
  const micros = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  return fitsSigned(micros, 64) ? micros : failMismatch();
}

function wideOf(value: unknown, field: string, bits: number): bigint {
  const wide = typeof value === 'object' && value !== null ? Reflect.get(value, field) : undefined;
  return fitsUnsigned(wide, bits) ? wide : failMismatch();
}

export function isSpecialValue(special: SpecialProduct, value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { field, byteCount, isKeyed } = SPECIALS[special];
  const inner: unknown = Reflect.get(value, field);
  return isKeyed ? fitsUnsigned(inner, byteCount * 8) : fitsSigned(inner, 64);
}

export function writeSpecial(writer: ByteWriter, special: SpecialProduct, value: unknown): void {
  const { field, byteCount, isKeyed } = SPECIALS[special];
  if (!isKeyed) return writer.writeI64(microsOf(value, field));
  writer.reserve(byteCount);
  keyToBytes(specialKey(special, value), writer.bytes, writer.length);
  writer.length += byteCount;
}

function specialKey(special: SpecialProduct, value: unknown): string {
  if (special === 'identity') return identityKey(value);
  return special === 'uuid' ? uuidKey(value) : connectionIdKey(value);
}

export function readSpecial(reader: ByteReader, special: SpecialProduct): unknown {
  if (special === 'timestamp') return new Timestamp(reader.readI64());
  if (special === 'timeDuration') return new TimeDuration(reader.readI64());
  const { byteCount } = SPECIALS[special];
  reader.need(byteCount);
  const key = bytesToKey(reader.bytes, reader.offset, reader.offset + byteCount);
  reader.offset += byteCount;
  if (special === 'identity') return Identity.fromKey(key);
  return special === 'uuid' ? Uuid.fromKey(key) : ConnectionId.fromKey(key);
}

/** array<u8>: a Uint8Array, or numbers that are bytes. */
export function writeByteArray(writer: ByteWriter, value: unknown): void {
  if (value instanceof Uint8Array) return writer.writeBytes(value);
  if (!Array.isArray(value) || !value.every((byte) => isPrimitive('u8', byte))) failMismatch();
  writer.writeBytes(Uint8Array.from(value as number[]));
}

/** array<u8> as a copy: a row must not hold on to the message it came in. */
export function readByteArray(reader: ByteReader): Uint8Array {
  return new Uint8Array(reader.readBytes());
}

/** The variant of a result; both at once, or neither, is a mistake. */
export function resultTag(value: object): 'ok' | 'err' {
  const isOk = Object.hasOwn(value, 'ok');
  if (isOk === Object.hasOwn(value, 'err')) failMismatch();
  return isOk ? 'ok' : 'err';
}
