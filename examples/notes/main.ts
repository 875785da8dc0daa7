import process from 'node:process';
import { fileURLToPath } from 'node:url';

import { startNotesServer } from './notes-server.js';

/* `npm run notes`; a port, a folder for the data and one for the page may follow. */

const [port = '3000', dataDirectory = fileURLToPath(new URL('.chorale', import.meta.url)), staticDirectory] =
  process.argv.slice(2);
const server = await startNotesServer({
  port: Number(port),
  dataDirectory,
  ...(staticDirectory === undefined ? {} : { staticDirectory }),
});
process.stdout.write(`Open ${server.url}\n`);
process.once('SIGINT', () => void server.close());
