import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { confirm } from '../confirm.js';
import { example } from '../help-example.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';

interface DeleteOptions extends ServerOptions {
  readonly yes?: boolean;
}

export function addDeleteCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('delete <database>')
    .description('delete a database and all its data')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', example('chorale delete chat --yes'));
  addServerOptions(command).action(async (database: string, options: DeleteOptions) => {
    const server = await openServer(context, options, 'own');
    // A name that is not there is a mistake of the one who typed it, although the route would not mind.
    const identity = await server.identityOf(database);
    await confirm(context.terminal, `Delete ${database} (${identity}) and all its data?`, options.yes);
    await server.deleteDatabase(database);
    context.terminal.note(`deleted ${database}`);
  });
}
