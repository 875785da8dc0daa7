import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import { CliError } from '../cli-error.js';
import { untilStopped, type CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { retainOption } from '../duration.js';
import { startLocalServer, type LocalServer } from '../local-server.js';
import { buildModule, hasModule } from '../module-build.js';
import { addModuleOptions, findProject, type ModuleOptions } from '../project.js';
import { deleteDataOption, publishProgram, type DeleteData } from '../publish.js';

interface StartOptions extends ModuleOptions {
  readonly host: string;
  readonly port: number;
  readonly database?: string;
  readonly dataDir?: string;
  readonly static?: string;
  readonly retain?: number;
  readonly anonymousPublish?: boolean;
  readonly deleteData: DeleteData;
}

export function addStartCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('start [path]')
    .description('run a server, with the module at the path; without one, an empty server to publish to')
    .option('--host <address>', 'where to listen; 0.0.0.0 lets other machines in', '127.0.0.1')
    .option('--port <number>', 'where to listen', parsePort, 3000)
    .option('-d, --database <name>', 'what the database is called (default: as the folder)')
    .option('--data-dir <folder>', 'where data, key and owner are kept (default: .chorale beside the module)')
    .option('--static <folder>', 'pages to serve')
    .addOption(retainOption())
    .option('--anonymous-publish', 'let everybody publish, not only the owner')
    .addOption(deleteDataOption())
    .addHelpText(
      'after',
      example('chorale start', 'chorale start examples/chat --static examples/chat/public'),
    );
  addModuleOptions(command).action((path: string | undefined, options: StartOptions) =>
    start(context, path, options),
  );
}

export function parsePort(text: string): number {
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text);
  throw new InvalidArgumentError('It must be a number from 0 to 65535.');
}

async function start(
  context: CommandContext,
  path: string | undefined,
  options: StartOptions,
): Promise<void> {
  const project = await findProject(context, options, path);
  const isNamed = path !== undefined || options.modulePath !== undefined || options.projectPath !== undefined;
  // Built first: who has a mistake in his module wants to see it, not a server without it.
  const isEmpty = !isNamed && !hasModule(project.modulePath);
  const program = isEmpty ? undefined : (await buildModule(project.modulePath)).program;
  const database = options.database ?? project.database;
  const dataDirectory = resolve(context.workingDirectory, options.dataDir ?? join(project.root, '.chorale'));
  const server = await startLocalServer(context, {
    host: options.host,
    port: options.port,
    dataDirectory,
    staticDirectory: resolveStatic(context, options.static),
    retainMs: options.retain,
    anonymousPublish: options.anonymousPublish,
    portHint: 'Choose another with --port.',
  });
  try {
    if (program !== undefined) await publishProgram(server.api, database, program, options.deleteData);
    announce(context, server, program === undefined ? undefined : database, options);
    await untilStopped(context.stop);
  } finally {
    await server.close();
  }
}

function resolveStatic({ workingDirectory }: CommandContext, folder: string | undefined): string | undefined {
  if (folder === undefined) return undefined;
  const path = resolve(workingDirectory, folder);
  if (existsSync(path)) return path;
  throw CliError.usage(`there is no folder ${folder}`, 'Build the pages first, or correct --static.');
}

function announce(
  { terminal }: CommandContext,
  server: LocalServer,
  database: string | undefined,
  options: StartOptions,
): void {
  const url = terminal.paint('cyan', server.url);
  if (options.static !== undefined) terminal.note(`Open ${url} in your browser.`);
  if (database !== undefined)
    terminal.note(`Database ${terminal.paint('bold', database)} is running at ${url}`);
  else terminal.note(`An empty server is running at ${url}. Publish to it with: chorale publish NAME`);
  terminal.note('Ctrl-C stops it; data stays.');
}
