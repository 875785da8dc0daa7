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
export type { Module } from '../module/definition/build-module.js';
