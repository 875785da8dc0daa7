/* `chorale/engineio`: the Engine.IO client, for browsers. */

export { AsyncClient } from './async-client.js';
export { AsyncQueue } from './async-queue.js';
export { Client, type ClientEvents, type Sendable } from './client.js';
export {
  ConnectionError,
  ContentTooLongError,
  EngineIOError,
  QueueEmpty,
  SocketIsClosedError,
} from './errors.js';
export { EventFlag } from './event-flag.js';
export type { DecodeMode, JsonModule } from './json.js';
export type { ClientState } from './lifecycle.js';
export type { Logger } from './logger.js';
export type { ClientOptions, ConnectOptions, DisconnectOptions } from './options.js';
export type { TlsOptions } from '../../../base/connecting.js';
export type { HttpSession } from './platform.js';
export { type DisconnectReason, reason } from './reason.js';
export type { TransportName } from '../messages/packet.js';
