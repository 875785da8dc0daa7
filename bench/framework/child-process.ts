import { type ChildProcess, fork } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import type { ChildRequest, ChildResponse, ProcessSample } from './messages.js';

/*
 * Every server and every load generator runs in its own process, bundled by esbuild without any of the wrappers
 * that TypeScript loaders put around functions, so that what is measured is what npm users run.
 */

const benchFolder = join(dirname(fileURLToPath(import.meta.url)), '..');
const built = new Map<string, Promise<string>>();

function buildEntry(entry: string): Promise<string> {
  let output = built.get(entry);
  if (output === undefined) {
    output = bundle(join(benchFolder, entry));
    built.set(entry, output);
  }
  return output;
}

async function bundle(entry: string): Promise<string> {
  const folder = join(benchFolder, 'dist', basename(dirname(entry)));
  await mkdir(folder, { recursive: true });
  const outfile = join(folder, basename(entry).replace(/\.ts$/, '.mjs'));
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    // Generated bindings import the package by its name: measure its sources, not its last build.
    alias: { 'chorale/client': join(benchFolder, '../src/protocols/spacetimedb/client/index.node.ts') },
    logLevel: 'warning',
  });
  return outfile;
}

interface PendingCall {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A process of the benchmark; `entry` is a TypeScript file below bench/ that calls `answerParent`. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PendingCall>();
  #nextId = 1;

  private constructor(child: ChildProcess, entry: string) {
    this.#child = child;
    child.on('message', (response: ChildResponse) => this.#settle(response));
    child.on('exit', (code, signal) => this.#failAll(new Error(`${entry} ended (${code ?? signal})`)));
  }

  /** `nodeArguments` go to Node, such as `--cpu-prof`. */
  static async start(entry: string, nodeArguments: readonly string[] = []): Promise<BenchProcess> {
    const file = await buildEntry(entry);
    const child = fork(file, [], { execArgv: ['--expose-gc', ...nodeArguments], cwd: benchFolder });
    return new BenchProcess(child, entry);
  }

  call<Result>(call: string, argument?: unknown): Promise<Result> {
    const request: ChildRequest = { id: this.#nextId++, call, argument };
    return new Promise<Result>((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#child.send(request, (error) => {
        if (error !== null) reject(error);
      });
    });
  }

  sample(): Promise<ProcessSample> {
    return this.call('sample');
  }

  /** A sample after collecting garbage. */
  collect(): Promise<ProcessSample> {
    return this.call('collect');
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = new Promise<void>((resolve) => void this.#child.once('exit', () => resolve()));
    this.#child.disconnect();
    const lost = setTimeout(() => this.#child.kill('SIGKILL'), 5000);
    await gone;
    clearTimeout(lost);
  }

  #settle(response: ChildResponse): void {
    const call = this.#waiting.get(response.id);
    this.#waiting.delete(response.id);
    if ('error' in response) call?.reject(new Error(response.error));
    else call?.resolve(response.result as never);
  }

  #failAll(error: Error): void {
    for (const call of this.#waiting.values()) call.reject(error);
    this.#waiting.clear();
  }
}
