import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';
import { textTable } from '../text-table.js';
import { tokenIdentity } from '../token-identity.js';

interface ListOptions extends ServerOptions {
  readonly json?: boolean;
}

export function addListCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('list')
    .description('print the databases that you own')
    .option('--json', 'a list of {"names", "identity"}')
    .addHelpText('after', example('chorale list'));
  addServerOptions(command).action(async (options: ListOptions) => {
    const server = await openServer(context, options, 'own');
    if (server.token === undefined) {
      throw new CliError('nobody is logged in', { hint: 'Log in with `chorale login`.' });
    }
    const identities = await server.databasesOf(tokenIdentity(server.token));
    const databases = await Promise.all(
      identities.map(async (identity) => ({ names: await server.namesOf(identity), identity })),
    );
    if (options.json === true) context.terminal.out(JSON.stringify(databases));
    else for (const line of renderDatabases(databases)) context.terminal.out(line);
  });
}

function renderDatabases(databases: readonly { names: readonly string[]; identity: string }[]): string[] {
  if (databases.length === 0) return ['You own no database here.'];
  const rows = databases.map(({ names, identity }) => [names.join(', '), identity]);
  return textTable(['name', 'identity'], rows);
}
