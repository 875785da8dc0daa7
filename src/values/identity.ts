import { systemRandom } from '../base/random.js';
import type { Random } from '../base/random.js';
import { bigintToKey, bytesToKey, keyToBigint, keyToBytes } from './integer-bytes.js';

/** An unsigned integer of fixed size that names something: what identities and connection ids have in common. */
abstract class FixedSizeId {
  /** The little-endian bytes as a latin1 string: equal keys are equal ids. What indexes use. */
  readonly key: string;
  #value: bigint | undefined;

  protected constructor(key: string) {
    this.key = key;
  }

  protected get value(): bigint {
    return (this.#value ??= keyToBigint(this.key));
  }

  isEqual(other: this): boolean {
    return this.key === other.key;
  }

  equals(other: this): boolean {
    return this.key === other.key;
  }

  /** Lower-case hexadecimal digits, big-endian, as many as the type has. */
  toHexString(): string {
    return keyToHex(this.key);
  }

  /** The bytes, little-endian, as on the wire. */
  toUint8Array(): Uint8Array<ArrayBuffer> {
    return keyToArray(this.key);
  }

  toString(): string {
    return this.toHexString();
  }

  toJSON(): string {
    return this.toHexString();
  }
}

/**
 * Who somebody is: 256 bits derived from the issuer and subject of a token, so the same person gets the same identity
 * from every token. As text 64 hexadecimal digits, big-endian; on the wire 32 bytes, little-endian.
 *
 * @example
 * Identity.fromString('c200…').isEqual(ctx.sender)
 */
export class Identity extends FixedSizeId {
  /**
   * @param data 64 hexadecimal digits (a leading `0x` is allowed) or the unsigned 256-bit integer.
   * @param key internal: the latin1 key, when the bytes are at hand already.
   */
  constructor(data: string | bigint, key?: string) {
    super(
      key ??
        (typeof data === 'string'
          ? hexToKey(data, 32, 'an identity')
          : unsignedToKey(data, 32, 'an identity')),
    );
  }

  static fromString(text: string): Identity {
    return new Identity(text);
  }

  static fromKey(key: string): Identity {
    return new Identity(0n, key);
  }

  /** @param bytes 32 little-endian bytes, as on the wire. */
  static fromBytes(bytes: Uint8Array): Identity {
    return new Identity(0n, exactKey(bytes, 32));
  }

  static zero(): Identity {
    return new Identity(0n);
  }

  /** The unsigned 256-bit integer. */
  get __identity__(): bigint {
    return this.value;
  }
}

/**
 * One connection of somebody: 128 random bits, never all zeros. As text 32 hexadecimal digits, big-endian.
 */
export class ConnectionId extends FixedSizeId {
  /** @param data the unsigned 128-bit integer. @param key internal, as for Identity. */
  constructor(data: bigint, key?: string) {
    super(key ?? unsignedToKey(data, 16, 'a connection id'));
  }

  static fromKey(key: string): ConnectionId {
    return new ConnectionId(0n, key);
  }

  static fromBytes(bytes: Uint8Array): ConnectionId {
    return new ConnectionId(0n, exactKey(bytes, 16));
  }

  /** @param text 32 hexadecimal digits; throws SyntaxError when it is something else. */
  static fromString(text: string): ConnectionId {
    return ConnectionId.fromKey(hexToKey(text, 16, 'a connection id'));
  }

  /** Like `fromString`; the all-zero id, which means "none", gives null. */
  static fromStringOrNull(text: string): ConnectionId | null {
    return ConnectionId.nullIfZero(ConnectionId.fromString(text));
  }

  static nullIfZero(id: ConnectionId): ConnectionId | null {
    return id.isZero() ? null : id;
  }

  static zero(): ConnectionId {
    return new ConnectionId(0n);
  }

  /** A new id, never the all-zero one. */
  static random(random: Random = systemRandom): ConnectionId {
    for (;;) {
      const id = ConnectionId.fromBytes(random.fill(new Uint8Array(16)));
      if (!id.isZero()) return id;
    }
  }

  get __connection_id__(): bigint {
    return this.value;
  }

  isZero(): boolean {
    return this.key === ZERO_KEY;
  }
}

const ZERO_KEY = '\0'.repeat(16);

function hexToKey(text: string, byteCount: number, what: string): string {
  const digits = text.startsWith('0x') ? text.slice(2) : text;
  if (digits.length !== byteCount * 2 || !/^[0-9a-fA-F]+$/.test(digits)) {
    throw new SyntaxError(
      `${what} is ${byteCount * 2} hexadecimal digits, got ${JSON.stringify(text.slice(0, 80))}`,
    );
  }
  return bigintToKey(BigInt(`0x${digits}`), byteCount);
}

function exactKey(bytes: Uint8Array, byteCount: number): string {
  if (bytes.length !== byteCount) throw new RangeError(`expected ${byteCount} bytes, got ${bytes.length}`);
  return bytesToKey(bytes);
}

function unsignedToKey(value: bigint, byteCount: number, what: string): string {
  if (value < 0n || value >> BigInt(byteCount * 8) !== 0n) {
    throw new RangeError(`${what} is an unsigned integer of ${byteCount * 8} bits`);
  }
  return bigintToKey(value, byteCount);
}

function keyToHex(key: string): string {
  return keyToBigint(key)
    .toString(16)
    .padStart(key.length * 2, '0');
}

function keyToArray(key: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(key.length);
  keyToBytes(key, bytes, 0);
  return bytes;
}
