import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { onTestFinished } from 'vitest';

const source = (path: string): string => fileURLToPath(new URL(`../../../src/${path}`, import.meta.url));

/** A worker's program as one file, of the package's sources and not of its last build. */
export async function bundleWorker(folder: string): Promise<string> {
  const outfile = join(folder, 'worker.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('../worker/main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // For `ws`, which is CommonJS.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire('/');" },
    alias: { 'chorale/wamp': source('protocols/wamp/client/index.node.ts') },
    logLevel: 'warning',
  });
  return outfile;
}

/** A worker in a process of its own for as long as the test takes; the way to kill it. */
export function startWorkerProcess(file: string, port: number, name: string): () => void {
  const child = spawn(process.execPath, [file, `tcp://127.0.0.1:${port}`, name]);
  const kill = (): void => void child.kill('SIGKILL');
  onTestFinished(kill);
  return kill;
}
