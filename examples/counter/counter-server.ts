import { fileURLToPath } from 'node:url';

import { createServer, loadModule } from 'chorale';
import type { ChoraleServer } from 'chorale';

import * as counter from './counter-module.js';

/** The page and its socket on one port. */
export async function startCounterServer(
  options: { readonly port?: number; readonly staticDirectory?: string } = {},
): Promise<ChoraleServer> {
  const staticDirectory = fileURLToPath(new URL('public', import.meta.url));
  return await createServer({ staticDirectory, ...options, databases: { counter: loadModule(counter) } });
}
