import { relative, resolve } from 'node:path';
import { Option, type Command } from 'commander';
import { generateFromModule, generateFromSchema, writeBindings } from '../bindings.js';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { addModuleOptions, findProject, SDKS, type ModuleOptions, type Sdk } from '../project.js';
import { addServerOptions, openServer, type ServerOptions } from '../server-options.js';

interface GenerateOptions extends ModuleOptions, ServerOptions {
  readonly lang: string;
  readonly outDir?: string;
  readonly sdk?: Sdk;
  readonly database?: string;
}

export function addGenerateCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('generate [path]')
    .description('write typed bindings for clients of a module')
    .option('-l, --lang <language>', 'typescript, or python for spacetimedb_sdk 0.7', 'typescript')
    .option('-o, --out-dir <folder>', 'where to write them')
    .addOption(new Option('--sdk <package>', 'whose client they are for').choices(SDKS))
    .option('-d, --database <name>', 'read the schema from a running database instead of a module')
    .addHelpText(
      'after',
      example('chorale generate --lang typescript --out-dir module_bindings --project-path ../server'),
    );
  addServerOptions(addModuleOptions(command)).action((path: string | undefined, options: GenerateOptions) =>
    generate(context, path, options),
  );
}

async function generate(
  context: CommandContext,
  path: string | undefined,
  options: GenerateOptions,
): Promise<void> {
  const isPython = readLanguage(options.lang) === 'python';
  if (isPython && options.sdk !== undefined) {
    throw CliError.usage('--sdk is for TypeScript', 'Python bindings are for the package spacetimedb_sdk.');
  }
  const project = await findProject(context, options, path);
  // The project's own folder is for its TypeScript.
  const out = options.outDir ?? (isPython ? undefined : project.bindings?.outDirectory);
  if (out === undefined) {
    throw CliError.usage(
      'where shall the bindings be written?',
      'Say it with --out-dir FOLDER, or in chorale.json.',
    );
  }
  const target = isPython ? 'python' : (options.sdk ?? project.bindings?.sdk ?? 'chorale');
  const files =
    options.database === undefined
      ? await generateFromModule(project.modulePath, target)
      : await generateFromSchema(await openServer(context, options, 'own'), options.database, target);
  const folder = resolve(context.workingDirectory, out);
  const changed = await writeBindings(folder, files);
  const shown = relative(context.workingDirectory, folder) || '.';
  context.terminal.note(`${files.size} files in ${shown}, ${changed} of them changed`);
}

function readLanguage(language: string): 'typescript' | 'python' {
  if (/^(typescript|ts)$/i.test(language)) return 'typescript';
  if (/^(python|py)$/i.test(language)) return 'python';
  const hint =
    'Chorale writes TypeScript and Python. Bindings that the official command line writes for other languages work with Chorale as well.';
  throw CliError.usage(`cannot generate ${language}`, hint);
}
