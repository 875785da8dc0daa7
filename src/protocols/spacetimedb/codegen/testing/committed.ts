import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const generatedFolder = fileURLToPath(new URL('../../../../../interop/generated', import.meta.url));

/**
 * A generated file as it is in the repository, where the compiler sees it; UPDATE_GENERATED=1 writes it anew first.
 *
 * @param path below interop/generated.
 */
export function readOrUpdate(path: string, text: string): string | undefined {
  const file = join(generatedFolder, path);
  if (process.env['UPDATE_GENERATED'] !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
