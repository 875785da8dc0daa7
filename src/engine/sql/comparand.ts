import type { ConnectionId, Identity } from '../../values/identity.js';
import type { Timestamp } from '../../values/timestamp.js';
import type { Uuid } from '../../values/uuid.js';
import type { Comparand, ComparableKind } from './comparable-type.js';

/** Turns a column's value into what stands for it in comparisons. */
export type ToComparand = (value: unknown) => Comparand;

const asItIs: ToComparand = (value) => value as Comparand;

/** Reverses the little-endian key, so that strings order as the integers do. */
export function bigEndian(key: string): string {
  let reversed = '';
  for (let index = key.length - 1; index >= 0; index--) reversed += key[index]!;
  return reversed;
}

export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

const TO_COMPARAND: Readonly<Record<ComparableKind, ToComparand>> = {
  bool: asItIs,
  integer: asItIs,
  bigInteger: asItIs,
  // Adding 0 turns -0 into 0.
  float: (value) => (value as number) + 0,
  string: asItIs,
  bytes: (value) => latin1(value as Uint8Array),
  identity: (value) => bigEndian((value as Identity).key),
  connectionId: (value) => bigEndian((value as ConnectionId).key),
  uuid: (value) => bigEndian((value as Uuid).key),
  timestamp: (value) => (value as Timestamp).__timestamp_micros_since_unix_epoch__,
};

export function toComparand(kind: ComparableKind): ToComparand {
  return TO_COMPARAND[kind];
}

/** Like `toComparand` where only equality matters, and cheaper for the kinds whose keys are at hand. */
export function toEqualityComparand(kind: ComparableKind): ToComparand {
  return kind === 'identity' || kind === 'connectionId' || kind === 'uuid' ? keyOf : TO_COMPARAND[kind];
}

function keyOf(value: unknown): string {
  return (value as { readonly key: string }).key;
}

/** What equal comparands share and others do not, as a Map key: never a bigint, whose hash an attacker can collide. */
export function comparandKey(comparand: Comparand): number | string | boolean {
  if (typeof comparand !== 'bigint') return comparand;
  const isExact = comparand <= Number.MAX_SAFE_INTEGER && comparand >= Number.MIN_SAFE_INTEGER;
  return isExact ? Number(comparand) : comparand.toString(36);
}

/** Negative, zero or positive, as values of the kind are ordered. */
export function compareComparands(kind: ComparableKind, a: Comparand, b: Comparand): number {
  if (kind === 'string') return compareUtf8(a as string, b as string);
  if (kind === 'float') return compareFloats(a as number, b as number);
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The order of the UTF-8 bytes, which is that of code points; JavaScript's own puts surrogates before U+E000. */
export function compareUtf8(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index++) {
    const [unitA, unitB] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unitA === unitB) continue;
    const isOneSurrogate = isSurrogate(unitA) !== isSurrogate(unitB);
    if (!isOneSurrogate) return unitA - unitB;
    return isSurrogate(unitA) ? (unitB >= 0xe000 ? 1 : unitA - unitB) : unitA >= 0xe000 ? -1 : unitA - unitB;
  }
  return a.length - b.length;
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff;
}

/** A total order: NaN equals itself and is greater than everything else. */
export function compareFloats(a: number, b: number): number {
  if (a < b) return -1;
  if (a > b) return 1;
  if (a === b) return 0;
  return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
}
