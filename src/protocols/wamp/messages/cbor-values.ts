import { decode, encode, type TagDecoder, Token, Type } from 'cborg';

/*
 * Values in CBOR. Ids past 2^32 are 64-bit integers and come back as numbers, integers past 2^53 as bigints.
 * Big integers (tags 2 and 3) are bigints; other tags give the value that they are on.
 */

function bigintOf(octets: unknown): bigint {
  if (!(octets instanceof Uint8Array)) throw new TypeError('a big integer is not octets');
  let hex = '';
  for (const octet of octets) hex += octet.toString(16).padStart(2, '0');
  return hex === '' ? 0n : BigInt(`0x${hex}`);
}

const KNOWN_TAGS: Readonly<Record<string, TagDecoder>> = {
  2: (inner) => bigintOf(inner()),
  3: (inner) => -1n - bigintOf(inner()),
};
const plainTag: TagDecoder = (inner) => inner();
// Whatever the number of the tag, there is a decoder for it.
const tags = new Proxy<Record<number, TagDecoder>>(
  {},
  { get: (_target, tag) => KNOWN_TAGS[String(tag)] ?? plainTag },
);

// Dates have no plain type in CBOR; as in JSON they are texts.
const typeEncoders = {
  Date: (date: Date) => new Token(Type.string, date.toISOString()),
};

export function encodeCbor(value: unknown): Uint8Array {
  return encode(value, { typeEncoders, ignoreUndefinedProperties: true });
}

/** The one value that `bytes` are. Throws whatever the package throws. */
export function decodeCbor(bytes: Uint8Array): unknown {
  return decode(bytes, { tags, coerceUndefinedToNull: true });
}
