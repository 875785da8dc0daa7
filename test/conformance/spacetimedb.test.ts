import { startInMemory, startOverWebSocket } from './frames.js';
import type { FrameServer } from './frames.js';
import { runSuite } from './spacetimedb.js';
import type { SuiteServer } from './spacetimedb.js';
import { runTextSuite } from './spacetimedb-text.js';
import { runV1Suite } from './spacetimedb-v1.js';
import { WireClient } from './wire-client.js';

/** Clients of v2 and v3. */
async function withClients(start: () => Promise<FrameServer>): Promise<SuiteServer> {
  const server = await start();
  return {
    async connect({ version, ...options }) {
      const client = new WireClient();
      client.link = await server.open({ protocol: `${version}.bsatn.spacetimedb`, ...options }, client);
      return client;
    },
    close: () => server.close(),
  };
}

runSuite({ name: 'memory', start: () => withClients(startInMemory) });
runSuite({ name: 'WebSocket', start: () => withClients(startOverWebSocket) });
runV1Suite({ name: 'memory', start: startInMemory });
runV1Suite({ name: 'WebSocket', start: startOverWebSocket });
runTextSuite({ name: 'memory', start: startInMemory });
runTextSuite({ name: 'WebSocket', start: startOverWebSocket });
