/* The entry `chorale`: to run a server inside an application. */

export { createServer, type ChoraleServer, type ServerOptions } from './create-server.js';
export { DatabaseCatalog } from './catalog.js';
export { HostedDatabase } from './hosted-database.js';
export { serveFolder } from './static-files.js';
export { VERSION } from './version.js';
export { bundleModule } from '../module/bundle.js';
export { loadEntry, loadProgram } from '../module/load.js';
export { loadModule } from '../module/load-module.js';
export { ModuleLog } from '../module/logs.js';
export { HttpError } from '../net/http/http-error.js';
export type { HttpHandler, HttpRequest, HttpResponse } from '../net/http/http-message.js';
export { anonymousAuth } from '../protocols/wamp/server/auth/anonymous.js';
export type {
  Authenticator,
  AuthRequest,
  AuthStep,
  Principal,
} from '../protocols/wamp/server/auth/authenticator.js';
export { cryptosignAuth, type CryptosignOptions } from '../protocols/wamp/server/auth/cryptosign.js';
export {
  makeScramUser,
  scramAuth,
  type ScramOptions,
  type ScramUser,
} from '../protocols/wamp/server/auth/scram.js';
export { ticketAuth, type TicketVerifier } from '../protocols/wamp/server/auth/ticket.js';
export { tokenAuth, type TokenAuthOptions } from '../protocols/wamp/server/auth/token.js';
export {
  craAuth,
  deriveCraKey,
  type CraOptions,
  type CraUser,
} from '../protocols/wamp/server/auth/wampcra.js';
export type {
  Action,
  Authorization,
  AuthorizationRequest,
  Authorizer,
  DisclosurePolicy,
  HistoryRule,
  RealmOptions,
  RouterLimits,
  SessionInfo,
} from '../protocols/wamp/server/options.js';
export type { OwnAuth, WampOptions } from './wamp.js';
export type { Module } from '../module/definition/build-module.js';
