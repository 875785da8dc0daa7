import { existsSync } from 'node:fs';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium, type Browser } from 'playwright-core';
import { CHAT_FOLDER } from './chat-server.js';

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

/** The page as it is served, made of the client's source. */
export async function buildPage(folder: string): Promise<void> {
  await cp(join(CHAT_FOLDER, 'public'), folder, { recursive: true });
  const client = new URL('../../../src/protocols/spacetimedb/client/index.ts', import.meta.url);
  await build({
    entryPoints: [join(CHAT_FOLDER, 'web', 'main.ts')],
    outfile: join(folder, 'chat.js'),
    bundle: true,
    format: 'esm',
    target: 'es2022',
    alias: { 'chorale/client': fileURLToPath(client) },
    logLevel: 'warning',
  });
}
