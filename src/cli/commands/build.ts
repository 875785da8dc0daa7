import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { buildModule, describeSize } from '../module-build.js';
import { addModuleOptions, findProject, type ModuleOptions } from '../project.js';

interface BuildOptions extends ModuleOptions {
  readonly out?: string;
}

export function addBuildCommand(program: Command, context: CommandContext): void {
  const command = program
    .command('build [path]')
    .description('bundle a module into one file that can be published')
    .option('-o, --out <file>', 'where to write it (default: dist/bundle.js beside the module)')
    .addHelpText('after', example('chorale build', 'chorale build --project-path server --out chat.js'));
  addModuleOptions(command).action(async (path: string | undefined, options: BuildOptions) => {
    const project = await findProject(context, options, path);
    const { program } = await buildModule(project.modulePath);
    const file = resolve(context.workingDirectory, options.out ?? join(project.root, 'dist', 'bundle.js'));
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, program);
    context.terminal.note(`wrote ${relative(context.workingDirectory, file)} (${describeSize(program)})`);
  });
}
