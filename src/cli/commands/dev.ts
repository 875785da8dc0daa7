import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import { untilStopped, type CommandContext } from '../command-context.js';
import { DevSession } from '../dev-session.js';
import { retainOption } from '../duration.js';
import { example } from '../help-example.js';
import { startLocalServer } from '../local-server.js';
import { addModuleOptions, findProject, type ModuleOptions, type Project, type Sdk } from '../project.js';
import { deleteDataOption, type DeleteData } from '../publish.js';
import type { ServerApi } from '../server-api.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';

interface DevOptions extends ServerOptions, ModuleOptions {
  readonly database?: string;
  readonly dataDir?: string;
  readonly static?: string;
  readonly retain?: number;
  readonly outDir?: string;
  readonly sdk?: Sdk;
  readonly deleteData: DeleteData;
}

export function addDevCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('dev [path]')
    .description('watch a module: rebuild, regenerate bindings and swap it in; sockets and data stay')
    .option('-d, --database <name>', 'what the database is called (default: as the folder)')
    .option('-o, --out-dir <folder>', 'write bindings there (default: as chorale.json says)')
    .option('--sdk <package>', 'whose client the bindings are for: chorale, chorale-async or spacetimedb')
    .option('--data-dir <folder>', 'as for `start`, when no server runs yet')
    .option('--static <folder>', 'pages to serve, when no server runs yet')
    .addOption(retainOption())
    .addOption(deleteDataOption())
    .addHelpText('after', example('chorale dev', 'chorale dev --delete-data=on-conflict'));
  addServerOptions(addModuleOptions(command)).action((path: string | undefined, options: DevOptions) =>
    dev(context, path, options),
  );
}

async function dev(context: CommandContext, path: string | undefined, options: DevOptions): Promise<void> {
  const project = withBindings(await findProject(context, options, path), options, context);
  const database = options.database ?? project.database;
  const { api, close } = await findOrStart(context, options, project);
  const session = new DevSession(context, api, project, { database, deleteData: options.deleteData });
  try {
    await session.open();
    await untilStopped(context.stop);
  } finally {
    await session.close();
    await close();
  }
}

function withBindings(project: Project, options: DevOptions, { workingDirectory }: CommandContext): Project {
  if (options.outDir === undefined) return project;
  const outDirectory = resolve(workingDirectory, options.outDir);
  return { ...project, bindings: { outDirectory, sdk: options.sdk ?? 'chorale' } };
}

/** The server that runs at the address, or one of our own there. */
async function findOrStart(
  context: CommandContext,
  options: DevOptions,
  project: Project,
): Promise<{ api: ServerApi; close: () => Promise<void> }> {
  const api = await openServer(context, options, 'own');
  const { terminal } = context;
  if (await api.isRunning()) {
    terminal.note(`publishing to the server at ${api.url}; Ctrl-C stops watching`);
    return { api, close: async () => undefined };
  }
  const { hostname, port, protocol } = new URL(api.url);
  if (protocol !== 'http:' || !/^(localhost|127\.\d+\.\d+\.\d+)$/.test(hostname)) {
    throw new CliError(`no server is running at ${api.url}`, {
      hint: 'Only a server on this machine can be started for you.',
    });
  }
  const { dataDir, static: pages } = options;
  const local = await startLocalServer(context, {
    host: hostname === 'localhost' ? '127.0.0.1' : hostname,
    port: port === '' ? 80 : Number(port),
    dataDirectory: resolve(context.workingDirectory, dataDir ?? join(project.root, '.chorale')),
    retainMs: options.retain,
    portHint: 'Something else runs there. Choose another with --server http://127.0.0.1:PORT.',
    staticDirectory: pages === undefined ? undefined : resolve(context.workingDirectory, pages),
  });
  terminal.note(`started a server at ${terminal.paint('cyan', local.url)}; Ctrl-C stops it`);
  return local;
}
