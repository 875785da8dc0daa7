import { decodeMsgpack, encodeMsgpack } from '../../messages/msgpack-values.js';
import { makeSerializer } from './serializer.js';
import type { Serializer } from './serializer.js';

export const msgpackSerializer: Serializer = makeSerializer({
  name: 'msgpack',
  isBinary: true,
  rawSocketId: 2,
  encodeValue: encodeMsgpack,
  decodeValue: decodeMsgpack,
});
