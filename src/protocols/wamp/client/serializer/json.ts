import { decodeJson, encodeJson } from '../../messages/json-values.js';
import { makeSerializer } from './serializer.js';
import type { Serializer } from './serializer.js';

export const jsonSerializer: Serializer = makeSerializer({
  name: 'json',
  isBinary: false,
  rawSocketId: 1,
  encodeValue: encodeJson,
  decodeValue: decodeJson,
});
