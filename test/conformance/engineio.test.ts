import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { Listener } from '../../src/net/listener.js';
import { mountEngine } from '../../src/protocols/engineio/server/mount.js';
import { attach, type Socket } from '../../src/protocols/engineio/server/index.js';
import { runEngineSuite } from './engineio.js';

runEngineSuite({
  name: 'the Engine.IO server of ours',
  async start() {
    const failures: unknown[] = [];
    const onError = (error: unknown): void => void failures.push(error);
    const listener = await Listener.listen({ onError });
    const options = { pingIntervalMs: 300, pingTimeoutMs: 200, allowEio3: true };
    const engine = mountEngine(
      listener,
      options,
      { open: (session) => ({ onMessage: (data) => session.send(data), onClose() {} }) },
      onError,
    );
    return {
      url: listener.url,
      async close() {
        engine.close();
        await listener.close({ drainMs: 0 });
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
