import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, normalize, sep } from 'node:path';
import { LocalConfigError } from './local-config-error.js';

/*
 * One file of one client: a JSON object of strings.
 *
 *     ~/DIRECTORY/settings.json            0600, in a folder with 0700
 *     ~/DIRECTORY/settings-CLIENT.json     with --client CLIENT
 */

export interface LocalConfigPlace {
  /** A folder below the home directory. */
  readonly directory: string;
  readonly homeDirectory: string;
  /** Undefined for the first client, who needs no name. */
  readonly client: string | undefined;
}

/** The strings of one client. Synchronous: it is asked at a program's start, once or twice. */
export class LocalConfig {
  readonly path: string;
  readonly #folder: string;
  #strings: Map<string, string>;

  /** Makes the folder and reads the file, if there is one. Throws LocalConfigError. */
  constructor({ directory, homeDirectory, client }: LocalConfigPlace) {
    this.#folder = join(homeDirectory, checkDirectory(directory));
    this.path = join(this.#folder, client === undefined ? 'settings.json' : `settings-${client}.json`);
    this.#access('make the folder', () => mkdirSync(this.#folder, { recursive: true, mode: 0o700 }));
    this.#strings = this.#read();
  }

  getString(key: string): string | undefined {
    return this.#strings.get(key);
  }

  /** Written before it returns: whole or, when it throws, not at all. */
  setString(key: string, value: string): void {
    if (typeof value !== 'string') throw new TypeError(`the value of ${JSON.stringify(key)} is not a string`);
    const strings = new Map(this.#strings).set(key, value);
    this.#write(strings);
    this.#strings = strings;
  }

  #read(): Map<string, string> {
    const text = this.#access('read the settings', () => readIfPresent(this.path));
    if (text === undefined) return new Map();
    const strings = parseStrings(text);
    if (strings !== undefined) return strings;
    throw new LocalConfigError(
      'NOT_READABLE',
      `${this.path} is damaged: it is not a JSON object of strings. Remove it to begin anew.`,
      { path: this.path },
    );
  }

  #write(strings: ReadonlyMap<string, string>): void {
    const text = `${JSON.stringify(Object.fromEntries(strings), undefined, 2)}\n`;
    const temporary = `${this.path}.${process.pid}.tmp`;
    this.#access('write the settings', () => {
      try {
        // A new file and a rename: nobody ever reads half of it, and an older file's wider mode does not live on.
        writeFileSync(temporary, text, { mode: 0o600, flag: 'wx' });
        renameSync(temporary, this.path);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    });
  }

  #access<R>(what: string, call: () => R): R {
    try {
      return call();
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new LocalConfigError(
        'NOT_ACCESSIBLE',
        `cannot ${what} in ${this.#folder}: ${reason}. Make the folder writable for you, or choose another one.`,
        { path: this.path, cause },
      );
    }
  }
}

function checkDirectory(directory: string): string {
  const path = normalize(directory);
  const isBelowHome =
    directory !== '' && !directory.includes('\0') && !isAbsolute(path) && !path.split(sep).includes('..');
  if (isBelowHome && path !== '.') return path;
  throw new LocalConfigError(
    'BAD_NAME',
    `the directory is a folder below your home, like ".my-app", not ${JSON.stringify(directory)}`,
  );
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function parseStrings(text: string): Map<string, string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const entries = Object.entries(value);
  return entries.every((entry): entry is [string, string] => typeof entry[1] === 'string')
    ? new Map(entries)
    : undefined;
}
