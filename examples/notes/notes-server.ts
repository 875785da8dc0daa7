import { fileURLToPath } from 'node:url';

import { createServer, loadModule } from 'chorale';
import type { ChoraleServer } from 'chorale';

import * as notes from './notes-module.js';

export interface NotesServerOptions {
  readonly port?: number;
  readonly dataDirectory?: string;
  readonly staticDirectory?: string;
}

/** The page and its documents on one port. */
export async function startNotesServer(options: NotesServerOptions = {}): Promise<ChoraleServer> {
  const staticDirectory = fileURLToPath(new URL('public', import.meta.url));
  return await createServer({ staticDirectory, ...options, databases: { notes: loadModule(notes) } });
}
