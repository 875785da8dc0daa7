import type { TlsOptions } from 'node:tls';

import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { RoomDefinitions } from '../documents/room-definition.js';
import type { Module } from '../module/definition/build-module.js';
import type { ListenerLimits } from '../net/listener.js';
import type { EngineOptions } from '../protocols/engineio/server/options.js';
import type { DatabaseFolders } from './database-store.js';
import type { Sockets } from './engineio/application-sockets.js';
import type { WampOptions } from './wamp.js';

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
