import { Server } from '@hocuspocus/server';
import * as Y from 'yjs';

import { answerParent } from '../framework/child.js';
import { largeDocument } from './large-document.js';

// Hocuspocus 4.7.0 without persistence; `flushDelay: false` sends each update by itself.
answerParent({
  async start({
    cold = false,
    flushDelay = false,
  }: {
    readonly cold?: boolean;
    readonly flushDelay?: false | 0;
  }) {
    const update = cold ? largeDocument() : undefined;
    const server = new Server({
      quiet: true,
      port: 0,
      address: '127.0.0.1',
      flushDelay,
      onLoadDocument: async ({ document }: { document: Y.Doc }) => {
        if (update !== undefined) Y.applyUpdate(document, update);
      },
    } as ConstructorParameters<typeof Server>[0]);
    await server.listen();
    return { port: server.address.port };
  },
});
