import { spawn } from 'node:child_process';
import { join } from 'node:path';

import { onTestFinished } from 'vitest';

export interface PythonRun {
  /** The lines that the script has printed. */
  readonly lines: string[];
  readonly ended: Promise<number | null>;
  /** Waits for a line that begins so, and returns the rest of it. */
  line(beginning: string): Promise<string>;
}

/** Runs a script of this folder, `engineio/client.py`, for as long as the test takes. */
export function runPython(python: string, script: string, ...args: readonly string[]): PythonRun {
  const child = spawn(python, ['-u', join(import.meta.dirname, script), ...args]);
  const lines: string[] = [];
  let rest = '';
  let wake = (): void => {};
  child.stdout.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  let errors = '';
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  let isOver = false;
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', (code) => {
      isOver = true;
      wake();
      resolve(code);
    });
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return {
    lines,
    ended,
    async line(beginning) {
      for (;;) {
        const found = lines.find((text) => text.startsWith(beginning));
        if (found !== undefined) return found.slice(beginning.length).trim();
        if (isOver)
          throw new Error(`the script ended without "${beginning}": ${lines.join(' | ')} ${errors}`);
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
  };
}
