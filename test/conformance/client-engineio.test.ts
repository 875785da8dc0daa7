import { afterEach, expect } from 'vitest';
import { ConnectionId, Identity, TimeDuration, Timestamp, Uuid } from 'chorale/client';

import { DbConnection, tables } from '../../interop/generated/probe-chorale/index.js';
import { engineTransport } from '../../src/protocols/engineio/client/index.node.js';
import { SUBPROTOCOLS } from '../../src/protocols/spacetimedb/messages/frame.js';
import { runClientSuite } from './client.js';
import { PROBE_DATABASE, startProbeServer } from './probe/server.js';

/* The database's client inside an Engine.IO session, over each of its transports. */

const problems: unknown[] = [];
afterEach(() => expect(problems.splice(0)).toEqual([]));

for (const transports of [['polling'], ['websocket'], ['polling', 'websocket']]) {
  runClientSuite({
    name: `chorale/client over Engine.IO (${transports.join(', then ')})`,
    values: { ConnectionId, Identity, TimeDuration, Timestamp, Uuid },
    tables,
    async start() {
      const server = await startProbeServer(problems);
      const carry = engineTransport({ transports });
      return {
        builder: () =>
          DbConnection.builder()
            .withUri(server.url)
            .withDatabaseName(PROBE_DATABASE)
            .withTransport((request, events) => carry({ ...request, protocols: [SUBPROTOCOLS[0]] }, events))
            .withLog((_, message) => void problems.push(message)),
        stop: () => server.close({ drainMs: 100 }),
      };
    },
  });
}
