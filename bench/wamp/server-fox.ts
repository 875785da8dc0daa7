import { once } from 'node:events';
import { createRequire } from 'node:module';
import type { Server } from 'node:http';

import { answerParent } from '../framework/child.js';

type FoxRouter = new () => { listenWAMP(options: { port: number; host: string }): Server };
const Fox = createRequire(import.meta.url)('fox-wamp') as FoxRouter;

answerParent({
  async start() {
    const server = new Fox().listenWAMP({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('fox-wamp has no port');
    return { port: address.port, path: '/wamp' };
  },
});
