/* `chorale/client` under Node. */

import { platform } from '../protocols/spacetimedb/client/platform.js';
import { lateTransport } from './late-transport.js';

platform.overEngine = (transports) =>
  lateTransport(async () => {
    const [{ databaseOverEngine }, { Client }] = await Promise.all([
      import('./database-engine.js'),
      import('../protocols/engineio/client/index.node.js'),
    ]);
    return databaseOverEngine(Client, transports);
  });

export * from '../protocols/spacetimedb/client/index.node.js';
