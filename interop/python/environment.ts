import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Python with the packages of a requirements.txt, or why there is none. */
export type Environment =
  | { readonly kind: 'ready'; readonly python: string }
  | { readonly kind: 'absent'; readonly reason: string };

/** The Python of `npm run interop:python`; `undefined` in other test runs, and, saying so, where it cannot be had. */
export async function openEnvironmentIfWanted(folder?: string): Promise<string | undefined> {
  if (process.env['INTEROP_PYTHON'] !== '1') return undefined;
  const environment = await openEnvironment(folder);
  if (environment.kind === 'ready') return environment.python;
  process.stderr.write(`interop:python skipped: ${environment.reason}\n`);
  return undefined;
}

/** Makes the virtual environment in a folder that has a requirements.txt, or uses the one that is there. */
export async function openEnvironment(folder: string = import.meta.dirname): Promise<Environment> {
  const venv = join(folder, '.venv');
  const requirements = await readFile(join(folder, 'requirements.txt'));
  const wanted = createHash('sha256').update(requirements).digest('hex');
  const python = join(venv, process.platform === 'win32' ? 'Scripts/python.exe' : 'bin/python');
  const mark = join(venv, 'requirements.sha256');
  if ((await readFile(mark, 'utf8').catch(() => '')) === wanted) return { kind: 'ready', python };
  await rm(venv, { recursive: true, force: true });
  try {
    await run(process.env['PYTHON'] ?? 'python3', ['-m', 'venv', venv]);
  } catch (error) {
    return { kind: 'absent', reason: `no Python 3 with venv: ${lastLine(error)}` };
  }
  try {
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
    await run(python, [...pip, '-r', join(folder, 'requirements.txt')], { timeout: 120_000 });
  } catch (error) {
    await rm(venv, { recursive: true, force: true });
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
