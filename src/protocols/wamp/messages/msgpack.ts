import { Decoder, Encoder, ExtensionCodec } from '@msgpack/msgpack';

import { makeBinarySerializer } from './binary.js';
import { MessageError } from './message-error.js';
import { openMsgpackList, skipMsgpack } from './msgpack-skip.js';
import type { Serializer } from './serializer.js';

/*
 * Serializer "msgpack". Ids past 2^32 are 64-bit integers and come back as numbers. What is nested too deep, cut off
 * or lies about its length is found by the walk over the octets, before anything is decoded.
 */

// What msgpackr, and so wampy, writes for undefined: it is null, as in JSON lists.
const extensionCodec = new ExtensionCodec();
extensionCodec.register({ type: 0, encode: () => null, decode: () => null });

// One of each: they keep their buffers, which are some 2 KiB.
const encoder = new Encoder();
const decoder = new Decoder({ extensionCodec });

export const msgpackSerializer: Serializer = makeBinarySerializer({
  name: 'msgpack',
  rawSocketId: 2,
  listHeader: 0x90,
  skip: skipMsgpack,
  openList: openMsgpackList,
  encodeValue: (value) => encoder.encode(hasBigint(value) ? narrowBigints(value) : value),
  decodeValue: (bytes) => decoder.decode(bytes),
});

function hasBigint(value: unknown): boolean {
  if (typeof value === 'bigint') return true;
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return false;
  if (Array.isArray(value)) return value.some(hasBigint);
  for (const key in value) if (hasBigint((value as Record<string, unknown>)[key])) return true;
  return false;
}

/** The package encodes all bigints or none: those that are numbers become numbers. */
function narrowBigints(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    if (Number.isSafeInteger(number)) return number;
    throw new MessageError('UNENCODABLE', `an integer past 2^53: ${value}`);
  }
  if (Array.isArray(value)) return value.map(narrowBigints);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, narrowBigints(inner)]));
}
