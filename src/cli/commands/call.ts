import type { Command } from 'commander';
import { closestWord } from '../../base/closest-word.js';
import { encodeArguments, signature } from '../call-arguments.js';
import { CliError, ExitCode } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { readSchema, type ReducerView } from '../schema-view.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';
import { sanitize } from '../terminal.js';

export function addCallCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('call <database> <reducer> [arguments...]')
    .description('call a reducer, as yourself')
    .addHelpText(
      'after',
      example(`chorale call chat send_message 'hello'`, `chorale call game move '{"x":1,"y":2}' 7`),
    );
  addServerOptions(command).action(
    async (database: string, name: string, words: string[], options: ServerOptions) => {
      const server = await openServer(context, options, 'use');
      const { reducers } = readSchema(await server.schema(database, 9));
      const answer = await server.call(database, name, encodeArguments(findReducer(reducers, name), words));
      if (answer !== '') context.terminal.out(sanitize(answer));
    },
  );
}

function findReducer(reducers: readonly ReducerView[], name: string): ReducerView {
  const found = reducers.find((reducer) => reducer.name === name);
  if (found !== undefined) return found;
  const callable = reducers.filter(({ lifecycle }) => lifecycle === undefined);
  const names = callable.map((reducer) => reducer.name);
  const closest = closestWord(name, names);
  const list = callable.map(signature).join(', ') || 'none';
  throw new CliError(`there is no reducer \`${name}\``, {
    hint: closest === undefined ? `There are: ${list}.` : `Did you mean \`${closest}\`?`,
    exitCode: ExitCode.USAGE,
  });
}
