import { blake3 } from '@noble/hashes/blake3.js';
import { encodeHex } from '../base/hex.js';
import { Identity } from './identity.js';

/* Layout of an identity, big-endian: C2 00 | check sum, 4 bytes | hash of issuer and subject, 26 bytes */

const PREFIX = Uint8Array.of(0xc2, 0x00);

/**
 * Who the `subject` of an `issuer` is: always the same identity, on every server.
 *
 * @example
 * deriveIdentity('localhost', 'test-subject').toHexString() // 'c200b3ce65d9…'
 */
export function deriveIdentity(issuer: string, subject: string): Identity {
  const hash = blake3(new TextEncoder().encode(`${issuer}|${subject}`)).subarray(0, 26);
  const checkSum = blake3(Uint8Array.of(...PREFIX, ...hash)).subarray(0, 4);
  return Identity.fromString(encodeHex(PREFIX) + encodeHex(checkSum) + encodeHex(hash));
}
