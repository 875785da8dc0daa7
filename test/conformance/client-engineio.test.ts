import { afterEach, expect } from 'vitest';
import { ConnectionId, Identity, TimeDuration, Timestamp, Uuid } from 'chorale/client';
import type { EngineTransports } from 'chorale/client';

import { DbConnection, tables } from '../../interop/generated/probe-chorale/index.js';
import { runClientSuite } from './client.js';
import { PROBE_DATABASE, startProbeServer } from './probe/server.js';

/* The database's client inside an Engine.IO session, as `withTransports` asks for it. */

const problems: unknown[] = [];
afterEach(() => expect(problems.splice(0)).toEqual([]));

const ways: readonly EngineTransports[] = [['polling'], ['websocket', 'polling'], ['polling', 'websocket']];

for (const transports of ways) {
  runClientSuite({
    name: `chorale/client over Engine.IO (${transports.join(', ')})`,
    values: { ConnectionId, Identity, TimeDuration, Timestamp, Uuid },
    tables,
    async start() {
      const server = await startProbeServer(problems);
      return {
        builder: () =>
          DbConnection.builder()
            .withUri(server.url)
            .withDatabaseName(PROBE_DATABASE)
            .withTransports(transports)
            .withLog((_, message) => void problems.push(message)),
        stop: () => server.close({ drainMs: 100 }),
      };
    },
  });
}
