import { createServer } from 'node:http';
import Module, { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';

import { WebSocketServer } from 'ws';
import * as Y from 'yjs';

import { answerParent } from '../framework/child.js';
import { largeDocument } from './large-document.js';

interface YServer {
  readonly setupWSConnection: (socket: unknown, request: unknown) => void;
  readonly setPersistence: (persistence: object) => void;
}

/** Its database, which nothing here uses, would have to be compiled. */
function stubLevel(): void {
  const { cache, resolve } = createRequire(import.meta.url);
  const path = resolve('level');
  cache[path] = Object.assign(new Module(path), { filename: path, paths: [], loaded: true });
}

// @y/websocket-server 0.1.1; without persistence, but for cold opens, which it reads from memory.
answerParent({
  async start({ cold = false }: { readonly cold?: boolean }) {
    stubLevel();
    const name = '@y/websocket-server/utils';
    const { setupWSConnection, setPersistence } = (await import(name)) as YServer;
    if (cold) {
      const update = largeDocument();
      setPersistence({
        bindState: async (_name: string, doc: Y.Doc) => Y.applyUpdate(doc, update),
        writeState: async () => {},
      });
    }
    const server = createServer();
    const sockets = new WebSocketServer({ server });
    sockets.on('connection', setupWSConnection);
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    return { port: (server.address() as AddressInfo).port };
  },
});
