import { spawn, spawnSync, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

/*
 * A program and its screen. Node has no pseudo-terminals: `script` of util-linux lends its own where there is one, so
 * that the program sees a terminal and what is typed is echoed; elsewhere its input and output are pipes.
 */

export const hasPseudoTerminal =
  spawnSync('script', ['--version']).stdout?.toString().includes('util-linux') ?? false;

export class ScreenProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  #text = '';
  /** The exit code, once it has ended. */
  readonly exited: Promise<number | null>;

  constructor(words: readonly string[], environment: Readonly<Record<string, string>>) {
    const [program, ...args] = hasPseudoTerminal ? inTerminal(words) : words;
    this.#child = spawn(program!, args, { env: { ...process.env, ...environment } });
    this.#child.stdout.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
    this.#child.stderr.on('data', (chunk: Buffer) => (this.#text += chunk.toString()));
    this.exited = new Promise((resolve) => this.#child.on('close', resolve));
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** What is on the screen. */
  get lines(): string[] {
    return stripVTControlCharacters(this.#text).replaceAll('\r', '').split('\n');
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }
}

/** `--return` gives the program's exit code, `--flush` every line at once. */
function inTerminal(words: readonly string[]): readonly string[] {
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  return ['script', '--quiet', '--return', '--flush', '--command', command, '/dev/null'];
}
