import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';

import { answerParent } from '../framework/child.js';

interface NpmSocket {
  readonly request: { readonly url?: string | undefined };
  on(event: string, listener: (data: string) => void): void;
  send(data: string): void;
}

interface NpmServer {
  attach(port: http.Server): void;
  on(event: 'connection', listener: (socket: NpmSocket) => void): void;
}

/** A program as npm engine.io's documentation shows it. Echoes; what comes from a publisher goes to everybody else. */
export function serveNpmShape(Server: new (options: { pingInterval: number }) => NpmServer): void {
  answerParent({
    async start() {
      const port = http.createServer();
      const engine = new Server({ pingInterval: 120_000 });
      engine.attach(port);
      const subscribers = new Set<NpmSocket>();
      engine.on('connection', (socket) => {
        if (socket.request.url?.includes('role=publisher') === true) {
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
}
