/* The client under Node: the same as everywhere, on Node's WebSocket. */

import { openNodeWebSocket } from './node-websocket.node.js';
import { platform } from './platform.js';

platform.openTransport = openNodeWebSocket;

export * from './index.js';
