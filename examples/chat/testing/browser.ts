import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Browser } from 'playwright-core';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/**
 * Where the browser is: CHORALE_CHROMIUM, or one that a Linux distribution installs. With CHORALE_REQUIRE_BROWSER=1, as in CI,
 * it is an error that there is none: nobody would notice that the tests are skipped.
 */
export function findBrowser(): string | undefined {
  const named = process.env['CHORALE_CHROMIUM'];
  const found = (named === undefined ? PLACES : [named]).find((path) => existsSync(path));
  if (found === undefined && process.env['CHORALE_REQUIRE_BROWSER'] === '1') {
    throw new Error(
      "no browser was found: install Debian's `chromium`, or say where one is with CHORALE_CHROMIUM",
    );
  }
  return found;
}

export async function openBrowser(executablePath: string): Promise<Browser> {
  return await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface PageSource {
  /** The example's folder, with `public/` and `web/main.ts`. */
  readonly example: string;
  /** The bundle that `public/index.html` wants. */
  readonly script: string;
  /** Our package's entries that the page imports, as files below `src/`: its sources, not its last build. */
  readonly entries: Readonly<Record<string, string>>;
}

/** Makes a page as it is served. */
export async function buildPage({ example, script, entries }: PageSource, folder: string): Promise<void> {
  await cp(join(example, 'public'), folder, { recursive: true });
  const source = new URL('../../../src/', import.meta.url);
  await build({
    entryPoints: [join(example, 'web', 'main.ts')],
    outfile: join(folder, script),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    alias: Object.fromEntries(
      Object.entries(entries).map(([name, file]) => [name, fileURLToPath(new URL(file, source))]),
    ),
    logLevel: 'warning',
  });
}
