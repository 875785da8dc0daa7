import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { Server } from 'engine.io';

import { answerParent } from '../framework/child.js';

interface NpmSocket {
  readonly request: { readonly url: string };
  on(event: string, listener: (data: string) => void): void;
  send(data: string): void;
}

// npm engine.io as its documentation shows it. Echoes; what comes from a publisher goes to everybody else.
answerParent({
  async start() {
    const port = http.createServer();
    const engine = new Server({ pingInterval: 120_000 });
    engine.attach(port);
    const subscribers = new Set<NpmSocket>();
    engine.on('connection', (socket: NpmSocket) => {
      if (socket.request.url.includes('role=publisher')) {
        socket.on('message', (data) => {
          for (const subscriber of subscribers) subscriber.send(data);
        });
        return;
      }
      subscribers.add(socket);
      socket.on('message', (data) => socket.send(data));
      socket.on('close', () => subscribers.delete(socket));
    });
    port.listen(0, '127.0.0.1');
    await once(port, 'listening');
    return { port: (port.address() as AddressInfo).port };
  },
});
