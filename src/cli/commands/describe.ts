import type { Command } from 'commander';
import { signature } from '../call-arguments.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { readSchema, type SchemaView, type TableView } from '../schema-view.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';
import { sanitize } from '../terminal.js';

interface DescribeOptions extends ServerOptions {
  readonly json?: boolean;
}

export function addDescribeCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('describe <database>')
    .description('print the tables and reducers of a database')
    .option('--json', 'the schema as the server sends it (version 9)')
    .addHelpText('after', example('chorale describe chat'));
  addServerOptions(command).action(async (database: string, options: DescribeOptions) => {
    const server = await openServer(context, options, 'own');
    const schema = await server.schema(database, 9);
    if (options.json === true) context.terminal.out(schema);
    else for (const line of renderSchema(readSchema(schema))) context.terminal.out(sanitize(line));
  });
}

function renderSchema({ tables, reducers }: SchemaView): string[] {
  const callable = reducers.filter(({ lifecycle }) => lifecycle === undefined);
  return [
    ...(tables.length === 0 ? [] : ['Tables', ...tables.flatMap(renderTable)]),
    ...(callable.length === 0 ? [] : ['Reducers', ...callable.map((reducer) => `  ${signature(reducer)}`)]),
  ];
}

function renderTable({ name, isPublic, columns }: TableView): string[] {
  const width = Math.max(0, ...columns.map((column) => column.name.length));
  const lines = columns.map((column) =>
    [`    ${column.name.padEnd(width)}  ${column.type}`, ...column.marks].join(', '),
  );
  return [`  ${name}${isPublic ? '' : ' (private)'}`, ...lines];
}
