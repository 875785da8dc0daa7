import process from 'node:process';
import { startWorker } from './worker.js';

/* A worker in a terminal: `npm run jobs:worker -- tcp://127.0.0.1:3000 ada`. Ctrl-C ends it. */

const [url = 'tcp://127.0.0.1:3000', name = `worker-${process.pid}`] = process.argv.slice(2);
const onLine = (text: string): void => void process.stdout.write(`${name} ${text}\n`);
const client = await startWorker({ url, name, onLine });

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void client.close());
await client.waitUntilDone();
