import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An empty folder that is gone when the process ends. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'chorale-durability-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** As the server opens its logs. */
export const PREALLOCATE_BYTES = 1024 * 1024;
