import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface TestProject {
  readonly directory: string;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A directory with the given files, which is gone after the test: `await using project = await makeProject({ … })`. */
export async function makeProject(files: Readonly<Record<string, string>>): Promise<TestProject> {
  const directory = await mkdtemp(path.join(tmpdir(), 'chorale-test-'));
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(directory, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
  return {
    directory,
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}
