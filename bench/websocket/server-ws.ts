import { once } from 'node:events';
import type { AddressInfo } from 'node:net';

import { WebSocket, WebSocketServer } from 'ws';

import { answerParent } from '../framework/child.js';

// npm ws as its documentation shows it. `/publish` sends to everybody at `/subscribe`, other paths echo.
answerParent({
  async start() {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
    const subscribers = new Set<WebSocket>();
    server.on('connection', (socket, request) => {
      if (request.url === '/subscribe') {
        subscribers.add(socket);
        socket.on('close', () => subscribers.delete(socket));
      } else if (request.url === '/publish') {
        socket.on('message', (data: Buffer) => {
          for (const subscriber of subscribers) {
            if (subscriber.readyState === WebSocket.OPEN) subscriber.send(data);
          }
        });
      } else {
        socket.on('message', (data: Buffer) => socket.send(data));
      }
    });
    await once(server, 'listening');
    return { port: (server.address() as AddressInfo).port };
  },
});
