// Below this the view on 32-bit words costs more than it saves (measured).
const WORDS_FROM_BYTES = 96;

/**
 * Removes (or puts on) the mask in place. `key` holds the four octets of the masking key in the order of the
 * wire, first octet in the low bits; `phase` is how many octets of the payload came before `start`.
 */
export function unmask(bytes: Uint8Array, start: number, end: number, key: number, phase: number): void {
  let mask = rotate(key, phase);
  let at = start;
  if (end - start >= WORDS_FROM_BYTES) {
    while (((bytes.byteOffset + at) & 3) !== 0) {
      bytes[at] = bytes[at]! ^ (mask & 0xff);
      mask = rotate(mask, 1);
      at++;
    }
    const count = (end - at) >>> 2;
    const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, count);
    const wordMask = isLittleEndian ? mask : swap(mask);
    for (let i = 0; i < count; i++) words[i] = words[i]! ^ wordMask;
    at += count << 2;
  }
  const m0 = mask & 0xff;
  const m1 = (mask >>> 8) & 0xff;
  const m2 = (mask >>> 16) & 0xff;
  const m3 = mask >>> 24;
  for (; at + 3 < end; at += 4) {
    bytes[at] = bytes[at]! ^ m0;
    bytes[at + 1] = bytes[at + 1]! ^ m1;
    bytes[at + 2] = bytes[at + 2]! ^ m2;
    bytes[at + 3] = bytes[at + 3]! ^ m3;
  }
  if (at < end) bytes[at] = bytes[at]! ^ m0;
  if (at + 1 < end) bytes[at + 1] = bytes[at + 1]! ^ m1;
  if (at + 2 < end) bytes[at + 2] = bytes[at + 2]! ^ m2;
}

const isLittleEndian = new Uint8Array(new Uint32Array([1]).buffer)[0] === 1;

/** The key as it stands `phase` octets further on. */
function rotate(key: number, phase: number): number {
  const bits = (phase & 3) << 3;
  return bits === 0 ? key : (key >>> bits) | (key << (32 - bits));
}

function swap(word: number): number {
  return (word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24);
}
