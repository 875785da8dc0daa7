import { ByteReader } from '../../base/byte-reader.js';
import { ByteWriter } from '../../base/byte-writer.js';
import { WireError } from '../../base/wire-error.js';
import { EMPTY_TYPESPACE } from '../algebraic-type.js';
import type { AlgebraicType, Typespace } from '../algebraic-type.js';
import { closeCodec } from './closures.js';
import { explainMismatch } from './explain-mismatch.js';
import { generateCodec } from './generate.js';
import type { NestedCodec } from './generate.js';
import { TypeMeasurer } from './measure.js';

/*
 * BSATN: little-endian, without padding, not self-describing.
 *
 * | type                      | bytes                                                          |
 * | bool                      | u8, 0 or 1                                                     |
 * | u8..u256, i8..i256        | 1, 2, 4, 8, 16, 32 bytes, two's complement                     |
 * | f32, f64                  | IEEE 754 bits                                                  |
 * | string                    | u32 byte length, UTF-8                                         |
 * | array                     | u32 count, elements; of u8: the bytes themselves               |
 * | product                   | fields in order                                                |
 * | sum                       | u8 tag, payload                                                |
 * | option                    | 0 and the value, or 1                                          |
 * | result                    | 0 and the ok value, or 1 and the err value                     |
 * | Identity                  | 32 bytes; ConnectionId, Uuid 16; Timestamp, TimeDuration 8     |
 */

export { DEPTH_MAX, fixedSize } from './measure.js';

export interface Codec<T = unknown> {
  /**
   * Appends the value. Throws WireError naming the place when the value does not fit the type, for example
   * `player.name: expected string, got number`; the writer is then as it was before.
   */
  encode(writer: ByteWriter, value: T): void;
  /** Reads one value; what follows stays in the reader. Throws WireError for bytes that are not one. */
  decode(reader: ByteReader): T;
}

export interface CodecOptions {
  /** What the value is called in errors; nothing when absent. */
  readonly name?: string;
  /** False for closures instead of generated code. The default is what the platform allows. */
  readonly codegen?: boolean;
}

/**
 * Makes the codec of a type. Costs much more than a value: make it once and keep it.
 * Throws WireError when the type is not one that we take (see measure.ts).
 *
 * @example
 * const point = compileCodec(productType({ x: primitiveType('i32'), y: primitiveType('i32') }));
 * encodeToBytes(point, { x: 1, y: 2 }) // 01000000 02000000
 */
export function compileCodec<T = unknown>(
  type: AlgebraicType,
  typespace: Typespace = EMPTY_TYPESPACE,
  options: CodecOptions = {},
): Codec<T> {
  const measurer = new TypeMeasurer(typespace);
  measurer.measure(type);
  const usesCode = (options.codegen ?? true) && canGenerate();
  const nested = usesCode ? generateCodec(type, measurer) : closeCodec(type, measurer);
  return guardCodec<T>(nested, (value) => explainMismatch(type, value, measurer, options.name ?? ''));
}

let isEvalAllowed: boolean | undefined;

/** Whether `new Function` works here; asked once, because a policy may report every attempt. */
function canGenerate(): boolean {
  if (isEvalAllowed === undefined) {
    try {
      // eslint-disable-next-line typescript/no-implied-eval -- a constant.
      isEvalAllowed = new Function('return true')() === true;
    } catch {
      isEvalAllowed = false;
    }
  }
  return isEvalAllowed;
}

function guardCodec<T>(nested: NestedCodec, explain: (value: unknown) => WireError | undefined): Codec<T> {
  return {
    encode(writer, value) {
      const start = writer.length;
      try {
        nested.encode(writer, value, 0);
      } catch (error) {
        writer.length = start;
        throw explain(value) ?? error;
      }
    },
    decode: (reader) => nested.decode(reader, 0) as T,
  };
}

/** 1 MiB: a writer that grew further is not kept for the next value. */
const KEPT_CAPACITY_MAX = 1024 * 1024;
let keptWriter: ByteWriter | undefined = new ByteWriter(1024);

/** The bytes of one value. */
export function encodeToBytes<T>(codec: Codec<T>, value: T): Uint8Array<ArrayBuffer> {
  // Taken out while in use: a getter of the value may encode something itself.
  const writer = keptWriter ?? new ByteWriter();
  keptWriter = undefined;
  try {
    codec.encode(writer, value);
    return writer.finish();
  } finally {
    if (writer.bytes.length <= KEPT_CAPACITY_MAX) keptWriter = writer;
    else keptWriter = new ByteWriter(1024);
  }
}

/** The value that the bytes are, all of them: TRAILING_BYTES when something is left. */
export function decodeFromBytes<T>(codec: Codec<T>, bytes: Uint8Array): T {
  const reader = new ByteReader(bytes);
  const value = codec.decode(reader);
  reader.expectEnd();
  return value;
}
