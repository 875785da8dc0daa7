/* `chorale/rooms` in Node: what browsers have, and the wires that need streams, files and a port. */
import { WebSocket as NodeWebSocket } from 'ws';

import { setSocketFactory } from '../client/websocket-client.js';

// Node has a WebSocket of its own since 22, which takes no headers.
setSocketFactory((url, headers) => new NodeWebSocket(url, { headers }) as unknown as WebSocket);

export * from '../client/index.js';
export { FileClient, type FileClientOptions } from './file-wire.js';
export {
  PipeClient,
  type PipeClientOptions,
  type PipeEnds,
  PipeServer,
  type PipeServerOptions,
} from './pipe-wire.js';
export { WebSocketServer, type WebSocketServerOptions } from './websocket-server.js';
