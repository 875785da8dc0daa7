import { afterEach, expect } from 'vitest';
import { ConnectionId, Identity, TimeDuration, Timestamp, Uuid } from 'chorale/client';
import type { OpenTransport } from 'chorale/client';
import { DbConnection, tables } from '../../interop/generated/probe-chorale/index.js';
import { SUBPROTOCOLS } from '../../src/protocols/spacetimedb/messages/frame.js';
import { platform } from '../../src/protocols/spacetimedb/client/platform.js';
import type { ChoraleServer } from '../../src/server/create-server.js';
import { runClientSuite } from './client.js';
import { memoryTransportTo, PROBE_DATABASE, startProbeServer } from './probe/server.js';

/* Our client on our server: over memory and WebSocket, on both versions of the protocol. */

type Protocol = (typeof SUBPROTOCOLS)[number];

const problems: unknown[] = [];
afterEach(() => expect(problems.splice(0)).toEqual([]));

function overWebSocket(_server: ChoraleServer, protocol: Protocol): OpenTransport {
  return (request, events) => platform.openTransport({ ...request, protocols: [protocol] }, events);
}

for (const protocol of SUBPROTOCOLS) {
  for (const [transport, open] of [
    ['memory', memoryTransportTo],
    ['WebSocket', overWebSocket],
  ] as const) {
    runClientSuite({
      name: `chorale/client over ${transport} on ${protocol.slice(0, 2)}`,
      values: { ConnectionId, Identity, TimeDuration, Timestamp, Uuid },
      tables,
      async start() {
        const server = await startProbeServer(problems);
        const openTransport = open(server, protocol);
        return {
          builder: () =>
            DbConnection.builder()
              .withUri(server.url)
              .withDatabaseName(PROBE_DATABASE)
              .withTransport(openTransport)
              .withLog((_, message) => void problems.push(message)),
          stop: () => server.close({ drainMs: 100 }),
        };
      },
    });
  }
}
