/* The client under Node: the same as everywhere, with RawSocket, and the `ws` package for WebSockets. */

import { registerTransportFactory } from './transport/registry.js';
import { openNodeWebSocket } from './transport/node-websocket.node.js';
import { openRawSocket } from './transport/rawsocket.node.js';

registerTransportFactory(['ws', 'wss', 'http', 'https'], openNodeWebSocket, { overwrite: true });
registerTransportFactory(
  ['tcp', 'tcps', 'tcp4', 'tcp4s', 'tcp6', 'tcp6s', 'rs', 'rss', 'unix'],
  openRawSocket,
  { overwrite: true },
);

export * from './index.js';
export { openNodeWebSocket } from './transport/node-websocket.node.js';
export { openRawSocket } from './transport/rawsocket.node.js';
