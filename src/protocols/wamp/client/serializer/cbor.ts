import { decodeCbor, encodeCbor } from '../../messages/cbor-values.js';
import { makeSerializer } from './serializer.js';
import type { Serializer } from './serializer.js';

export const cborSerializer: Serializer = makeSerializer({
  name: 'cbor',
  isBinary: true,
  rawSocketId: 3,
  encodeValue: encodeCbor,
  decodeValue: (data) => decodeCbor(data as Uint8Array),
});
