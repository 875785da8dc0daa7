import { createServer } from '../../src/server/create-server.js';
import { systemClock } from '../../src/base/clock.js';
import { loadEntry } from '../../src/module/load.js';
import { ModuleLog } from '../../src/module/logs.js';
import { ledgerModule } from './ledger-module.js';

/* A server in a process of its own, to be killed. Says its address to the parent. Arguments: data directory, database, module. */

const [dataDirectory, database, moduleFolder] = process.argv.slice(2);
const module =
  moduleFolder === undefined
    ? ledgerModule()
    : await loadEntry(moduleFolder, { log: new ModuleLog({ clock: systemClock }) });
const server = await createServer({
  dataDirectory: dataDirectory!,
  databases: { [database!]: module },
  onNotice: () => {},
});
process.send?.(server.url);
process.on('disconnect', () => process.exit(0));
