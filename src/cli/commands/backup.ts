import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';

export function addBackupCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('backup <database> <file>')
    .description('write a database into a file while it runs: everything that was acknowledged by now')
    .addHelpText('after', example('chorale backup chat chat.backup'));
  addServerOptions(command).action(async (database: string, file: string, options: ServerOptions) => {
    const server = await openServer(context, options, 'own');
    const bytes = await save(await server.backup(database), resolve(context.workingDirectory, file));
    context.terminal.note(`wrote ${bytes} bytes to ${file}`);
  });
}

/** The file appears under its name when it is whole and on disk. */
async function save(stream: ReadableStream<Uint8Array>, path: string): Promise<number> {
  const temporary = `${path}.part`;
  const file = await open(temporary, 'w', 0o600);
  let bytes = 0;
  try {
    for await (const piece of stream) {
      await file.writeFile(piece);
      bytes += piece.length;
    }
    await file.sync();
    await file.close();
    await rename(temporary, path);
    return bytes;
  } catch (cause) {
    await file.close().catch(() => {});
    await rm(temporary, { force: true });
    throw new CliError('the backup was cut short', { cause, hint: 'Nothing was written. Try again.' });
  }
}
