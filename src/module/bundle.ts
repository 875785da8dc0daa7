import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import type { BuildFailure, Message, Plugin } from 'esbuild';
import * as moduleApi from './index.js';

/*
 * A module's TypeScript as one program. What authors import from `chorale/server` or `spacetimedb/server` is not bundled
 * but read from a variable that the loader binds, so programs are small and share our classes.
 */

/** The free variable of a bundled program: `{ api, console }`. */
export const HOST_VARIABLE = '__chorale_host__';

export type BundleErrorCode = 'NO_ENTRY' | 'BUILD_FAILED';

/** A module that could not be bundled. The message is readable as it is: file, line, column, the line itself, what to do. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
  readonly code: BundleErrorCode;
  /** Absolute files that were read, for those who watch for a correction. */
  readonly problems: readonly BundleProblem[];

  constructor(code: BundleErrorCode, message: string, problems: readonly BundleProblem[] = []) {
    super(message);
    this.code = code;
    this.problems = problems;
  }
}

export interface BundleProblem {
  readonly text: string;
  readonly file: string | undefined;
  readonly line: number | undefined;
  readonly column: number | undefined;
}

export interface Bundle {
  /** One ES module that imports nothing but what Node has. */
  readonly program: string;
  /** The files it was made of, absolute: what to watch. */
  readonly inputs: readonly string[];
}

/**
 * Bundles the module at a file or in a directory.
 *
 * @example
 * const { program } = await bundleModule('examples/chat');
 */
export async function bundleModule(entry: string): Promise<Bundle> {
  const file = findEntry(entry);
  const root = findRoot(file);
  try {
    const result = await build({
      entryPoints: [file],
      absWorkingDir: root,
      outfile: path.join(root, 'module.mjs'),
      write: false,
      bundle: true,
      metafile: true,
      format: 'esm',
      platform: 'neutral',
      target: 'node20.19',
      mainFields: ['module', 'main'],
      conditions: ['production', 'import', 'default'],
      external: ['node:*'],
      define: { console: `${HOST_VARIABLE}.console`, [NODE_ENV]: '"production"' },
      charset: 'utf8',
      sourcemap: 'inline',
      sourcesContent: false,
      logLevel: 'silent',
      plugins: [hostImports()],
    });
    const inputs = Object.keys(result.metafile.inputs)
      .filter((input) => !input.startsWith(NAMESPACE))
      .map((input) => path.resolve(root, input));
    return { program: result.outputFiles[0]!.text, inputs };
  } catch (error) {
    throw isBuildFailure(error) ? buildError(error) : error;
  }
}

/** The file to start from. A directory is searched in the places that SpacetimeDB projects use. */
export function findEntry(entry: string): string {
  const absolute = path.resolve(entry);
  if (!existsSync(absolute)) throw new BundleError('NO_ENTRY', `there is no file or directory ${entry}`);
  if (!statSync(absolute).isDirectory()) return absolute;
  const places = [
    ...packageEntries(absolute),
    'src/index.ts',
    'index.ts',
    'spacetimedb/src/index.ts',
    'spacetimedb/index.ts',
  ];
  const found = places.map((place) => path.join(absolute, place)).find((place) => existsSync(place));
  if (found !== undefined) return found;
  throw new BundleError(
    'NO_ENTRY',
    `no module in ${entry}: looked for ${places.join(', ')}; give the file, or name it as "module" in package.json`,
  );
}

/** What package.json names, if it is source; a compiled `main` is not the module's source. */
function packageEntries(directory: string): string[] {
  const file = path.join(directory, 'package.json');
  if (!existsSync(file)) return [];
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    throw new BundleError('NO_ENTRY', `${file} is not JSON`);
  }
  if (typeof parsed !== 'object' || parsed === null) return [];
  const { module, main } = parsed as { readonly module?: unknown; readonly main?: unknown };
  return [module, main].filter(
    (place): place is string => typeof place === 'string' && /\.m?tsx?$/.test(place),
  );
}

/** Where paths in messages and stack traces start: the nearest package.json, else the file's directory. */
function findRoot(file: string): string {
  const start = path.dirname(file);
  for (let at = start; ; at = path.dirname(at)) {
    if (existsSync(path.join(at, 'package.json'))) return at;
    if (path.dirname(at) === at) return start;
  }
}

const NAMESPACE = 'chorale-host';
/** What libraries ask for; answered when bundling, so that programs do not depend on the server's environment. */
const NODE_ENV = ['process', 'env', 'NODE_ENV'].join('.');

function hostImports(): Plugin {
  return {
    name: NAMESPACE,
    setup(setup) {
      setup.onResolve(
        { filter: /^(spacetimedb|spacetimedb\/server|chorale\/server)$/ },
        ({ path: name }) => ({
          path: name,
          namespace: NAMESPACE,
        }),
      );
      setup.onResolve({ filter: /^spacetime:sys@/ }, ({ path: name }) => ({
        errors: [{ text: systemImportText(name) }],
      }));
      setup.onLoad({ filter: /.*/, namespace: NAMESPACE }, () => ({ contents: hostModuleText() }));
    },
  };
}

function hostModuleText(): string {
  return `export const { ${Object.keys(moduleApi).join(', ')} } = ${HOST_VARIABLE}.api;`;
}

/** For programs that other tools bundled with the npm package inside. */
export function systemImportText(name: string): string {
  return `"${name}" is the host interface of bundles made with the npm package spacetimedb, which is not supported: publish the module's TypeScript source`;
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors);
}

function buildError({ errors }: BuildFailure): BundleError {
  const problems = errors.map(({ text, location }) => ({
    text,
    file: location?.file,
    line: location?.line,
    column: location === null ? undefined : location.column + 1,
  }));
  return new BundleError('BUILD_FAILED', errors.map(messageText).join('\n\n'), problems);
}

function messageText({ text, location, notes }: Message): string {
  const hints = [adviceFor(text), ...notes.map((note) => note.text)].filter((hint) => hint !== undefined);
  const hint = hints.map((line) => `\n  ${line}`).join('');
  if (location === null) return `${text}${hint}`;
  const number = String(location.line);
  const margin = ' '.repeat(number.length);
  return [
    `${location.file}:${number}:${location.column + 1}: ${text}`,
    `  ${number} | ${location.lineText}`,
    `  ${margin} | ${' '.repeat(location.column)}${'^'.repeat(Math.max(1, location.length))}${hint}`,
  ].join('\n');
}

function adviceFor(text: string): string | undefined {
  const unresolved = /^Could not resolve "([^"]+)"/.exec(text)?.[1];
  if (unresolved !== undefined) {
    return unresolved.startsWith('.')
      ? 'correct the path; it is relative to the importing file'
      : `install it with \`npm install ${unresolved}\`; of Node only names with \`node:\` are known`;
  }
  const missing = /^No matching export in "chorale-host:[^"]+" for import "([^"]+)"/.exec(text)?.[1];
  return missing === undefined
    ? undefined
    : `Chorale does not have \`${missing}\`: see the coverage table in the documentation`;
}
