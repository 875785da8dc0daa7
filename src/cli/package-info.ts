import { readFileSync } from 'node:fs';

/** The version of the installed package. */
export function packageVersion(): string {
  // Both src/cli and dist/cli lie two folders below package.json.
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}
