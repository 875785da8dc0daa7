import type { Random } from '../base/random.js';
import { bigintToKey, bytesToKey, keyToBigint, keyToBytes } from './integer-bytes.js';
import type { Timestamp } from './timestamp.js';

/*
 * A UUID as an unsigned 128-bit integer: the big-endian reading of its RFC 9562 bytes.
 *
 * | version 7 as made here | bits | where (big-endian bytes)            |
 * | unix milliseconds      |   48 | 0..5                                |
 * | version 7              |    4 | 6, high half                        |
 * | counter, high          |   12 | 6 (low half), 7                     |
 * | variant 0b10           |    2 | 8, high                             |
 * | counter, low           |   19 | 8 (low 6 bits), 9, 10 (high 5 bits) |
 * | random                 |   43 | 10 (low 3 bits), 11..15             |
 *
 * The counter of 31 bits lets many identifiers of one millisecond sort in the order in which they were made.
 */

const COUNTER_MASK = 0x7fff_ffff;

export type UuidVersion = 'Nil' | 'V4' | 'V7' | 'Max';

/** A universally unique identifier. */
export class Uuid {
  static readonly NIL = new Uuid(0n);
  static readonly MAX = new Uuid((1n << 128n) - 1n);

  /** The 16 little-endian bytes of the integer as a latin1 string: equal keys are equal identifiers. */
  readonly key: string;
  #value: bigint | undefined;

  /** @param value the unsigned 128-bit integer. @param key internal: the latin1 key, when it is at hand. */
  constructor(value: bigint, key?: string) {
    if (key === undefined && (value < 0n || value >> 128n !== 0n)) {
      throw new RangeError('a uuid is an unsigned integer of 128 bits');
    }
    this.key = key ?? bigintToKey(value, 16);
  }

  static fromKey(key: string): Uuid {
    return new Uuid(0n, key);
  }

  /** @param bytes the 16 bytes in the order of the text, big-endian. */
  static fromBytes(bytes: Uint8Array): Uuid {
    if (bytes.length !== 16) throw new RangeError(`a uuid has 16 bytes, got ${bytes.length}`);
    return Uuid.fromKey(bytesToKey(bytes.slice().reverse()));
  }

  /**
   * Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, or the 32 digits without hyphens; SyntaxError for anything else.
   *
   * @example
   * Uuid.parse('00000000-0000-0000-0000-000000000000').isEqual(Uuid.NIL) // true
   */
  static parse(text: string): Uuid {
    const hyphenated = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(text);
    if (!hyphenated && !/^[0-9a-f]{32}$/i.test(text)) {
      throw new SyntaxError(`a uuid is 32 hexadecimal digits, got ${JSON.stringify(text.slice(0, 80))}`);
    }
    return new Uuid(BigInt(`0x${text.replaceAll('-', '')}`));
  }

  /** A version 4 identifier. @param bytes 16 random bytes; six bits of them are overwritten. */
  static fromRandomBytesV4(bytes: Uint8Array): Uuid {
    if (bytes.length !== 16) throw new RangeError(`16 random bytes are needed, got ${bytes.length}`);
    const copy = bytes.slice();
    copy[6] = (copy[6]! & 0x0f) | 0x40;
    copy[8] = (copy[8]! & 0x3f) | 0x80;
    return Uuid.fromBytes(copy);
  }

  /** A version 4 identifier from a source of random bytes. */
  static randomV4(random: Random): Uuid {
    return Uuid.fromRandomBytesV4(random.fill(new Uint8Array(16)));
  }

  /**
   * A version 7 identifier, which sorts by time and then by counter. Takes the counter's value and steps it,
   * wrapping after 2^31.
   *
   * @param randomBytes at least 6 random bytes, of which the low 43 bits are used.
   */
  static fromCounterV7(counter: { value: number }, now: Timestamp, randomBytes: Uint8Array): Uuid {
    if (randomBytes.length < 6) throw new RangeError(`6 random bytes are needed, got ${randomBytes.length}`);
    const millis = now.toMillis();
    if (millis < 0n || millis >> 48n !== 0n)
      throw new RangeError('a version 7 uuid needs a time from 1970 to 10889');
    const count = counter.value & COUNTER_MASK;
    counter.value = (count + 1) & COUNTER_MASK;
    let random = 0n;
    for (let i = 0; i < 6; i++) random = (random << 8n) | BigInt(randomBytes[i]!);
    const high = (millis << 16n) | 0x7000n | BigInt(count >>> 19);
    const low = (1n << 63n) | (BigInt(count & 0x7_ffff) << 43n) | (random & 0x7ff_ffff_ffffn);
    return new Uuid((high << 64n) | low);
  }

  get __uuid__(): bigint {
    return (this.#value ??= keyToBigint(this.key));
  }

  asBigInt(): bigint {
    return this.__uuid__;
  }

  /** The kind of identifier, or undefined when it is none of those made here. */
  getVersion(): UuidVersion | undefined {
    if (this.__uuid__ === 0n) return 'Nil';
    if (this.isEqual(Uuid.MAX)) return 'Max';
    const version = Number((this.__uuid__ >> 76n) & 0xfn);
    return version === 4 ? 'V4' : version === 7 ? 'V7' : undefined;
  }

  /** The counter of a version 7 identifier made by `fromCounterV7`. */
  getCounter(): number {
    const value = this.__uuid__;
    return Number(((value >> 64n) & 0xfffn) << 19n) + Number((value >> 43n) & 0x7_ffffn);
  }

  /** Negative, zero or positive: the order of the integers, which is the order of the texts. */
  compareTo(other: Uuid): number {
    const [a, b] = [this.__uuid__, other.__uuid__];
    return a < b ? -1 : a > b ? 1 : 0;
  }

  isEqual(other: Uuid): boolean {
    return this.key === other.key;
  }

  equals(other: Uuid): boolean {
    return this.key === other.key;
  }

  /** 16 bytes in the order of the text, big-endian. */
  toBytes(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(16);
    keyToBytes(this.key, bytes, 0);
    return bytes.reverse();
  }

  /** 32 lower-case hexadecimal digits. */
  toHexString(): string {
    return this.__uuid__.toString(16).padStart(32, '0');
  }

  /** `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, lower case. */
  toString(): string {
    const hex = this.toHexString();
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  toJSON(): string {
    return this.toString();
  }
}
