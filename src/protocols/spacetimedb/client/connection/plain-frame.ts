import { ByteReader } from '../../../../base/byte-reader.js';
import { Compression } from '../../messages/frame.js';
import { ConnectionError } from '../errors.js';

/** The messages of a server's frame. Throws ConnectionError for one that is compressed: none of our clients asks for that. */
export function openPlainFrame(frame: Uint8Array): ByteReader {
  const reader = new ByteReader(frame);
  const compression = reader.readU8();
  if (compression === Compression.none) return reader;
  throw new ConnectionError('PROTOCOL', `a frame is compressed (${compression}), which was not asked for`);
}
