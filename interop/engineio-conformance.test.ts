import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { Server } from 'engine.io';

import { runEngineSuite } from '../test/conformance/engineio.js';

runEngineSuite({
  name: 'the Engine.IO server of npm engine.io',
  async start() {
    const port = http.createServer();
    const engine = new Server({
      pingInterval: 300,
      pingTimeout: 200,
      maxHttpBufferSize: 1e6,
      allowEIO3: true,
    });
    engine.attach(port);
    engine.on(
      'connection',
      (socket: { on(e: string, f: (d: unknown) => void): void; send(d: unknown): void }) => {
        socket.on('message', (data) => socket.send(data));
      },
    );
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
