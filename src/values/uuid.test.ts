import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seededRandom } from '../base/random.js';
import { Timestamp } from './timestamp.js';
import { Uuid } from './uuid.js';

const anyValue = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });

describe('Uuid', () => {
  it('text, bytes, integer and key come back', () => {
    fc.assert(
      fc.property(anyValue, (value) => {
        const uuid = new Uuid(value);
        expect(Uuid.parse(uuid.toString()).asBigInt()).toBe(value);
        expect(Uuid.parse(uuid.toHexString().toUpperCase()).isEqual(uuid)).toBe(true);
        expect(Uuid.fromBytes(uuid.toBytes()).equals(uuid)).toBe(true);
        expect(Uuid.fromKey(uuid.key).__uuid__).toBe(value);
      }),
    );
  });

  it('the integer is the big-endian reading of the text', () => {
    const uuid = Uuid.parse('01020304-0506-0708-090a-0b0c0d0e0f10');
    expect(uuid.__uuid__).toBe(0x0102030405060708090a0b0c0d0e0f10n);
    expect([...uuid.toBytes()]).toEqual(Array.from({ length: 16 }, (_, i) => i + 1));
    expect(JSON.stringify({ uuid })).toBe('{"uuid":"01020304-0506-0708-090a-0b0c0d0e0f10"}');
  });

  it('version 4 keeps all random bits but six', () => {
    expect(Uuid.fromRandomBytesV4(new Uint8Array(16)).toString()).toBe(
      '00000000-0000-4000-8000-000000000000',
    );
    expect(Uuid.fromRandomBytesV4(new Uint8Array(16).fill(255)).toString()).toBe(
      'ffffffff-ffff-4fff-bfff-ffffffffffff',
    );
    expect(Uuid.randomV4(seededRandom(1)).getVersion()).toBe('V4');
  });

  it('version 7 sorts by time and then by counter, and steps the counter', () => {
    const random = seededRandom(1);
    const counter = { value: 0x7_fffe };
    const make = (micros: bigint): Uuid =>
      Uuid.fromCounterV7(counter, new Timestamp(micros), random.fill(new Uint8Array(6)));
    const made = [make(5_000_000n), make(5_000_000n), make(5_000_999n), make(5_001_000n)];
    expect(made.map((uuid) => uuid.getCounter())).toEqual([0x7_fffe, 0x7_ffff, 0x8_0000, 0x8_0001]);
    expect(made.toSorted((a, b) => a.compareTo(b))).toEqual(made);
    expect(made.map((uuid) => uuid.getVersion())).toEqual(['V7', 'V7', 'V7', 'V7']);
    expect(made[0]!.toString()).toMatch(/^00000000-1388-7000-b/);
    expect(made[0]!.toString()).toMatch(/^........-....-7...-[89ab]/);
  });

  it('the counter wraps after 2^31', () => {
    const counter = { value: 0x7fff_ffff };
    const bytes = new Uint8Array(16);
    expect(Uuid.fromCounterV7(counter, new Timestamp(0n), bytes).getCounter()).toBe(0x7fff_ffff);
    expect(counter.value).toBe(0);
  });

  it('the smallest and the largest are named', () => {
    expect([Uuid.NIL.getVersion(), Uuid.MAX.getVersion(), new Uuid(1n).getVersion()]).toEqual([
      'Nil',
      'Max',
      undefined,
    ]);
    expect(Uuid.MAX.compareTo(Uuid.NIL)).toBe(1);
    expect(Uuid.NIL.compareTo(Uuid.NIL)).toBe(0);
  });

  it.each([
    '',
    '0102',
    '01020304-0506-0708-090a-0b0c0d0e0f1',
    'g1020304-0506-0708-090a-0b0c0d0e0f10',
    '0102-03040506-0708-090a-0b0c0d0e0f10',
  ])('%j is not a uuid', (text) => {
    expect(() => Uuid.parse(text)).toThrow(SyntaxError);
  });

  it('integers and bytes of another size are refused', () => {
    expect(() => new Uuid(-1n)).toThrow(RangeError);
    expect(() => new Uuid(1n << 128n)).toThrow(RangeError);
    expect(() => Uuid.fromBytes(new Uint8Array(15))).toThrow(RangeError);
    expect(() => Uuid.fromRandomBytesV4(new Uint8Array(17))).toThrow(RangeError);
    expect(() => Uuid.fromCounterV7({ value: 0 }, new Timestamp(-1000n), new Uint8Array(6))).toThrow(
      RangeError,
    );
  });
});
