import { createServer } from '../../src/server/index.js';
import { answerParent } from '../framework/child.js';

// Echoes, or passes on to everybody else at the path. Clients come to `/engine.io/`, where protocols inside sessions are by default.
answerParent({
  async start({ isFanOut }: { readonly isFanOut: boolean }) {
    const server = await createServer({
      engineio: { path: '/inside', pingIntervalMs: 120_000 },
      sockets: {
        '/engine.io': {
          message(ctx, socket, data) {
            if (isFanOut) ctx.broadcast(data, { except: socket });
            else socket.send(data);
          },
        },
      },
    });
    return { port: server.port };
  },
});
