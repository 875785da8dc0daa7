import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';
import { renderSqlAnswer } from '../sql-answer.js';

interface SqlOptions extends ServerOptions {
  readonly json?: boolean;
}

export function addSqlCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('sql <database> <statement>')
    .description('run one SQL statement and print its rows')
    .option('--json', "the server's answer as it is")
    .addHelpText('after', example(`chorale sql chat "SELECT name FROM user WHERE online = true"`));
  addServerOptions(command).action(async (database: string, statement: string, options: SqlOptions) => {
    const server = await openServer(context, options, 'own');
    const answer = await server.sql(database, statement);
    if (options.json === true) context.terminal.out(answer);
    else for (const line of renderSqlAnswer(answer)) context.terminal.out(line);
  });
}
