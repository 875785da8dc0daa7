import { format, inspect } from 'node:util';
import { ConnectionId, Identity } from '../values/identity.js';
import { TimeDuration, Timestamp } from '../values/timestamp.js';
import { Uuid } from '../values/uuid.js';
import type { LogLevel, LogPlace, ModuleLog } from './logs.js';

/** The `console` of a module: what it prints goes to its database's log. */
export interface ModuleConsole {
  readonly log: (...values: readonly unknown[]) => void;
  readonly info: (...values: readonly unknown[]) => void;
  readonly warn: (...values: readonly unknown[]) => void;
  readonly error: (...values: readonly unknown[]) => void;
  readonly debug: (...values: readonly unknown[]) => void;
  readonly trace: (...values: readonly unknown[]) => void;
  readonly assert: (condition?: unknown, ...values: readonly unknown[]) => void;
  readonly table: (value: unknown) => void;
  readonly dir: (value: unknown) => void;
  readonly time: (label?: string) => void;
  readonly timeLog: (label?: string, ...values: readonly unknown[]) => void;
  readonly timeEnd: (label?: string) => void;
  readonly count: (label?: string) => void;
  readonly countReset: (label?: string) => void;
  readonly group: (...values: readonly unknown[]) => void;
  readonly groupEnd: () => void;
  readonly clear: () => void;
}

export interface ConsoleOptions {
  readonly log: ModuleLog;
  /** Milliseconds of a clock that never goes back, for `time`. */
  readonly monotonicMs: () => number;
  /** Where the call stands in the author's files, given a stack trace. */
  readonly findPlace: (stack: string) => LogPlace | undefined;
}

// 1,000 labels: a module that times a new label in every call must not grow for ever.
const LABELS_MAX = 1000;

export function makeModuleConsole({ log, monotonicMs, findPlace }: ConsoleOptions): ModuleConsole {
  const timers = new Map<string, number>();
  const counts = new Map<string, number>();

  const write = (level: LogLevel, message: string, caller: (...values: never[]) => unknown): void => {
    log.write(level, message, placeOf(caller, findPlace));
  };
  const elapsed = (label: string): string | undefined => {
    const start = timers.get(label);
    return start === undefined ? undefined : `${label}: ${(monotonicMs() - start).toFixed(3)} ms`;
  };
  const printer = (level: LogLevel): ((...values: readonly unknown[]) => void) => {
    const print = (...values: readonly unknown[]): void => write(level, formatValues(values), print);
    return print;
  };

  const self: ModuleConsole = {
    log: printer('Info'),
    info: printer('Info'),
    warn: printer('Warn'),
    error: printer('Error'),
    debug: printer('Debug'),
    trace: printer('Trace'),
    group: printer('Info'),
    groupEnd() {},
    clear() {},
    assert(condition = false, ...values) {
      if (condition) return;
      const text = values.length === 0 ? 'Assertion failed' : `Assertion failed: ${formatValues(values)}`;
      write('Error', text, self.assert);
    },
    table: (value) => write('Info', formatValues([value]), self.table),
    dir: (value) => write('Info', formatValues([value]), self.dir),
    time(label = 'default') {
      if (timers.size < LABELS_MAX) timers.set(label, monotonicMs());
    },
    timeLog(label = 'default', ...values) {
      const text = elapsed(label) ?? `there is no timer \`${label}\``;
      write('Info', values.length === 0 ? text : `${text} ${formatValues(values)}`, self.timeLog);
    },
    timeEnd(label = 'default') {
      write('Info', elapsed(label) ?? `there is no timer \`${label}\``, self.timeEnd);
      timers.delete(label);
    },
    count(label = 'default') {
      const count = (counts.get(label) ?? 0) + 1;
      if (counts.size < LABELS_MAX || counts.has(label)) counts.set(label, count);
      write('Info', `${label}: ${count}`, self.count);
    },
    countReset: (label = 'default') => void counts.delete(label),
  };
  return self;
}

/** As Node prints them, but with identities and times readable. */
function formatValues(values: readonly unknown[]): string {
  const [first, ...rest] = values;
  return format(readable(first), ...rest.map(readable));
}

function readable(value: unknown): unknown {
  const isSpecial =
    value instanceof Identity ||
    value instanceof ConnectionId ||
    value instanceof Timestamp ||
    value instanceof TimeDuration ||
    value instanceof Uuid;
  if (isSpecial) return value.toString();
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  return inspect(withReadableFields(value), { depth: 4 });
}

/** Rows hold identities and timestamps one level down. */
function withReadableFields(value: object): unknown {
  if (Array.isArray(value))
    return value.map((item: unknown) => (isRow(item) ? withReadableFields(item) : item));
  if (!isRow(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key, isRow(field) ? field : readableLeaf(field)]),
  );
}

function readableLeaf(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? readable(value) : value;
}

function isRow(value: unknown): value is object {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** One frame of the stack is enough, and costs a tenth of ten. */
function placeOf(
  caller: (...values: never[]) => unknown,
  findPlace: (stack: string) => LogPlace | undefined,
): LogPlace | undefined {
  const holder: { stack?: string } = {};
  const before = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  Error.captureStackTrace(holder, caller);
  Error.stackTraceLimit = before;
  return holder.stack === undefined ? undefined : findPlace(holder.stack);
}
