const MICROS_PER_MILLI = 1000n;

/** A Date holds 100 million days on either side of 1970. */
const DATE_MICROS_MAX = 8_640_000_000_000_000_000n;

/** A point in time: microseconds since the Unix epoch, a signed 64-bit integer. */
export class Timestamp {
  static readonly UNIX_EPOCH = new Timestamp(0n);

  readonly __timestamp_micros_since_unix_epoch__: bigint;

  constructor(micros: bigint) {
    this.__timestamp_micros_since_unix_epoch__ = micros;
  }

  static now(): Timestamp {
    return Timestamp.fromDate(new Date());
  }

  static fromDate(date: Date): Timestamp {
    return new Timestamp(BigInt(date.getTime()) * MICROS_PER_MILLI);
  }

  get microsSinceUnixEpoch(): bigint {
    return this.__timestamp_micros_since_unix_epoch__;
  }

  /** Milliseconds since the Unix epoch, rounded towards zero. */
  toMillis(): bigint {
    return this.__timestamp_micros_since_unix_epoch__ / MICROS_PER_MILLI;
  }

  /** The date; what is finer than a millisecond is lost. Throws RangeError outside what a Date can hold. */
  toDate(): Date {
    const date = new Date(Number(this.toMillis()));
    if (Number.isNaN(date.getTime())) throw new RangeError('the timestamp is outside the range of Date');
    return date;
  }

  /** `2025-01-01T00:00:00.000000Z`, with all six digits. Throws RangeError outside what a Date can hold. */
  toISOString(): string {
    const micros = ((this.__timestamp_micros_since_unix_epoch__ % 1_000_000n) + 1_000_000n) % 1_000_000n;
    const seconds = (this.__timestamp_micros_since_unix_epoch__ - micros) / 1_000_000n;
    const whole = new Date(Number(seconds) * 1000).toISOString();
    return whole.replace(/\.\d{3}Z$/, `.${micros.toString().padStart(6, '0')}Z`);
  }

  since(other: Timestamp): TimeDuration {
    return new TimeDuration(
      this.__timestamp_micros_since_unix_epoch__ - other.__timestamp_micros_since_unix_epoch__,
    );
  }

  isEqual(other: Timestamp): boolean {
    return this.__timestamp_micros_since_unix_epoch__ === other.__timestamp_micros_since_unix_epoch__;
  }

  /** As toISOString; outside what a Date can hold, the microseconds, so that printing never throws. */
  toString(): string {
    const micros = this.__timestamp_micros_since_unix_epoch__;
    const size = micros < 0n ? -micros : micros;
    return size > DATE_MICROS_MAX ? `${micros} microseconds since 1970` : this.toISOString();
  }
}

/** A length of time: microseconds, a signed 64-bit integer. */
export class TimeDuration {
  readonly __time_duration_micros__: bigint;

  constructor(micros: bigint) {
    this.__time_duration_micros__ = micros;
  }

  static fromMillis(millis: number): TimeDuration {
    return new TimeDuration(BigInt(Math.round(millis * 1000)));
  }

  get micros(): bigint {
    return this.__time_duration_micros__;
  }

  get millis(): number {
    return Number(this.__time_duration_micros__) / 1000;
  }

  isEqual(other: TimeDuration): boolean {
    return this.__time_duration_micros__ === other.__time_duration_micros__;
  }

  /** Seconds with six decimals and a sign, as `+1.500000`. */
  toString(): string {
    const micros = this.__time_duration_micros__;
    const size = micros < 0n ? -micros : micros;
    return `${micros < 0n ? '-' : '+'}${size / 1_000_000n}.${(size % 1_000_000n).toString().padStart(6, '0')}`;
  }
}

/** When a scheduled row is due: every so often, or once. */
export type ScheduleAt =
  | { readonly tag: 'Interval'; readonly value: TimeDuration }
  | { readonly tag: 'Time'; readonly value: Timestamp };

/**
 * Makes ScheduleAt values.
 *
 * @example
 * ctx.db.reminder.insert({ id: 0n, at: ScheduleAt.interval(5_000_000n) }) // every five seconds
 */
export const ScheduleAt = {
  /** @param micros microseconds between two runs. */
  interval: (micros: bigint): ScheduleAt => ({ tag: 'Interval', value: new TimeDuration(micros) }),
  /** @param microsSinceUnixEpoch when to run, once. */
  time: (microsSinceUnixEpoch: bigint): ScheduleAt => ({
    tag: 'Time',
    value: new Timestamp(microsSinceUnixEpoch),
  }),
};
