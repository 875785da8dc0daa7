import { fileURLToPath } from 'node:url';
import { createServer } from 'chorale';
import type { ChoraleServer } from 'chorale';
import { REALM } from './jobs-api.js';

/** The page, and the router between it and the workers, on one port. */
export async function startJobsServer(
  options: { readonly port?: number; readonly staticDirectory?: string } = {},
): Promise<ChoraleServer> {
  const staticDirectory = fileURLToPath(new URL('public', import.meta.url));
  return await createServer({ staticDirectory, ...options, wamp: { realms: { [REALM]: {} } } });
}
