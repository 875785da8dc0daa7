import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { lockDataDirectory, restoreBackup, type RestorePoint } from '../../server/data-directory.js';
import { CliError, errorText } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { addDataOption, dataFolder, type DataOptions } from '../stored-data.js';

interface RestoreOptions extends DataOptions {
  readonly at?: RestorePoint;
}

export function addRestoreCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('restore <file>')
    .description('put a backup into a data directory; no server may run there')
    .option('--at <point>', 'as it was after a transaction (its number) or at a time', parsePoint)
    .addHelpText(
      'after',
      example(
        'chorale restore chat.backup --data-dir restored',
        'chorale restore chat.backup --data-dir restored --at 2026-11-20T18:30:00Z',
      ),
    );
  addDataOption(command).action(async (file: string, options: RestoreOptions) => {
    const path = resolve(context.workingDirectory, file);
    if (!existsSync(path)) throw CliError.usage(`there is no file ${file}`);
    const folder = dataFolder(context, options);
    const lock = await lockDataDirectory(folder).catch(explain);
    try {
      const { identity, lastOffset } = await restoreBackup(path, folder, options.at).catch(explain);
      context.terminal.out(identity.toHexString());
      context.terminal.note(`restored up to transaction ${lastOffset} into ${options.dataDir}`);
    } finally {
      await lock.release();
    }
  });
}

/** `1234` is a transaction, anything else a time. */
export function parsePoint(text: string): RestorePoint {
  if (/^\d{1,15}$/.test(text)) return { kind: 'offset', offset: Number(text) };
  const ms = Date.parse(text);
  if (!Number.isNaN(ms)) return { kind: 'time', timeMicros: ms * 1000 };
  throw new InvalidArgumentError('Give the number of a transaction, or a time like 2026-11-20T18:30:00Z.');
}

function explain(cause: unknown): never {
  throw new CliError(errorText(cause), { cause });
}
