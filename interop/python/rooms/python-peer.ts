import { join } from 'node:path';
import type { Duplex } from 'node:stream';

import { onTestFinished } from 'vitest';

import { Program } from '../program.js';

/** A document in a Python process; see `peer.py` for the words. */
export class PythonPeer {
  readonly #program: Program;

  private constructor(program: Program) {
    this.#program = program;
  }

  /** Ready when it is connected, or serves. @param words of `peer.py`'s command line. */
  static async open(python: string, words: readonly string[], pipeCount = 0): Promise<PythonPeer> {
    const { peer, ready } = PythonPeer.start(python, words, pipeCount);
    await ready;
    return peer;
  }

  /** The same for who has to attach something to its pipes before it can be ready. */
  static start(
    python: string,
    words: readonly string[],
    pipeCount = 0,
  ): { readonly peer: PythonPeer; readonly ready: Promise<unknown> } {
    const script = join(import.meta.dirname, 'peer.py');
    const program = new Program(words.join(' '), python, ['-u', script, ...words], {
      cwd: import.meta.dirname,
      pipeCount,
    });
    onTestFinished(() => program.stop('SIGKILL'));
    return { peer: new PythonPeer(program), ready: program.expect(/^ready\n/m) };
  }

  /** Our ends of its descriptors 3, which it reads, and 4. */
  get pipe(): { readonly input: Duplex; readonly output: Duplex } {
    return { input: this.#program.pipes[1]!, output: this.#program.pipes[0]! };
  }

  async insert(text: string): Promise<void> {
    this.#program.type(`insert ${text}`);
    await this.#program.expect(/^ok\n/m);
  }

  async text(): Promise<string> {
    this.#program.type('text');
    return JSON.parse((await this.#program.expect(/^text (.*)\n/m))[1]!) as string;
  }

  async close(): Promise<void> {
    this.#program.type('close');
    await this.#program.expect(/^closed\n/m);
    await this.#program.exited;
  }
}
