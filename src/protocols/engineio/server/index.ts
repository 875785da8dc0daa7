/* `chorale/engineio/server`: Engine.IO on a node:http server of the application's own. */

export {
  attach,
  listen,
  type Middleware,
  type NpmAttachOptions,
  Server,
  type ServerOptions,
} from './npm/server.js';
export { type PacketInfo, type SendOptions, Socket } from './npm/socket.js';
export { AsyncServer, type ServerEvents, type SessionData } from './python/async-server.js';
export type { Environ } from './python/environ.js';
export type { AsyncServerOptions, PingInterval, PythonCookie } from './python/options.js';
export type { OriginPolicy } from './python/origin.js';
export type { CloseReason } from './session-host.js';

/** The protocol that is spoken. */
export const protocol = 4;
