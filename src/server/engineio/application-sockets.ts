import type { Clock } from '../../base/clock.js';
import type { Random } from '../../base/random.js';
import { AuthError } from '../../identity/auth-error.js';
import { parseAuthorization } from '../../identity/authorization.js';
import type { TokenAuthority } from '../../identity/tokens.js';
import type { SchemaShape } from '../../module/db-view.js';
import type { Module } from '../../module/definition/build-module.js';
import type { ModuleHost } from '../../module/host.js';
import { checkSocketPath, type SocketCtx, type SocketHandlers } from '../../module/socket.js';
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
import { ConnectionId } from '../../values/identity.js';
import type { DatabaseCatalog } from '../catalog.js';
import { openBareHost } from './bare-host.js';
import { type SocketCaller, SocketHub } from './socket-hub.js';

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

/** What answers at a path, at the moment. */
interface Place {
  readonly host: ModuleHost;
  readonly handlers: SocketHandlers<SchemaShape>;
  readonly report: (where: string, error: unknown) => void;
}

/** The Engine.IO sockets of modules and of the server, by path. The server's own come first. */
export class ApplicationSockets {
  readonly #options: ApplicationSocketsOptions;
  readonly #own = new Map<string, SocketHandlers<SchemaShape>>();
  /** The sockets of programs by their paths as requests are looked up by: every message asks. */
  readonly #normalised = new WeakMap<Module['sockets'], Module['sockets']>();
  #bareHost: ModuleHost | undefined;

  /** Throws TypeError for paths that cannot be. */
  constructor(options: ApplicationSocketsOptions) {
    this.#options = options;
    for (const [path, handlers] of Object.entries(options.sockets)) {
      checkSocketPath(path);
      if (this.#own.has(normalisePath(path))) throw new TypeError(`the socket ${path} is there twice`);
      this.#own.set(normalisePath(path), handlers);
    }
  }

  /** Modules come and go, so that this may change. */
  has(path: string): boolean {
    return this.#find(path) !== undefined;
  }

  /** What an engine at `path` does. */
  application(path: string, queueBytesMax: number): EngineApplication {
    const onError = (error: unknown): void => this.#options.onError(error, `socket ${path}`);
    const hub = new SocketHub({ scope: this.#options.catalog.scope, queueBytesMax, onError });
    return {
      authorize: (request) => this.#authenticate(request),
      open: (session, _request, context) => this.#open(path, hub, session, context as SocketCaller),
    };
  }

  #find(path: string): Place | undefined {
    const handlers = this.#own.get(path);
    if (handlers !== undefined) return this.#ownPlace(handlers);
    for (const { host } of this.#options.catalog.databases) {
      const theirs = this.#socketsOf(host).get(path);
      if (theirs === undefined) continue;
      return { host, handlers: theirs, report: (where, error) => host.reportCrash(where, error) };
    }
    return undefined;
  }

  #socketsOf({ sockets }: ModuleHost): Module['sockets'] {
    let normalised = this.#normalised.get(sockets);
    if (normalised === undefined) {
      // The first of two that are alike, as it was written.
      normalised = new Map([...sockets].toReversed().map(([path, own]) => [normalisePath(path), own]));
      this.#normalised.set(sockets, normalised);
    }
    return normalised;
  }

  #ownPlace(handlers: SocketHandlers<SchemaShape>): Place {
    const { catalog, clock, random, defaultDatabase, onError } = this.#options;
    const host =
      catalog.findDefault(defaultDatabase)?.host ??
      (this.#bareHost ??= openBareHost({ clock, random, scope: catalog.scope }));
    return { host, handlers, report: (where, error) => onError(error, where) };
  }

  async #authenticate({ message }: HandshakeRequest): Promise<HandshakeVerdict> {
    const { authority, random } = this.#options;
    try {
      const token = parseAuthorization(message.headers, queryString(message));
      const { identity, payload: tokenPayload } = await authority.identify(token);
      const caller: SocketCaller = { identity, connectionId: ConnectionId.random(random), tokenPayload };
      return { kind: 'accept', context: caller };
    } catch (error) {
      if (error instanceof AuthError) return refuseWith(error.httpStatus, error.message);
      throw error;
    }
  }

  #open(path: string, hub: SocketHub, session: Session, caller: SocketCaller): SessionHandler {
    const opened = this.#find(path);
    if (opened === undefined) {
      session.close();
      return { onMessage: () => {}, onClose: () => {} };
    }
    const socket = hub.add(session, caller, opened.host);
    let hasFailed = false;
    const where = `socket ${path.slice(0, -1)}`;
    const call = (
      run: (handlers: SocketHandlers<SchemaShape>, ctx: SocketCtx<SchemaShape>) => unknown,
    ): void => {
      // Looked up each time: the module may have been replaced since.
      const place = this.#find(path);
      if (place === undefined) return session.close();
      const failed = (error: unknown): void => {
        place.report(where, error);
        hasFailed = true;
        socket.fail();
      };
      try {
        const result = run(place.handlers, makeContext(where, place.host, hub, caller));
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
    call((handlers, ctx) => handlers.connect?.(ctx, socket));
    return {
      onMessage: (data) => {
        if (hasFailed) return;
        // The bytes of a frame are good during the call only, and handlers may be asynchronous.
        const own = typeof data === 'string' ? data : data.slice();
        call((handlers, ctx) => handlers.message?.(ctx, socket, own));
      },
      onClose: (reason) => {
        hub.remove(socket);
        call((handlers, ctx) => handlers.disconnect?.(ctx, socket, reason));
      },
    };
  }
}

function makeContext(
  where: string,
  host: ModuleHost,
  hub: SocketHub,
  caller: SocketCaller,
): SocketCtx<SchemaShape> {
  const { sender, databaseIdentity, connectionId, timestamp, senderAuth } = host.makeContext(caller);
  return {
    sender,
    databaseIdentity,
    connectionId,
    timestamp,
    senderAuth,
    withTx: (body) => host.transact(where, caller, body),
    broadcast: (data, to) => hub.broadcast(data, to),
  };
}
