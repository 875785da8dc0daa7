import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

/** A directory with the given files, which is gone when the test is over. */
export async function makeProject(
  files: Readonly<Record<string, string>>,
): Promise<{ readonly directory: string }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'chorale-test-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return { directory };
}
