import { Listener } from '../../src/net/listener.js';
import type { WebSocketConnection } from '../../src/net/websocket/connection.js';
import { encodeFrame, Opcode } from '../../src/net/websocket/frame.js';
import { answerParent } from '../framework/child.js';

// `/publish` sends to everybody at `/subscribe`, other paths echo.
answerParent({
  async start() {
    const listener = await Listener.listen();
    const subscribers = new Set<WebSocketConnection>();
    listener.addUpgradeRoute({
      pattern: '/subscribe',
      accept: () => ({
        kind: 'accept',
        open: (connection) => {
          subscribers.add(connection);
          return { onMessage() {}, onClose: () => void subscribers.delete(connection) };
        },
      }),
    });
    listener.addUpgradeRoute({
      pattern: '/publish',
      accept: () => ({
        kind: 'accept',
        open: () => ({
          onMessage(data) {
            const frame = encodeFrame(Opcode.binary, data);
            for (const subscriber of subscribers) subscriber.sendFrame(frame);
          },
          onClose() {},
        }),
      }),
    });
    listener.addUpgradeRoute({
      pattern: '/*path',
      accept: () => ({
        kind: 'accept',
        open: (connection) => ({ onMessage: (data) => connection.sendBinary(data), onClose() {} }),
      }),
    });
    return { port: listener.port };
  },
});
