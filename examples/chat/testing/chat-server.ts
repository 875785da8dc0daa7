import { fileURLToPath } from 'node:url';
import { systemClock } from '../../../src/base/clock.js';
import { loadEntry } from '../../../src/module/load.js';
import { ModuleLog } from '../../../src/module/logs.js';
import { createServer, type ChoraleServer } from '../../../src/server/create-server.js';

export const CHAT_FOLDER = fileURLToPath(new URL('..', import.meta.url));

interface ChatServerOptions {
  readonly port?: number;
  readonly dataDirectory?: string;
  readonly staticDirectory?: string;
}

/** The chat on a port of its own. */
export async function startChat(options: ChatServerOptions = {}): Promise<ChoraleServer> {
  const chat = await loadEntry(CHAT_FOLDER, { log: new ModuleLog({ clock: systemClock }) });
  return await createServer({ ...options, databases: { chat } });
}
