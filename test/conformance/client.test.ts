import { WebSocket as UndiciWebSocket } from 'undici';
import { afterAll, afterEach, beforeAll, expect, vi } from 'vitest';
import { ConnectionId, Identity, TimeDuration, Timestamp, Uuid } from 'chorale/client';
import type { OpenTransport } from 'chorale/client';
import { DbConnection, tables } from '../../interop/generated/probe-chorale/index.js';
import { SUBPROTOCOLS } from '../../src/protocols/spacetimedb/messages/frame.js';
import { platform } from '../../src/protocols/spacetimedb/client/platform.js';
import { openPlatformWebSocket } from '../../src/protocols/spacetimedb/client/transport/websocket.js';
import type { ChoraleServer } from '../../src/server/create-server.js';
import { runClientSuite } from './client.js';
import { memoryTransportTo, PROBE_DATABASE, startProbeServer } from './probe/server.js';

/* Our client on our server: over memory and WebSocket, on both versions of the protocol. */

type Protocol = (typeof SUBPROTOCOLS)[number];

// Node 20 has none of its own; undici's is the one that later versions have.
beforeAll(() => {
  if (!('WebSocket' in globalThis)) vi.stubGlobal('WebSocket', UndiciWebSocket);
});
afterAll(() => void vi.unstubAllGlobals());

const problems: unknown[] = [];
afterEach(() => expect(problems.splice(0)).toEqual([]));

/** As browsers and newer Nodes do it: their own WebSocket, a token exchanged for a short-lived one first. */
function overPlatformWebSocket(_server: ChoraleServer, protocol: Protocol): OpenTransport {
  return (request, events) => openPlatformWebSocket({ ...request, protocols: [protocol] }, events);
}

function overWebSocket(_server: ChoraleServer, protocol: Protocol): OpenTransport {
  return (request, events) => platform.openTransport({ ...request, protocols: [protocol] }, events);
}

for (const protocol of SUBPROTOCOLS) {
  for (const [transport, open] of [
    ['memory', memoryTransportTo],
    ['WebSocket', overWebSocket],
    ["the platform's WebSocket", overPlatformWebSocket],
  ] as const) {
    runClientSuite({
      name: `chorale/client over ${transport} on ${protocol}`,
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
              // The suite is for all clients, and others stay away when they are cut off; reconnect.test.ts is for ours.
              .withReconnect(false)
              .withLog((_, message) => void problems.push(message)),
          stop: () => server.close({ drainMs: 100 }),
        };
      },
    });
  }
}
