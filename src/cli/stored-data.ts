import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { LogError } from '../engine/log/log-error.js';
import { listStoredDatabases, type StoredDatabase } from '../server/data-directory.js';
import { CliError } from './cli-error.js';
import type { CommandContext } from './command-context.js';

export interface DataOptions {
  readonly dataDir: string;
}

/** The option of commands that work on files, without a server. */
export function addDataOption(command: Command): Command {
  return command.option('--data-dir <folder>', 'where the server keeps its data', '.chorale');
}

/** The folder that the option names. */
export function dataFolder({ workingDirectory }: CommandContext, { dataDir }: DataOptions): string {
  return resolve(workingDirectory, dataDir);
}

/** The databases that are meant: that of the name or identity, or all. */
export async function storedDatabases(
  context: CommandContext,
  options: DataOptions,
  name: string | undefined,
): Promise<readonly StoredDatabase[]> {
  const folder = dataFolder(context, options);
  if (!existsSync(folder)) {
    throw CliError.usage(`there is no folder ${options.dataDir}`, 'Say where the data is with --data-dir.');
  }
  const all = await listStoredDatabases(folder);
  if (name === undefined) return all;
  const found = all.filter(
    ({ identity, program }) => identity.toHexString() === name || program?.names.includes(name) === true,
  );
  if (found.length > 0) return found;
  const known = all.map(nameOf).join(', ');
  throw new CliError(`there is no database ${name} in ${options.dataDir}`, {
    hint: known === '' ? 'There is none at all.' : `There are: ${known}.`,
  });
}

/** What people call it. */
export function nameOf({ identity, program }: StoredDatabase): string {
  return program?.names[0] ?? identity.toHexString();
}

/** Problems of files are no defects of ours: they are told without a stack. */
export async function tellLogErrors<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof LogError) throw new CliError(error.message, { cause: error });
    throw error;
  }
}
