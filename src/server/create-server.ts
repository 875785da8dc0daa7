import type { Server } from 'node:net';

import type { Credentials } from '../identity/tokens.js';
import type { HttpRouter } from '../net/http/http-router.js';
import { addRoutes } from '../protocols/spacetimedb/server/http/routes.js';
import { legacySubscribeRoute, subscribeRoute } from '../protocols/spacetimedb/server/websocket.js';
import { ApplicationSockets } from './engineio/application-sockets.js';
import { EngineService } from './engineio/engine-service.js';
import { listenUnix, mountWamp } from '../protocols/wamp/server/mount.js';
import type { WampRouter } from '../protocols/wamp/server/router.js';
import { DatabaseCatalog } from './catalog.js';
import { type Foundation, openFoundation } from './foundation.js';
import type { HostedDatabase } from './hosted-database.js';
import { openWamp, publishToRealms } from './wamp.js';
import type { Rooms } from '../protocols/rooms/server/rooms.js';
import { RoomHub } from './room-hub.js';
import type { ServerOptions } from './server-options.js';
import { serveFolder } from './static-files.js';
import { VERSION } from './version.js';

export type { ServerOptions } from './server-options.js';

export interface ChoraleServer {
  /** `http://127.0.0.1:3000`. */
  readonly url: string;
  readonly port: number;
  /** Who may publish. */
  readonly owner: Credentials;
  /** The application's own routes go here. */
  readonly router: HttpRouter;
  readonly catalog: DatabaseCatalog;
  readonly wamp: WampRouter;
  /** The shared documents of a database: the default one, or the one of that name. */
  rooms(database?: string): Rooms | undefined;
  /** The database of that name, if there is one. */
  database(name: string): HostedDatabase | undefined;
  /** Stops accepting, lets what is under way finish for `drainMs` (default 2000), then ends what is left. */
  close(options?: { readonly drainMs?: number }): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Starts a server: one port for all protocols.
 *
 * @example
 * await using server = await createServer({ port: 3000, databases: { chat: loadModule(chat) } });
 */
export async function createServer(options: ServerOptions = {}): Promise<ChoraleServer> {
  const parts: Parts = makeParts(options, await openFoundation(options));
  try {
    // WebSockets are offered to the parts in this order, until one takes them.
    mountSubscriptions(parts);
    mountSockets(parts, options);
    await mountRealms(parts, options);
    mountHttp(parts);
    mountRooms(parts);
    await mountPages(parts, options);
    await parts.catalog.open();
  } catch (error) {
    await closeParts(parts, 0);
    throw error;
  }
  return describeServer(parts);
}

/** What the server is made of. The last two are there once they are mounted. */
interface Parts extends Foundation {
  readonly catalog: DatabaseCatalog;
  readonly wamp: WampRouter;
  readonly rooms: RoomHub;
  /** Its name; the first one of the catalog if undefined. */
  readonly defaultDatabase: string | undefined;
  engines?: EngineService;
  unix?: Server;
}

function makeParts(options: ServerOptions, base: Foundation): Parts {
  const { authority, owner, clock, random, listener, onError } = base;
  const defaultDatabase = options.defaultDatabase ?? Object.keys(options.databases ?? {})[0];
  const catalog = new DatabaseCatalog({
    authority,
    owner: owner.identity,
    openToAll: options.anonymousPublish ?? false,
    clock,
    random,
    schedule: (flush) => listener.turns.beforeFlush(flush),
    store: base.store,
    retainMs: options.retainMs ?? 0,
    embedded: options.databases ?? {},
    onPublished: (database, publication) => publishToRealms(wamp, database, publication),
    onError,
    onNotice: options.onNotice ?? ((text) => void process.stderr.write(`chorale: ${text}\n`)),
  });
  const wamp = openWamp(options.wamp, { authority, owner, catalog, clock, random, onError });
  const definitions = options.rooms ?? {};
  const rooms = new RoomHub({
    catalog,
    listener,
    authority,
    random,
    clock,
    definitions,
    defaultDatabase,
    onError,
  });
  return { ...base, catalog, wamp, rooms, defaultDatabase };
}

function mountSubscriptions({ listener, catalog, authority, random, onError }: Parts): void {
  const shared = { catalog, authority, random, onError };
  listener.addUpgradeRoute(subscribeRoute(shared));
  listener.addUpgradeRoute(legacySubscribeRoute(shared));
}

function mountSockets(parts: Parts, { sockets = {}, engineio: engine = {} }: ServerOptions): void {
  if (engine !== false) {
    const { listener, catalog, authority, clock, random, defaultDatabase, onError } = parts;
    const shared = { catalog, authority, clock, random, onError };
    const application = new ApplicationSockets({ ...shared, sockets, defaultDatabase });
    parts.engines = new EngineService({ listener, sockets: application, engine, onError });
  } else if (Object.keys(sockets).length > 0) {
    throw new TypeError('there are `sockets`, but Engine.IO is turned off: leave `engineio: false` out');
  }
}

async function mountRealms(parts: Parts, { wamp: { unixPath } = {} }: ServerOptions): Promise<void> {
  const { listener, wamp } = parts;
  mountWamp(listener, wamp);
  if (unixPath !== undefined) parts.unix = await listenUnix(listener, wamp, unixPath);
}

function mountHttp({ listener, catalog, authority, clock, random }: Parts): void {
  addRoutes(listener.router, { catalog, authority, clock, random, version: VERSION });
}

function mountRooms({ rooms }: Parts): void {
  rooms.addRoutes();
  rooms.addBareRoute();
}

async function mountPages({ listener }: Parts, { staticDirectory }: ServerOptions): Promise<void> {
  if (staticDirectory !== undefined) listener.router.fallback(await serveFolder(staticDirectory));
}

function describeServer(parts: Parts): ChoraleServer {
  const { listener, owner, catalog, wamp, rooms } = parts;
  let closed: Promise<void> | undefined;
  const close = (drainMs?: number): Promise<void> => (closed ??= closeParts(parts, drainMs));
  return {
    url: listener.url,
    port: listener.port,
    owner,
    router: listener.router,
    catalog,
    wamp,
    rooms: (name) => (name === undefined ? rooms.ofDefault() : rooms.of(catalog.findByName(name))),
    database: (name) => catalog.findByName(name),
    close: ({ drainMs } = {}) => close(drainMs),
    [Symbol.asyncDispose]: () => close(),
  };
}

async function closeParts(
  { catalog, engines, wamp, unix, rooms, listener }: Parts,
  drainMs?: number,
): Promise<void> {
  catalog.closeSessions('server shutdown');
  engines?.close();
  wamp.close();
  unix?.close();
  rooms.close();
  // Its end tells the modules of the last clients' end, so the databases are closed after it.
  await listener.close(drainMs === undefined ? {} : { drainMs });
  await catalog.close();
}
