import { join } from 'node:path';
import type { Server } from 'node:net';
import type { TlsOptions } from 'node:tls';

import { type Clock, systemClock } from '../base/clock.js';
import { type Random, systemRandom } from '../base/random.js';
import type { RoomDefinitions } from '../documents/room-definition.js';
import { syncFolder } from '../engine/log/folder-disk.js';
import { KeyPair } from '../identity/keys.js';
import { OidcValidator } from '../identity/oidc.js';
import { loadOrCreateOwner } from '../identity/owner.js';
import { type Credentials, TokenAuthority } from '../identity/tokens.js';
import type { Module } from '../module/definition/build-module.js';
import { Listener, type ListenerLimits } from '../net/listener.js';
import type { HttpRouter } from '../net/http/http-router.js';
import { addRoutes } from '../protocols/spacetimedb/server/http/routes.js';
import { legacySubscribeRoute, subscribeRoute } from '../protocols/spacetimedb/server/websocket.js';
import type { EngineOptions } from '../protocols/engineio/server/options.js';
import { ApplicationSockets, type Sockets } from './engineio/application-sockets.js';
import { EngineService } from './engineio/engine-service.js';
import { listenUnix, mountWamp } from '../protocols/wamp/server/mount.js';
import type { WampRouter } from '../protocols/wamp/server/router.js';
import { DatabaseCatalog } from './catalog.js';
import { type DatabaseFolders, DatabaseStore } from './database-store.js';
import type { HostedDatabase } from './hosted-database.js';
import { openWamp, publishToRealms, type WampOptions } from './wamp.js';
import type { Rooms } from '../protocols/rooms/server/rooms.js';
import { RoomHub } from './room-hub.js';
import { serveFolder } from './static-files.js';
import { VERSION } from './version.js';

export interface ServerOptions {
  /** Default 127.0.0.1: reachable from this machine only. */
  readonly host?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
  readonly tls?: TlsOptions;
  /**
   * Where the server keeps databases, its signing key and the owner's token. Without it everything is in memory: gone at the end,
   * and tokens from before are worth nothing.
   */
  readonly dataDirectory?: string;
  /**
   * For how long, in milliseconds, log and snapshots are kept after they became superfluous, so that `restore --at` can go back.
   * Default 0: the data directory's size follows the data, not its history.
   */
  readonly retainMs?: number;
  /** Modules to run, by the name of their database. */
  readonly databases?: Readonly<Record<string, Module>>;
  /** A folder of files to serve where no protocol answers: the application's pages. */
  readonly staticDirectory?: string;
  /** Lets everybody publish, not only the owner. For machines nobody else reaches. */
  readonly anonymousPublish?: boolean;
  /** Other issuers whose tokens are accepted. Default: any OpenID Connect issuer; an empty list: none. */
  readonly allowedIssuers?: readonly string[];
  /**
   * Shared documents of the default database besides those of its module, by pattern: `{ 'notes/:id': { authorize } }`. Rooms that
   * nobody has named do not exist.
   */
  readonly rooms?: RoomDefinitions;
  /**
   * Engine.IO sockets besides those of modules, by path: what `app.socket(path, handlers)` is in a module. Transactions are on the
   * default database; a server without one has them on no tables.
   */
  readonly sockets?: Sockets;
  /** The database of `/rooms/…`, of bare paths and of `sockets`. Default: the first one. */
  readonly defaultDatabase?: string;
  readonly limits?: ListenerLimits;
  /** Engine.IO: where modules' sockets live, and every protocol for networks without WebSocket; `false` turns it off. */
  readonly engineio?: EngineOptions | false;
  /** Realms, authentication and limits of the WAMP router. Each database has a realm of its name anyway. */
  readonly wamp?: WampOptions;
  /** Told about defects of the server or of modules' callbacks. Default: a line on standard error. */
  readonly onError?: (error: unknown, where: string) => void;
  /** Told what people should know: what recovery found. Default: a line on standard error. */
  readonly onNotice?: (text: string) => void;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Where the databases are kept instead of the data directory: for tests and simulation. */
  readonly folders?: DatabaseFolders;
}

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
  const clock = options.clock ?? systemClock;
  const random = options.random ?? systemRandom;
  const onError = options.onError ?? reportError;
  const defaultDatabase = options.defaultDatabase ?? Object.keys(options.databases ?? {})[0];
  const store = await openStore(options);
  const { authority, owner, listener } = await openPort(options, clock, random, onError).catch(
    async (error: unknown) => {
      await store?.close();
      throw error;
    },
  );
  const catalog = new DatabaseCatalog({
    authority,
    owner: owner.identity,
    openToAll: options.anonymousPublish ?? false,
    clock,
    random,
    schedule: (flush) => listener.turns.beforeFlush(flush),
    store,
    retainMs: options.retainMs ?? 0,
    embedded: options.databases ?? {},
    onPublished: (database, publication) => publishToRealms(wamp, database, publication),
    onError,
    onNotice: options.onNotice ?? ((text) => void process.stderr.write(`chorale: ${text}\n`)),
  });
  const wamp = openWamp(options.wamp, { authority, owner, catalog, clock, random, onError });
  const rooms = new RoomHub({
    catalog,
    listener,
    authority,
    random,
    clock,
    definitions: options.rooms ?? {},
    defaultDatabase,
    onError,
  });
  let closed: Promise<void> | undefined;
  let unix: Server | undefined;
  let engineService: EngineService | undefined;
  const close = async (drainMs?: number): Promise<void> => {
    catalog.closeSessions('server shutdown');
    engineService?.close();
    wamp.close();
    unix?.close();
    rooms.close();
    // Its end tells the modules of the last clients' end, so the databases are closed after it.
    await listener.close(drainMs === undefined ? {} : { drainMs });
    await catalog.close();
  };
  try {
    const shared = { catalog, authority, random, onError };
    listener.addUpgradeRoute(subscribeRoute(shared));
    listener.addUpgradeRoute(legacySubscribeRoute(shared));
    const own = options.sockets ?? {};
    if (options.engineio !== false) {
      const sockets = new ApplicationSockets({ ...shared, clock, sockets: own, defaultDatabase });
      engineService = new EngineService({ listener, sockets, engine: options.engineio ?? {}, onError });
    } else if (Object.keys(own).length > 0) {
      throw new TypeError('there are `sockets`, but Engine.IO is turned off: leave `engineio: false` out');
    }
    mountWamp(listener, wamp);
    const unixPath = options.wamp?.unixPath;
    if (unixPath !== undefined) unix = await listenUnix(listener, wamp, unixPath);
    addRoutes(listener.router, { catalog, authority, clock, random, version: VERSION });
    rooms.addRoutes();
    rooms.addBareRoute();
    if (options.staticDirectory !== undefined) {
      listener.router.fallback(await serveFolder(options.staticDirectory));
    }
    await catalog.open();
  } catch (error) {
    await close(0);
    throw error;
  }
  return {
    url: listener.url,
    port: listener.port,
    owner,
    router: listener.router,
    catalog,
    wamp,
    rooms: (name) => (name === undefined ? rooms.ofDefault() : rooms.of(catalog.findByName(name))),
    database: (name) => catalog.findByName(name),
    close: ({ drainMs } = {}) => (closed ??= close(drainMs)),
    [Symbol.asyncDispose]: () => (closed ??= close()),
  };
}

