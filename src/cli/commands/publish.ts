import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { CliError, ExitCode } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { confirm } from '../confirm.js';
import { example } from '../help-example.js';
import { buildModule, describeSize } from '../module-build.js';
import { addModuleOptions, findProject, type ModuleOptions } from '../project.js';
import { deleteDataOption, publishProgram, type DeleteData } from '../publish.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';

interface PublishOptions extends ServerOptions, ModuleOptions {
  readonly jsPath?: string;
  readonly deleteData: DeleteData;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function addPublishCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('publish [database]')
    .description('build a module and run it on a server; with the schema unchanged, sockets and data stay')
    .option('--js-path <file>', 'publish this bundle instead of building one')
    .addOption(deleteDataOption())
    .option('-y, --yes', 'do not ask before deleting data')
    .option('--json', 'print {"database", "identity", "operation"}')
    .addHelpText('after', example('chorale publish chat', 'chorale publish --project-path server chat'));
  addServerOptions(addModuleOptions(command)).action(
    (database: string | undefined, options: PublishOptions) => publish(context, database, options),
  );
}

async function publish(
  context: CommandContext,
  named: string | undefined,
  options: PublishOptions,
): Promise<void> {
  const { terminal } = context;
  const project = await findProject(context, options);
  const database = named ?? project.database;
  const program = await readProgram(context, options, project.modulePath);
  const server = await openServer(context, options, 'own');
  const { deleteData } = options;
  if (deleteData !== 'never') await confirm(terminal, `Delete the data of ${database}?`, options.yes);
  const result = await publishProgram(server, database, program, deleteData);
  if (options.json === true) return terminal.out(JSON.stringify({ database, ...result }));
  terminal.note(`${result.operation} ${database} at ${server.url} (${describeSize(program)})`);
  terminal.out(result.identity);
}

async function readProgram(
  context: CommandContext,
  options: PublishOptions,
  modulePath: string,
): Promise<string> {
  if (options.jsPath === undefined) return (await buildModule(modulePath)).program;
  try {
    return await readFile(resolve(context.workingDirectory, options.jsPath), 'utf8');
  } catch (cause) {
    throw new CliError(`cannot read ${options.jsPath}`, { cause, exitCode: ExitCode.USAGE });
  }
}
