import { describe, expect, it } from 'vitest';
import { primitiveType, productType, resolveType, sumType, UNIT_TYPE } from './algebraic-type.js';
import {
  CONNECTION_ID_TYPE, IDENTITY_TYPE, isScheduleAt, optionInner, optionType, resultInner, resultType, SCHEDULE_AT_TYPE,
  specialProduct, TIME_DURATION_TYPE, TIMESTAMP_TYPE, UUID_TYPE,
} from './special-types.js'; // prettier-ignore
import { ScheduleAt, TimeDuration, Timestamp } from './timestamp.js';

describe('Timestamp', () => {
  it('prints all six digits, also before 1970', () => {
    expect(new Timestamp(1_735_689_600_000_001n).toISOString()).toBe('2025-01-01T00:00:00.000001Z');
    expect(new Timestamp(-1n).toISOString()).toBe('1969-12-31T23:59:59.999999Z');
    expect(Timestamp.UNIX_EPOCH.toString()).toBe('1970-01-01T00:00:00.000000Z');
  });

  it('prints what no Date can hold without throwing', () => {
    const last = new Timestamp((1n << 63n) - 1n);
    expect(last.toString()).toBe('9223372036854775807 microseconds since 1970');
    expect(() => last.toDate()).toThrow(RangeError);
    expect(new Timestamp(8_640_000_000_000_000_000n).toString()).toBe('+275760-09-13T00:00:00.000000Z');
    expect(new Timestamp(-8_640_000_000_000_000_000n).toString()).toBe('-271821-04-20T00:00:00.000000Z');
  });

  it('goes to a Date and back', () => {
    const date = new Date('2025-06-01T12:00:00.123Z');
    expect(Timestamp.fromDate(date).toDate()).toEqual(date);
    expect(Timestamp.fromDate(date).toMillis()).toBe(BigInt(date.getTime()));
    const before = Date.now();
    expect(Timestamp.now().toMillis()).toBeGreaterThanOrEqual(BigInt(before));
  });

  it('two of them are a duration apart', () => {
    const apart = new Timestamp(5_000_000n).since(new Timestamp(6_500_000n));
    expect(apart.toString()).toBe('-1.500000');
    expect(apart.isEqual(TimeDuration.fromMillis(-1500))).toBe(true);
    expect([apart.micros, apart.millis]).toEqual([-1_500_000n, -1500]);
    expect(new Timestamp(1n).isEqual(new Timestamp(1n))).toBe(true);
  });
});

describe('special types', () => {
  it('are recognised by their names', () => {
    const types = [IDENTITY_TYPE, CONNECTION_ID_TYPE, TIMESTAMP_TYPE, TIME_DURATION_TYPE, UUID_TYPE];
    expect(types.map(specialProduct)).toEqual([
      'identity',
      'connectionId',
      'timestamp',
      'timeDuration',
      'uuid',
    ]);
    expect(isScheduleAt(SCHEDULE_AT_TYPE)).toBe(true);
    expect(optionInner(optionType(UNIT_TYPE))).toBe(UNIT_TYPE);
    expect(resultInner(resultType(UNIT_TYPE, IDENTITY_TYPE))).toEqual({ ok: UNIT_TYPE, err: IDENTITY_TYPE });
  });

  it('and by nothing less', () => {
    const u64 = primitiveType('u64');
    expect(specialProduct(productType({ __identity__: u64 }))).toBeUndefined();
    expect(specialProduct(productType({ __uuid__: primitiveType('u128'), more: u64 }))).toBeUndefined();
    expect(specialProduct(productType({ constructor: u64 }))).toBeUndefined();
    expect(isScheduleAt(sumType({ Interval: TIMESTAMP_TYPE, Time: TIMESTAMP_TYPE }))).toBe(false);
    expect(isScheduleAt(u64)).toBe(false);
    expect(optionInner(sumType({ none: UNIT_TYPE, some: u64 }))).toBeUndefined();
    expect(resultInner(sumType({ ok: u64, err: u64, other: u64 }))).toBeUndefined();
  });

  it('schedules are made by name', () => {
    expect(ScheduleAt.interval(5n)).toEqual({ tag: 'Interval', value: new TimeDuration(5n) });
    expect(ScheduleAt.time(5n)).toEqual({ tag: 'Time', value: new Timestamp(5n) });
  });
});

describe('resolveType', () => {
  it('follows references and stops at a circle', () => {
    const ref = (index: number) => ({ kind: 'ref', ref: index }) as const;
    const types = [ref(1), primitiveType('bool'), ref(3), ref(2)];
    expect(resolveType(ref(0), { types })).toEqual(primitiveType('bool'));
    expect(() => resolveType(ref(2), { types })).toThrow('only a reference to itself');
    expect(() => resolveType(ref(9), { types })).toThrow('outside the typespace of 4');
  });
});
