import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const EXAMPLE = join(import.meta.dirname, '..');
const CLIENT = fileURLToPath(new URL('../../../src/protocols/rooms/client/index.ts', import.meta.url));

/** The page and its server, in a process that can be killed and started again on the same port with the same data. */
export class NotesSite {
  readonly #folder: string;
  #process: ChildProcess | undefined;
  url = '';

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Bundles the page from the client's source. */
  static async build(): Promise<NotesSite> {
    const folder = await mkdtemp(join(tmpdir(), 'chorale-notes-'));
    await cp(join(EXAMPLE, 'public'), join(folder, 'public'), { recursive: true });
    await build({
      entryPoints: [join(EXAMPLE, 'web', 'main.ts')],
      outfile: join(folder, 'public', 'notes.js'),
      bundle: true,
      format: 'esm',
      target: 'es2022',
      alias: { 'chorale/rooms': CLIENT },
      logLevel: 'warning',
    });
    return new NotesSite(folder);
  }

  async start(): Promise<void> {
    const port = this.url === '' ? '0' : new URL(this.url).port;
    const words = [join(EXAMPLE, 'main.ts'), port, join(this.#folder, 'data'), join(this.#folder, 'public')];
    this.#process = spawn(process.execPath, ['--import', 'tsx', ...words], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(createInterface({ input: this.#process.stdout! }), 'line')) as [string];
    this.url = line.replace('Open ', '');
  }

  /** As a power failure would. */
  async kill(): Promise<void> {
    if (this.#process === undefined) return;
    const ended = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    this.#process = undefined;
    await ended;
  }

  async remove(): Promise<void> {
    await this.kill();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
