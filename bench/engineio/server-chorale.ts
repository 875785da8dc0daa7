import { Listener } from '../../src/net/listener.js';
import { mountEngine } from '../../src/protocols/engineio/server/mount.js';
import type { Session } from '../../src/protocols/engineio/server/session.js';
import { answerParent } from '../framework/child.js';

// Echoes; what comes from a publisher goes to everybody else.
answerParent({
  async start() {
    const onError = (error: unknown): void => void process.stderr.write(`${String(error)}\n`);
    const listener = await Listener.listen({ onError });
    const subscribers = new Set<Session>();
    const engine = mountEngine(
      listener,
      { pingIntervalMs: 120_000 },
      {
        open(session, { message }) {
          if (message.url?.includes('role=publisher') === true) {
            return { onMessage: (data) => engine.broadcast(data, subscribers), onClose() {} };
          }
          subscribers.add(session);
          return {
            onMessage: (data) => session.send(data),
            onClose: () => void subscribers.delete(session),
          };
        },
      },
      onError,
    );
    return { port: listener.port };
  },
});
