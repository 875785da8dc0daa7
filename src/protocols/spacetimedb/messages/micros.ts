import type { ByteReader } from '../../../base/byte-reader.js';
import type { ByteWriter } from '../../../base/byte-writer.js';
import { WireError } from '../../../base/wire-error.js';

const TWO_32 = 0x1_0000_0000;

/**
 * Writes an i64 of microseconds that is a whole number in JavaScript (exact up to the year 2255), without making a
 * bigint: there is one in every reducer's result.
 */
export function writeMicros(writer: ByteWriter, micros: number): void {
  writer.reserve(8);
  const high = Math.floor(micros / TWO_32);
  writer.view.setUint32(writer.length, micros - high * TWO_32, true);
  writer.view.setInt32(writer.length + 4, high, true);
  writer.length += 8;
}

/** Reads an i64 of microseconds; what a number cannot hold exactly is refused. */
export function readMicros(reader: ByteReader): number {
  reader.need(8);
  const low = reader.view.getUint32(reader.offset, true);
  const high = reader.view.getInt32(reader.offset + 4, true);
  const micros = high * TWO_32 + low;
  if (!Number.isSafeInteger(micros)) {
    throw new WireError('OUT_OF_RANGE', `microseconds at offset ${reader.offset} are beyond 2^53`, {
      offset: reader.offset,
    });
  }
  reader.offset += 8;
  return micros;
}
