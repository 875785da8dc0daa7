import { fork } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { startJobsServer } from './jobs-server.js';

/* The server with a pool of workers, each a process of its own: `npm run jobs`. */

const POOL = ['ada', 'grace'];

const server = await startJobsServer({ port: 3000 });
const workerFile = fileURLToPath(new URL('worker/main.ts', import.meta.url));
const workers = POOL.map((name) => fork(workerFile, [`tcp://127.0.0.1:${server.port}`, name]));
process.stdout.write(`Open ${server.url} (more workers: npm run jobs:worker)\n`);

process.once('SIGINT', () => {
  for (const worker of workers) worker.kill();
  void server.close();
});
