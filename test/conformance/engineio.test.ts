import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { attach, type Socket } from '../../src/protocols/engineio/server/index.js';
import { createServer } from '../../src/server/index.js';
import { runEngineSuite } from './engineio.js';

runEngineSuite({
  name: 'the Engine.IO server of ours',
  async start() {
    const failures: unknown[] = [];
    const server = await createServer({
      engineio: { path: '/inside', pingIntervalMs: 300, pingTimeoutMs: 200, allowEio3: true },
      sockets: { '/engine.io': { message: (_ctx, socket, data) => socket.send(data) } },
      onError: (error) => void failures.push(error),
    });
    return {
      url: server.url,
      async close() {
        await server.close({ drainMs: 0 });
        if (failures.length > 0) throw failures[0] as Error;
      },
    };
  },
});

runEngineSuite({
  name: 'the Engine.IO server of ours in npm engine.io’s shape',
  async start() {
    const port = http.createServer();
    const engine = attach(port, { pingInterval: 300, pingTimeout: 200, allowEIO3: true });
    engine.on('connection', (socket: Socket) => socket.on('message', (data: string) => socket.send(data)));
    port.listen(0, '127.0.0.1');
    await once(port, 'listening');
    return {
      url: `http://127.0.0.1:${(port.address() as AddressInfo).port}`,
      async close() {
        engine.close();
        port.closeAllConnections();
        port.close();
        await once(port, 'close');
      },
    };
  },
});
