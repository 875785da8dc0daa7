import process from 'node:process';

import { startCounterServer } from './counter-server.js';

const server = await startCounterServer({ port: 3000 });
process.stdout.write(`Open ${server.url}\n`);
process.once('SIGINT', () => void server.close());
