import { makeBinarySerializer } from './binary.js';
import { openMsgpackList, skipMsgpack } from './msgpack-skip.js';
import { decodeMsgpack, encodeMsgpack } from './msgpack-values.js';
import type { Serializer } from './serializer.js';

/*
 * Serializer "msgpack". Ids past 2^32 are 64-bit integers and come back as numbers. What is nested too deep, cut off
 * or lies about its length is found by the walk over the octets, before anything is decoded.
 */

export const msgpackSerializer: Serializer = makeBinarySerializer({
  name: 'msgpack',
  rawSocketId: 2,
  listHeader: 0x90,
  skip: skipMsgpack,
  openList: openMsgpackList,
  encodeValue: encodeMsgpack,
  decodeValue: decodeMsgpack,
});
