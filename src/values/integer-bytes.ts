/*
 * Wide integers as little-endian bytes and as keys. A key is a latin1 string of the bytes: V8 hashes only the
 * low 64 bits of a bigint, so a bigint must never be the key of a Map.
 */

const MASK_64 = 0xffff_ffff_ffff_ffffn;

/** Node's own slice works on any Uint8Array; elsewhere the characters are joined one by one. */
type Latin1Slice = (this: Uint8Array, start: number, end: number) => string;
const latin1Slice = (globalThis as { Buffer?: { prototype?: { latin1Slice?: Latin1Slice } } }).Buffer
  ?.prototype?.latin1Slice;

/** A latin1 string of bytes start..end: the same text for the same bytes, and a cheap Map key. */
export function bytesToKey(bytes: Uint8Array, start = 0, end = bytes.length): string {
  if (latin1Slice !== undefined && end - start >= 16) return latin1Slice.call(bytes, start, end);
  let key = '';
  for (let i = start; i < end; i++) key += String.fromCharCode(bytes[i]!);
  return key;
}

/** Writes a latin1 key back as bytes. */
export function keyToBytes(key: string, target: Uint8Array, offset: number): void {
  for (let i = 0; i < key.length; i++) target[offset + i] = key.charCodeAt(i);
}

/** The unsigned integer whose little-endian bytes (a multiple of 8) are `key`. */
export function keyToBigint(key: string): bigint {
  const bytes = new Uint8Array(key.length);
  keyToBytes(key, bytes, 0);
  return readUnsigned(new DataView(bytes.buffer), 0, key.length);
}

/** The key of the lowest `byteCount` bytes of `value` (two's complement when negative). */
export function bigintToKey(value: bigint, byteCount: number): string {
  const bytes = new Uint8Array(byteCount);
  writeInteger(new DataView(bytes.buffer), 0, value, byteCount);
  return bytesToKey(bytes);
}

/** Little-endian unsigned integer of `byteCount` bytes, a multiple of 8. */
export function readUnsigned(view: DataView, offset: number, byteCount: number): bigint {
  let value = view.getBigUint64(offset + byteCount - 8, true);
  for (let at = byteCount - 16; at >= 0; at -= 8)
    value = (value << 64n) | view.getBigUint64(offset + at, true);
  return value;
}

/** Little-endian two's complement integer of `byteCount` bytes, a multiple of 8. */
export function readSigned(view: DataView, offset: number, byteCount: number): bigint {
  let value = view.getBigInt64(offset + byteCount - 8, true);
  for (let at = byteCount - 16; at >= 0; at -= 8)
    value = (value << 64n) | view.getBigUint64(offset + at, true);
  return value;
}

/** Writes the lowest `byteCount` bytes (a multiple of 8) of a signed or unsigned integer, little-endian. */
export function writeInteger(view: DataView, offset: number, value: bigint, byteCount: number): void {
  let rest = value;
  for (let at = 0; at < byteCount; at += 8) {
    view.setBigUint64(offset + at, rest & MASK_64, true);
    rest >>= 64n;
  }
}
