import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const FOLDER = import.meta.dirname;
const VENV = join(FOLDER, '.venv');

/** A Python with the packages of requirements.txt, or why there is none. */
export type Environment =
  | { readonly kind: 'ready'; readonly python: string }
  | { readonly kind: 'absent'; readonly reason: string };

/** Makes the virtual environment beside this file, or uses the one that is there. */
export async function openEnvironment(): Promise<Environment> {
  const requirements = await readFile(join(FOLDER, 'requirements.txt'));
  const wanted = createHash('sha256').update(requirements).digest('hex');
  const python = join(VENV, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const mark = join(VENV, 'requirements.sha256');
  if ((await readFile(mark, 'utf8').catch(() => '')) === wanted) return { kind: 'ready', python };
  await rm(VENV, { recursive: true, force: true });
  try {
    await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', VENV]);
  } catch (error) {
    return { kind: 'absent', reason: `no Python 3 with venv: ${lastLine(error)}` };
  }
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
    await run(python, [...pip, '-r', join(FOLDER, 'requirements.txt')], { timeout: 120_000 });
  } catch (error) {
    await rm(VENV, { recursive: true, force: true });
    return { kind: 'absent', reason: `the packages cannot be had: ${lastLine(error)}` };
  }
  await writeFile(mark, wanted);
  return { kind: 'ready', python };
}

function lastLine(error: unknown): string {
  const { stderr, message } = error as { readonly stderr?: string; readonly message: string };
  const text = (stderr ?? '').trim() === '' ? message : stderr!;
  return text.trim().split('\n').at(-1)!.trim();
}
