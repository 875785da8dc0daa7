import { homedir } from 'node:os';
import { clientOption } from './client-option.js';
import { LocalConfig } from './local-config.js';
import { LocalConfigError } from './local-config-error.js';

/*
 * `chorale/local-config`: a few strings in the user's home directory, by the words of the Python SDK's local_config.
 *
 *     import * as localConfig from 'chorale/local-config';
 *     localConfig.init('.my-app');
 *     const token = localConfig.getString('auth_token');
 */

export { LocalConfigError } from './local-config-error.js';
export type { LocalConfigErrorCode } from './local-config-error.js';

export interface LocalConfigOptions {
  /** Instead of the user's home directory. */
  readonly homeDirectory?: string;
  /** Instead of the program's arguments, which may name a client: `--client 2`. */
  readonly args?: readonly string[];
}

let current: LocalConfig | undefined;

/**
 * Call it once, before the others: makes the folder (for its owner only) and reads what an earlier run has left.
 * Another client of the same program, started with `--client N`, has a file of his own. A second call begins anew.
 * Throws LocalConfigError when the folder cannot be made or the file cannot be read.
 *
 * @param directory the folder's name below the home directory, like `.my-app`.
 * @example
 * init('.my-app')
 */
export function init(directory: string, options: LocalConfigOptions = {}): void {
  const client = clientOption(options.args ?? process.argv.slice(2));
  current = new LocalConfig({ directory, homeDirectory: options.homeDirectory ?? homedir(), client });
}

/**
 * The string that was stored under `key`, now or in an earlier run, or undefined.
 *
 * @example
 * getString('auth_token')
 */
export function getString(key: string): string | undefined {
  return initialised().getString(key);
}

/**
 * Stores a string in the file, which only its owner can read (mode 0600), before it returns.
 * Throws LocalConfigError when that is not possible; the file is as before then.
 *
 * @example
 * setString('auth_token', token)
 */
export function setString(key: string, value: string): void {
  initialised().setString(key, value);
}

function initialised(): LocalConfig {
  if (current === undefined) {
    throw new LocalConfigError('NOT_INITIALISED', 'call localConfig.init("FOLDER") before anything is asked');
  }
  return current;
}
