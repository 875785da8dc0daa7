import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { systemClock } from '../base/clock.js';
import type { Clock } from '../base/clock.js';
import { bundleModule, HOST_VARIABLE, systemImportText } from './bundle.js';
import type { Module } from './definition/build-module.js';
import * as moduleApi from './index.js';
import { loadModule } from './load-module.js';
import type { ModuleLog } from './logs.js';
import { makeModuleConsole } from './module-console.js';
import type { ModuleConsole } from './module-console.js';
import { SourcePositions, withoutMap } from './source-positions.js';

/*
 * Programs run in our own realm: application code is trusted. Each load is a fresh evaluation, under a URL of its own;
 * Node keeps every evaluated module until the process ends, so each hot swap costs its program's size in memory.
 */

export interface LoadOptions {
  /** Where `console` of the module goes. */
  readonly log: ModuleLog;
  /** Where to put the program while it is imported; a temporary directory when left out. */
  readonly directory?: string;
  readonly clock?: Clock;
}

export type LoadErrorCode = 'UNSUPPORTED_PROGRAM' | 'EVALUATION_FAILED' | 'TIMED_OUT';

/** A program that is not a module we can run. The message names the place in the author's files, when it is known. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly code: LoadErrorCode;

  constructor(code: LoadErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What a program finds behind its free variable. */
interface HostHandle {
  readonly api: typeof moduleApi;
  readonly console: ModuleConsole;
}

const REGISTRY = Symbol.for('chorale.moduleHosts');
// 10 s: evaluating a module only defines things; one that awaits longer waits for something that will not come.
const EVALUATION_MS_MAX = 10_000;

let loadCount = 0;

/**
 * Evaluates a bundled program and makes a module of it.
 *
 * @example
 * const module = await loadProgram((await bundleModule('examples/chat')).program, { log });
 */
export async function loadProgram(programText: string, options: LoadOptions): Promise<Module> {
  const foreign = /(?:from|import)\s*["'](spacetime:sys@[^"']*)["']/.exec(programText)?.[1];
  if (foreign !== undefined) throw new LoadError('UNSUPPORTED_PROGRAM', systemImportText(foreign));
  const own = options.directory === undefined ? await mkdtemp(path.join(tmpdir(), 'chorale-')) : undefined;
  loadCount += 1;
  const file = path.join(options.directory ?? own!, `module-${process.pid}-${loadCount}.mjs`);
  const { href } = pathToFileURL(file);
  const positions = new SourcePositions(file, programText);
  try {
    const namespace = await importProgram(programText, file, href, positions, options);
    return { ...loadModule(namespace), positions };
  } catch (error) {
    throw error instanceof LoadError ? error : evaluationError(error, positions);
  } finally {
    if (own !== undefined) await rm(own, { recursive: true, force: true });
  }
}

/** Bundles the module at a file or in a directory and loads it. */
export async function loadEntry(entry: string, options: LoadOptions): Promise<Module> {
  const { program } = await bundleModule(entry);
  return loadProgram(program, options);
}

async function importProgram(
  programText: string,
  file: string,
  href: string,
  positions: SourcePositions,
  { log, clock = systemClock }: LoadOptions,
): Promise<object> {
  const handles = registry();
  const key = path.basename(file);
  const console = makeModuleConsole({
    log,
    monotonicMs: () => clock.monotonicMs(),
    findPlace: (stack) => positions.findPlace(stack),
  });
  handles.set(key, { api: moduleApi, console });
  // On the program's first line, so that all others keep their numbers for the source map.
  const binding = `const ${HOST_VARIABLE} = globalThis[Symbol.for("chorale.moduleHosts")].get(${JSON.stringify(key)}); `;
  try {
    await writeFile(file, binding + withoutMap(programText), { mode: 0o600 });
    return await withDeadline(import(/* @vite-ignore */ href) as Promise<object>, clock);
  } finally {
    handles.delete(key);
  }
}

async function withDeadline<T>(evaluation: Promise<T>, clock: Clock): Promise<T> {
  const { promise: expiry, reject } = withReject();
  const timer = clock.startTimer(EVALUATION_MS_MAX, () =>
    reject(
      new LoadError(
        'TIMED_OUT',
        `the module was not evaluated within ${EVALUATION_MS_MAX / 1000} seconds: remove the top-level await that waits`,
      ),
    ),
  );
  try {
    return await Promise.race([evaluation, expiry]);
  } finally {
    timer.cancel();
  }
}

function withReject(): { readonly promise: Promise<never>; readonly reject: (error: Error) => void } {
  let reject!: (error: Error) => void;
  const promise = new Promise<never>((_resolve, rejectPromise) => (reject = rejectPromise));
  return { promise, reject };
}

function registry(): Map<string, HostHandle> {
  const global = globalThis as { [REGISTRY]?: Map<string, HostHandle> };
  return (global[REGISTRY] ??= new Map());
}

function evaluationError(error: unknown, positions: SourcePositions): LoadError {
  if (!(error instanceof Error)) {
    return new LoadError('EVALUATION_FAILED', `the module threw ${String(error)} while it was loaded`, {
      cause: error,
    });
  }
  const place = error.stack === undefined ? undefined : positions.findPlace(error.stack);
  const where = place === undefined ? '' : `${place.filename}:${place.line}: `;
  return new LoadError('EVALUATION_FAILED', `${where}${error.message}`, { cause: error });
}
