import { assertNever } from '../../base/assert.js';
import { resolveType } from '../../values/algebraic-type.js';
import type { AlgebraicType, PrimitiveKind, Typespace } from '../../values/algebraic-type.js';
import { ConnectionId, Identity } from '../../values/identity.js';
import { Uuid } from '../../values/uuid.js';
import type { Literal } from './ast.js';
import type { ComparableKind } from './comparable-type.js';
import { parseTimestamp } from './timestamp-text.js';

/** More decimal digits than the widest integer (256 bits) has. A longer integer does not fit, whatever its digits. */
const INTEGER_DIGITS_MAX = 78;

/** The literal as a value of the column's type, as rows hold it; undefined when it is none. */
export function literalValue(
  literal: Literal,
  kind: ComparableKind,
  type: AlgebraicType,
  typespace: Typespace,
): unknown {
  const { form, value } = literal;
  switch (kind) {
    case 'bool':
      return form === 'bool' ? value === 'true' : undefined;
    case 'integer':
    case 'bigInteger':
      return form === 'number'
        ? integerOf(value, resolveType(type, typespace).kind as PrimitiveKind)
        : undefined;
    case 'float':
      return form === 'number' ? floatOf(value, resolveType(type, typespace).kind === 'f32') : undefined;
    case 'string':
      return form === 'string' ? wellFormed(value) : undefined;
    case 'bytes':
      return form === 'hex' ? bytesOf(value) : undefined;
    case 'identity':
      return isHex(literal, 64) ? new Identity(BigInt(`0x${hexDigits(literal)}`)) : undefined;
    case 'connectionId':
      return isHex(literal, 32) ? new ConnectionId(BigInt(`0x${hexDigits(literal)}`)) : undefined;
    case 'uuid':
      return uuidOf(literal);
    case 'timestamp':
      return form === 'string' ? parseTimestamp(value) : undefined;
    default:
      return assertNever(kind);
  }
}

/** What the type's literals look like, for a hint. */
export function literalHint(kind: ComparableKind): string {
  return HINTS[kind];
}

const HINTS: Readonly<Record<ComparableKind, string>> = {
  bool: 'Write `true` or `false`.',
  integer: 'Write a whole number that the type can hold.',
  bigInteger: 'Write a whole number that the type can hold.',
  float: 'Write a number, e.g. `1.5`.',
  string: "Write it in single quotes: `'text'`.",
  bytes: "Write hexadecimal digits, two per byte: `0x00ff` or `X'00ff'`.",
  identity: 'Write `:sender` or 64 hexadecimal digits after `0x`.',
  connectionId: 'Write 32 hexadecimal digits after `0x`.',
  uuid: "Write `'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx'` in hexadecimal digits.",
  timestamp: "Write it as `'2025-01-01T00:00:00Z'`.",
};

/** Exact, so that 2^53 and beyond stay what they are; `1e3` and `2.50e1` are integers too. */
export function parseInteger(text: string): bigint | undefined {
  const parts = /^(-?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/.exec(text);
  if (parts === null) return undefined;
  const [, sign = '', whole = '', fraction = '', exponentText = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return 0n;
  const zeros = digits.length - significant.length + Number(exponentText) - fraction.length;
  if (zeros < 0 || significant.length + zeros > INTEGER_DIGITS_MAX) return undefined;
  return BigInt(`${sign}${significant}${'0'.repeat(zeros)}`);
}

function integerOf(text: string, kind: PrimitiveKind): number | bigint | undefined {
  const value = parseInteger(text);
  if (value === undefined) return undefined;
  const bits = Number(kind.slice(1));
  const fitting = kind.startsWith('i') ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value);
  if (fitting !== value) return undefined;
  return bits <= 32 ? Number(value) : value;
}

function floatOf(text: string, isSingle: boolean): number | undefined {
  const value = isSingle ? Math.fround(Number(text)) : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

function bytesOf(digits: string): Uint8Array | undefined {
  if (digits.length % 2 !== 0) return undefined;
  const bytes = new Uint8Array(digits.length / 2);
  for (let index = 0; index < bytes.length; index++) {
    bytes[index] = Number.parseInt(digits.slice(index * 2, index * 2 + 2), 16);
  }
  return bytes;
}

/** Lone surrogates become U+FFFD, as they do in stored rows. */
function wellFormed(text: string): string {
  return (text as string & { toWellFormed(): string }).toWellFormed();
}

function uuidOf(literal: Literal): Uuid | undefined {
  if (isHex(literal, 32)) return new Uuid(BigInt(`0x${hexDigits(literal)}`));
  const isText = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(literal.value);
  if (literal.form !== 'string' || !isText) return undefined;
  return new Uuid(BigInt(`0x${literal.value.replaceAll('-', '')}`));
}

/** `0x…` or the same digits in quotes, with or without `0x`. */
function isHex(literal: Literal, digits: number): boolean {
  if (literal.form !== 'hex' && literal.form !== 'string') return false;
  const text = hexDigits(literal);
  return text.length === digits && /^[0-9a-fA-F]+$/.test(text);
}

function hexDigits(literal: Literal): string {
  return literal.form === 'string' && literal.value.startsWith('0x') ? literal.value.slice(2) : literal.value;
}
