import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { CliError } from '../cli-error.js';
import type { CommandContext } from '../command-context.js';
import { example } from '../help-example.js';
import { projectTemplate } from '../project-template.js';
import { databaseName } from '../project.js';

interface InitOptions {
  readonly name?: string;
}

export function addInitCommand(program: Command, context: CommandContext): void {
  program
    .command('init [folder]')
    .description('write a small application to begin with')
    .option('--name <database>', 'what the database is called (default: as the folder)')
    .addHelpText('after', example('chorale init chat', 'cd chat', 'npm install', 'npm run dev'))
    .action(async (folder: string | undefined, options: InitOptions) => {
      const root = resolve(context.workingDirectory, folder ?? '.');
      await checkEmpty(root);
      const files = projectTemplate(databaseName(options.name ?? basename(root)));
      for (const [name, text] of files) await write(join(root, name), text);
      const { terminal, workingDirectory } = context;
      const enter = folder === undefined ? '' : `cd ${relative(workingDirectory, root)} && `;
      terminal.note(`wrote ${[...files.keys()].join(', ')}`);
      terminal.note(`Next: ${enter}npm install && npm run dev`);
    });
}

async function checkEmpty(root: string): Promise<void> {
  const names = await readdir(root).catch(() => []);
  // A repository that was just made is as good as empty.
  const found = names.filter((name) => name !== '.git');
  if (found.length > 0) {
    throw CliError.usage(
      `${root} is not empty: there is ${found[0]}`,
      'Name a new folder: chorale init my-app',
    );
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text, { flag: 'wx' });
}
