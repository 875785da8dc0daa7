import type { ByteReader } from '../../base/byte-reader.js';
import type { ByteWriter } from '../../base/byte-writer.js';
import type { AlgebraicType } from '../algebraic-type.js';
import { ConnectionId, Identity } from '../identity.js';
import { bytesToKey, keyToBytes, readSigned, readUnsigned, writeInteger } from '../integer-bytes.js';
import { TimeDuration, Timestamp } from '../timestamp.js';
import { Uuid } from '../uuid.js';
import { emitDecoder } from './generate-decoder.js';
import { emitEncoder } from './generate-encoder.js';
import { DEPTH_MAX } from './measure.js';
import type { TypeMeasurer } from './measure.js';
import * as primitives from './primitives.js';
import { SharedCode } from './shared-code.js';

/* Codecs as generated code: one function per referenced type, one bounds check per run of fields of fixed size. */

/** A codec that knows how deep in the value it stands. */
export interface NestedCodec {
  encode(writer: ByteWriter, value: unknown, depth: number): void;
  decode(reader: ByteReader, depth: number): unknown;
}

/** What the generated code may use; it sees nothing else of ours. */
const runtime = {
  ...primitives,
  bytesToKey, keyToBytes, readSigned, readUnsigned, writeInteger,
  Identity, ConnectionId, Timestamp, TimeDuration, Uuid,
}; // prettier-ignore

export function generateCodec(type: AlgebraicType, measurer: TypeMeasurer): NestedCodec {
  const source = generateSource(type, measurer);
  // eslint-disable-next-line typescript/no-implied-eval -- every name from a schema went through `quote`.
  const make = new Function('runtime', source) as (given: typeof runtime) => NestedCodec;
  return make(runtime);
}

/** The text of the code. Exported for the tests that look for what a schema could smuggle in. */
export function generateSource(type: AlgebraicType, measurer: TypeMeasurer): string {
  const functions: string[] = [];
  const shared = new SharedCode();
  functions.push(emitFunctions('', type, measurer, shared, false));
  for (let ref = shared.takeRef(); ref !== undefined; ref = shared.takeRef()) {
    functions.push(emitFunctions(String(ref), measurer.target(ref), measurer, shared, true));
  }
  const names = Object.keys(runtime).join(', ');
  return `'use strict';\nconst { ${names} } = runtime;\n${shared.constants}\n${functions.join('\n')}\nreturn { encode, decode };`;
}

function emitFunctions(
  suffix: string,
  type: AlgebraicType,
  measurer: TypeMeasurer,
  shared: SharedCode,
  isNested: boolean,
): string {
  const guard = isNested ? `if (depth > ${DEPTH_MAX}) failDepth();\n` : '';
  return [
    `function encode${suffix}(w, x, depth) {\n${guard}${emitEncoder(type, measurer, shared)}}`,
    `function decode${suffix}(r, depth) {\n${guard}const b = r.bytes, v = r.view;\n${emitDecoder(type, measurer, shared)}}`,
  ].join('\n');
}
