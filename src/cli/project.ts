import { readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { CliError, ExitCode } from './cli-error.js';
import type { CommandContext } from './command-context.js';

/* Where a module lies and what it is called. A `chorale.json` beside it can say so; a `spacetime.json` is understood too:

     { "database": "chat", "module-path": "server", "generate": [{ "language": "typescript", "out-dir": "src/bindings" }] }
*/

export interface Project {
  /** The folder of the configuration, or of the module: what paths in the configuration are relative to. */
  readonly root: string;
  /** The module's folder or entry file. */
  readonly modulePath: string;
  readonly database: string;
  /** Where bindings are written by `dev`; undefined when nothing was said. */
  readonly bindings: BindingsTarget | undefined;
}

export interface BindingsTarget {
  readonly outDirectory: string;
  readonly sdk: Sdk;
}

/** Whose client bindings are for. `chorale-async` is the package of a SpacetimeDBAsyncClient. */
export const SDKS = ['chorale', 'chorale-async', 'spacetimedb'] as const;
export type Sdk = (typeof SDKS)[number];

export interface ModuleOptions {
  readonly modulePath?: string | undefined;
  readonly projectPath?: string | undefined;
}

interface ProjectFile {
  readonly database?: unknown;
  readonly 'module-path'?: unknown;
  readonly generate?: unknown;
}

const PROJECT_FILES = ['chorale.json', 'spacetime.json'];

/** The options of every command that reads a module. Two names for one thing: the second is the older one. */
export function addModuleOptions(command: Command): Command {
  return command
    .option('-p, --module-path <path>', 'folder or entry file of the module (default: here)')
    .option('--project-path <path>', 'the same as --module-path');
}

/** @param positional the path as an argument; it wins over the options. */
export async function findProject(
  context: CommandContext,
  options: ModuleOptions,
  positional?: string,
): Promise<Project> {
  const named = positional ?? options.modulePath ?? options.projectPath;
  const path = resolve(context.workingDirectory, named ?? '.');
  const isFile = await checkExists(path, named);
  const root = isFile ? dirname(path) : path;
  const file = await readProjectFile(root);
  const modulePath =
    isFile || typeof file['module-path'] !== 'string' ? path : join(root, file['module-path']);
  const database = typeof file.database === 'string' ? file.database : databaseName(basename(root));
  return { root, modulePath, database, bindings: readBindingsTarget(file.generate, root) };
}

/** What a database may be called, made of any text: `My Chat!` becomes `my-chat`. */
export function databaseName(text: string): string {
  const name = text.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return name.replaceAll(/^-+|-+$/g, '') || 'app';
}

async function checkExists(path: string, named: string | undefined): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (cause) {
    throw new CliError(`there is nothing at ${named ?? path}`, { cause, exitCode: ExitCode.USAGE });
  }
}

async function readProjectFile(root: string): Promise<ProjectFile> {
  for (const name of PROJECT_FILES) {
    const path = join(root, name);
    const text = await readFile(path, 'utf8').catch(() => undefined);
    if (text !== undefined) return parseProjectFile(path, text);
  }
  return {};
}

function parseProjectFile(path: string, text: string): ProjectFile {
  try {
    const file: unknown = JSON.parse(text);
    if (typeof file === 'object' && file !== null) return file;
  } catch (cause) {
    throw new CliError(`${path} is not JSON`, { cause });
  }
  throw new CliError(`${path} must hold a JSON object`);
}

function readBindingsTarget(generate: unknown, root: string): BindingsTarget | undefined {
  const targets = Array.isArray(generate) ? (generate as unknown[]) : [];
  for (const target of targets) {
    if (typeof target !== 'object' || target === null) continue;
    const { language, sdk, 'out-dir': out } = target as Record<string, unknown>;
    if (language !== 'typescript' || typeof out !== 'string') continue;
    return { outDirectory: join(root, out), sdk: SDKS.find((name) => name === sdk) ?? 'chorale' };
  }
  return undefined;
}
