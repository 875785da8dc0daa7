import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { AuthError } from '../../identity/auth-error.js';
import { parseAuthorization } from '../../identity/authorization.js';
import type { Claims } from '../../identity/claims.js';
import type { TokenAuthority } from '../../identity/tokens.js';
import type { SchemaShape } from '../../module/db-view.js';
import type { ModuleHost } from '../../module/host.js';
import { checkSocketPath, type SocketHandlers } from '../../module/socket.js';
import type {
  EngineApplication,
  HandshakeRequest,
  HandshakeVerdict,
} from '../../protocols/engineio/server/engine.js';
import { normalisePath } from '../../protocols/engineio/server/options.js';
import { refuseWith } from '../../protocols/engineio/server/refusal.js';
import { queryString } from '../../protocols/engineio/server/request-query.js';
import type { SessionHandler } from '../../protocols/engineio/server/session-host.js';
import type { Session } from '../../protocols/engineio/server/session.js';
import type { DatabaseCatalog } from '../catalog.js';
import { openBareHost } from './bare-host.js';
import { SocketCaller } from './socket-caller.js';
import { SocketHub } from './socket-hub.js';
import { type Place, type SocketPath, SocketSession } from './socket-session.js';

export type Sockets = Readonly<Record<string, SocketHandlers<SchemaShape>>>;

export interface ApplicationSocketsOptions {
  readonly catalog: DatabaseCatalog;
  readonly authority: TokenAuthority;
  readonly clock: Clock;
  readonly random: Random;
  /** The server's own, by path. Their transactions are on the default database. */
  readonly sockets: Sockets;
  readonly defaultDatabase: string | undefined;
  readonly onError: (error: unknown, where: string) => void;
}

/** The Engine.IO sockets of modules and of the server, by path. The server's own come first. */
export class ApplicationSockets {
  readonly #options: ApplicationSocketsOptions;
  /** Paths here and below as requests are looked up by: every message asks. */
  readonly #own = new Map<string, Place>();
  readonly #theirs = new WeakMap<ModuleHost, ReadonlyMap<string, Place>>();
  #bareHost: ModuleHost | undefined;

  /** Throws TypeError for paths that cannot be. */
  constructor(options: ApplicationSocketsOptions) {
    this.#options = options;
    for (const [path, handlers] of Object.entries(options.sockets)) {
      checkSocketPath(path);
      if (this.#own.has(normalisePath(path))) throw new TypeError(`the socket ${path} is there twice`);
      this.#own.set(normalisePath(path), this.#ownPlace(handlers));
    }
  }

  /** Modules come and go, so that this may change. */
  has(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** What an engine at `path` does. */
  application(path: string, queueBytesMax: number): EngineApplication {
    const { catalog, clock, onError } = this.#options;
    const where = `socket ${path.slice(0, -1)}`;
    const hub = new SocketHub({
      scope: catalog.scope,
      queueBytesMax,
      onError: (error) => onError(error, where),
    });
    const socketPath: SocketPath = { where, hub, clock, find: () => this.#find(path) };
    return {
      authorize: (request) => this.#authenticate(request),
      open: (session, _request, context) => openSession(socketPath, session, context as SocketCaller),
    };
  }

  #find(path: string): Place | undefined {
    const own = this.#own.get(path);
    if (own !== undefined) return own;
    for (const { host } of this.#options.catalog.databases) {
      const theirs = this.#placesOf(host).get(path);
      if (theirs !== undefined) return theirs;
    }
    return undefined;
  }

  #placesOf(host: ModuleHost): ReadonlyMap<string, Place> {
    let places = this.#theirs.get(host);
    if (places === undefined) {
      const report = (where: string, error: unknown): void => host.reportCrash(where, error);
      // The first of two that are alike, as it was written.
      const sockets = [...host.sockets].toReversed();
      places = new Map(
        sockets.map(([path, handlers]) => [normalisePath(path), { host, handlers, report } as const]),
      );
      this.#theirs.set(host, places);
    }
    return places;
  }

  #ownPlace(handlers: SocketHandlers<SchemaShape>): Place {
    const hostNow = (): ModuleHost => this.#defaultHost();
    return {
      handlers,
      get host() {
        return hostNow();
      },
      report: (where, error) => this.#options.onError(error, where),
    };
  }

  #defaultHost(): ModuleHost {
    const { catalog, clock, random, defaultDatabase } = this.#options;
    return (
      catalog.findDefault(defaultDatabase)?.host ??
      (this.#bareHost ??= openBareHost({ clock, random, scope: catalog.scope }))
    );
  }

  /** At once for those without a token. */
  #authenticate({ message }: HandshakeRequest): HandshakeVerdict | Promise<HandshakeVerdict> {
    const { authority } = this.#options;
    try {
      const token = parseAuthorization(message.headers, queryString(message));
      if (token === undefined) return this.#accept(authority.stranger());
      return authority.verify(token).then((claims) => this.#accept(claims), refuseUnauthenticated);
    } catch (error) {
      return refuseUnauthenticated(error);
    }
  }

  #accept(claims: Claims): HandshakeVerdict {
    return { kind: 'accept', context: new SocketCaller(claims, this.#options.random) };
  }
}

/** Throws what is no AuthError. */
function refuseUnauthenticated(error: unknown): HandshakeVerdict {
  if (error instanceof AuthError) return refuseWith(error.httpStatus, error.message);
  throw error;
}

function openSession(path: SocketPath, session: Session, caller: SocketCaller): SessionHandler {
  const place = path.find();
  if (place === undefined) {
    session.close();
    return { onMessage: () => {}, onClose: () => {} };
  }
  const opened = new SocketSession(path, session, caller, place.host);
  opened.connect();
  return opened;
}
