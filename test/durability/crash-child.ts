import { createServer } from '../../src/server/create-server.js';
import { ledgerModule } from './ledger-module.js';

/* A server in a process of its own, to be killed. Says its address to the parent. */

const server = await createServer({
  dataDirectory: process.argv[2]!,
  databases: { ledger: ledgerModule() },
  onNotice: () => {},
});
process.send?.(server.url);
process.on('disconnect', () => process.exit(0));
