import type { Clock } from '../base/clock.js';

/*
 * The log of one database, as its owner reads it: one JSON object per line.
 *
 * | field       | JSON   | since 1 | meaning                                                     |
 * | level       | string |         | Error, Warn, Info, Debug, Trace, Panic                      |
 * | ts          | number |         | microseconds since the Unix epoch                           |
 * | target      | string | option  | who logged: the module, `__spacetimedb__` for the server    |
 * | filename    | string | option  | the author's file                                           |
 * | line_number | number | option  | line in that file                                           |
 * | function    | string | option  | the reducer that ran                                        |
 * | message     | string |         |                                                             |
 */

export type LogLevel = 'Error' | 'Warn' | 'Info' | 'Debug' | 'Trace' | 'Panic';

export interface LogEntry {
  readonly level: LogLevel;
  readonly ts: number;
  readonly target?: string | undefined;
  readonly filename?: string | undefined;
  readonly line_number?: number | undefined;
  readonly function?: string | undefined;
  readonly message: string;
}

/** What lines of the server itself have as target, filename and function. */
export const SYSTEM_TARGET = '__spacetimedb__';

export interface ModuleLogOptions {
  readonly clock: Clock;
  /** How many entries are kept. 10,000: some ten minutes of a chatty module, a few megabytes. */
  readonly entriesMax?: number;
  /** How many characters of messages are kept. 8 Mi: bounds the memory of a module that logs documents. */
  readonly charactersMax?: number;
}

// 64 Ki: longer than any stack trace; a reducer that logs a whole table must not push out everything else.
const MESSAGE_CHARACTERS_MAX = 65_536;

/** The last entries of a database's log, and whoever follows it. */
export class ModuleLog {
  /** What runs now; the host sets it, so that lines say where they come from. */
  currentFunction: string | undefined = undefined;
  readonly #clock: Clock;
  readonly #entriesMax: number;
  readonly #charactersMax: number;
  readonly #listeners = new Set<(entry: LogEntry) => void>();
  #entries: LogEntry[] = [];
  /** Where the oldest kept entry stands; what is before it is let go of in bulk. */
  #start = 0;
  #characters = 0;

  constructor({ clock, entriesMax = 10_000, charactersMax = 8 * 1024 * 1024 }: ModuleLogOptions) {
    this.#clock = clock;
    this.#entriesMax = entriesMax;
    this.#charactersMax = charactersMax;
  }

  get size(): number {
    return this.#entries.length - this.#start;
  }

  /** Adds a line of the module; `place` is where in the author's files. */
  write(level: LogLevel, message: string, place?: LogPlace): void {
    this.append({
      level,
      ts: this.#clock.nowMicros(),
      filename: place?.filename,
      line_number: place?.line,
      function: this.currentFunction,
      message,
    });
  }

  /** Adds a line of the server. */
  writeSystem(level: LogLevel, message: string): void {
    this.append({
      level,
      ts: this.#clock.nowMicros(),
      target: SYSTEM_TARGET,
      filename: SYSTEM_TARGET,
      function: SYSTEM_TARGET,
      message,
    });
  }

  append(given: LogEntry): void {
    const entry = shortened(given);
    this.#entries.push(entry);
    this.#characters += entry.message.length;
    while (this.size > this.#entriesMax || (this.#characters > this.#charactersMax && this.size > 1)) {
      this.#characters -= this.#entries[this.#start]!.message.length;
      this.#start += 1;
    }
    if (this.#start > this.#entriesMax) {
      this.#entries = this.#entries.slice(this.#start);
      this.#start = 0;
    }
    for (const listener of this.#listeners) listener(entry);
  }

  /** The last `count` entries, oldest first; all that are kept when it is left out. */
  tail(count = Number.POSITIVE_INFINITY): readonly LogEntry[] {
    const from = Math.max(this.#start, this.#entries.length - Math.max(0, count));
    return this.#entries.slice(from);
  }

  /** Calls `listener` for every later entry. Returns the function that stops it. */
  follow(listener: (entry: LogEntry) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }
}

export interface LogPlace {
  readonly filename: string;
  readonly line: number;
}

function shortened(entry: LogEntry): LogEntry {
  const { message } = entry;
  if (message.length <= MESSAGE_CHARACTERS_MAX) return entry;
  const left = message.length - MESSAGE_CHARACTERS_MAX;
  return { ...entry, message: `${message.slice(0, MESSAGE_CHARACTERS_MAX)}… (${left} more characters)` };
}

/** One line of NDJSON, with its line feed. Absent fields are left out. */
export function encodeLogLine(entry: LogEntry): string {
  const { level, ts, target, filename, line_number, function: name, message } = entry;
  return `${JSON.stringify({ level, ts, target, filename, line_number, function: name, message })}\n`;
}
