import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Duplex } from 'node:stream';

// Ours: the chat looks at its input ten times a second; a machine under load may be a hundred times slower.
const PATIENCE_MS = 20_000;

export interface ProgramOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** How many descriptors it gets from 3 on. */
  readonly pipeCount?: number;
}

/** A program whose lines are waited for. */
export class Program {
  readonly name: string;
  readonly exited: Promise<number | null>;
  readonly #child: ChildProcessWithoutNullStreams;
  #output = '';
  #seen = 0;
  #wake: (() => void) | undefined;
  #hasEnded = false;

  constructor(
    name: string,
    command: string,
    words: readonly string[],
    { cwd, env, pipeCount = 0 }: ProgramOptions,
  ) {
    this.name = name;
    this.#child = spawn(command, words, {
      cwd,
      env: { ...process.env, ...env },
      stdio: Array.from({ length: 3 + pipeCount }, () => 'pipe'),
    }) as ChildProcessWithoutNullStreams;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#wake?.();
      });
    }
    this.exited = new Promise((resolve) => {
      this.#child.on('error', () => resolve(null));
      this.#child.on('close', (code) => resolve(code));
    });
    void this.exited.then(() => {
      this.#hasEnded = true;
      this.#wake?.();
    });
  }

  get output(): string {
    return this.#output;
  }

  /** Our ends of the descriptors from 3 on. */
  get pipes(): readonly Duplex[] {
    return this.#child.stdio.slice(3) as unknown as Duplex[];
  }

  type(line: string): void {
    this.#child.stdin.write(`${line}\n`);
  }

  /** Waits for output that was not waited for before; the match. */
  async expect(pattern: RegExp): Promise<RegExpExecArray> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const match = pattern.exec(this.#output.slice(this.#seen));
      if (match !== null) {
        this.#seen += match.index + match[0].length;
        return match;
      }
      if (this.#hasEnded || Date.now() >= deadline) {
        throw new Error(`${this.name} did not say ${pattern}. It said:\n${this.#output}`);
      }
      await this.#more(deadline);
    }
  }

  async #more(deadline: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      timer = setTimeout(resolve, Math.max(1, deadline - Date.now()));
    });
    clearTimeout(timer);
  }

  /** Ends it if it still runs. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (!this.#hasEnded) this.#child.kill(signal);
    await this.exited;
  }
}

/** Runs a program to its end and gives what it printed. */
export async function runToEnd(
  command: string,
  words: readonly string[],
  options: ProgramOptions & { readonly input?: string },
): Promise<string> {
  const child = spawn(command, words, { cwd: options.cwd, env: { ...process.env, ...options.env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  child.stdin.end(options.input ?? '');
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${words.join(' ')} ended with ${String(code)}:\n${stdout}${stderr}`);
  return stdout;
}
