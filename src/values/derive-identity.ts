import { blake3 } from '@noble/hashes/blake3.js';
import { Identity } from './identity.js';

/* Layout of an identity, big-endian: C2 00 | check sum, 4 bytes | hash of issuer and subject, 26 bytes */

const PREFIX = Uint8Array.of(0xc2, 0x00);
const CHECK_SUM_BYTES = 4;
const HASH_BYTES = 26;

const utf8 = new TextEncoder();

/**
 * Who the `subject` of an `issuer` is: always the same identity, on every server.
 *
 * @example
 * deriveIdentity('localhost', 'test-subject').toHexString() // 'c200b3ce65d9…'
 */
export function deriveIdentity(issuer: string, subject: string): Identity {
  const hash = blake3(utf8.encode(`${issuer}|${subject}`)).subarray(0, HASH_BYTES);
  const checked = new Uint8Array(PREFIX.length + HASH_BYTES);
  checked.set(PREFIX);
  checked.set(hash, PREFIX.length);
  const identity = new Uint8Array(32);
  identity.set(PREFIX);
  identity.set(blake3(checked).subarray(0, CHECK_SUM_BYTES), PREFIX.length);
  identity.set(hash, PREFIX.length + CHECK_SUM_BYTES);
  return Identity.fromBytes(identity.reverse());
}
