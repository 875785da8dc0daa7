/* `chorale/rooms` in browsers: everything that needs no Node. */
export { Awareness, type AwarenessChange, type AwarenessListener, type AwarenessState } from './awareness.js';
export { type Channel, channelPair } from './channel.js';
export { MemoryClient, type MemoryClientOptions, MemoryServer } from './memory-wire.js';
export { type Port, PortClient, type PortClientOptions, PortServer } from './port-wire.js';
export { type ClientStatus, RoomClient, type RoomClientOptions } from './room-client.js';
export { type RoomFactory, RoomManager, type RoomServerOptions } from './room-manager.js';
export { Room } from './room.js';
export { TaskScope } from './task-scope.js';
export { WebSocketClient, type WebSocketClientOptions } from './websocket-client.js';
export {
  bind,
  type BoundServer,
  connect,
  registerWire,
  type ServerWireMap,
  type Wire,
  type WireMap,
} from './wires.js';