async function openStore({ folders, dataDirectory }: ServerOptions): Promise<DatabaseStore | undefined> {
  if (folders !== undefined) return new DatabaseStore(folders);
  return dataDirectory === undefined ? undefined : DatabaseStore.open(dataDirectory);
}

async function openPort(
  options: ServerOptions,
  clock: Clock,
  random: Random,
  onError: (error: unknown, where: string) => void,
): Promise<{ readonly authority: TokenAuthority; readonly owner: Credentials; readonly listener: Listener }> {
  const identity = await openIdentity(options, clock, random);
  return { ...identity, listener: await Listener.listen(listenerOptions(options, clock, onError)) };
}

async function openIdentity(
  options: ServerOptions,
  clock: Clock,
  random: Random,
): Promise<{ readonly authority: TokenAuthority; readonly owner: Credentials }> {
  const config = options.dataDirectory === undefined ? undefined : join(options.dataDirectory, 'config');
  const keys = config === undefined ? KeyPair.generate() : await KeyPair.loadOrCreate(config);
  const { allowedIssuers } = options;
  const oidc = new OidcValidator({ clock, ...(allowedIssuers === undefined ? {} : { allowedIssuers }) });
  const authority = new TokenAuthority({ keys, clock, random, oidc });
  const owner =
    config === undefined ? await authority.mintAnonymous() : await loadOrCreateOwner(config, authority);
  // Without the key all tokens and with them all owners would be worth nothing.
  if (config !== undefined) await syncFolder(config);
  return { authority, owner };
}

function listenerOptions(
  options: ServerOptions,
  clock: Clock,
  onError: (error: unknown, where: string) => void,
): Parameters<typeof Listener.listen>[0] {
  const { host, port, tls, limits } = options;
  return {
    clock,
    onError,
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port }),
    ...(tls === undefined ? {} : { tls }),
    ...(limits === undefined ? {} : { limits }),
  };
}

function reportError(error: unknown, where: string): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`chorale: ${where}: ${text}\n`);
}
