import { makeBinarySerializer } from './binary.js';
import { openCborList, skipCbor } from './cbor-skip.js';
import { decodeCbor, encodeCbor } from './cbor-values.js';
import type { Serializer } from './serializer.js';

/* Serializer "cbor". */

export const cborSerializer: Serializer = makeBinarySerializer({
  name: 'cbor',
  rawSocketId: 3,
  listHeader: 0x80,
  skip: skipCbor,
  openList: openCborList,
  encodeValue: encodeCbor,
  decodeValue: decodeCbor,
});
