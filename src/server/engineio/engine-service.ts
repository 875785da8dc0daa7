import type { IncomingMessage } from 'node:http';

import type { Random } from '../../base/random.js';
import { AuthError } from '../../identity/auth-error.js';
import { parseAuthorization } from '../../identity/authorization.js';
import type { TokenAuthority } from '../../identity/tokens.js';
import type { Caller } from '../../module/module-def.js';
import type { SocketCtx, SocketHandlers } from '../../module/socket.js';
import type { SchemaShape } from '../../module/db-view.js';
import type { Listener } from '../../net/listener.js';
import {
  Engine,
  type EngineApplication,
  type HandshakeRequest,
  type HandshakeVerdict,
} from '../../protocols/engineio/server/engine.js';
import { type EngineOptions, normalisePath } from '../../protocols/engineio/server/options.js';
import { refuse, RefusalCode, refuseWith } from '../../protocols/engineio/server/refusal.js';
import type { SessionHandler } from '../../protocols/engineio/server/session-host.js';
import type { Session } from '../../protocols/engineio/server/session.js';
import { ConnectionId } from '../../values/identity.js';
import type { DatabaseCatalog } from '../catalog.js';
import type { HostedDatabase } from '../hosted-database.js';
import { SocketHub } from './socket-hub.js';
import { type AcceptedUpgrade, openTunnel } from './tunnel.js';

export interface EngineServiceOptions {
  readonly listener: Listener;
  readonly catalog: DatabaseCatalog;
  readonly authority: TokenAuthority;
  readonly random: Random;
  readonly engine: EngineOptions;
  readonly onError: (error: unknown, where: string) => void;
}

type SocketCaller = Caller & { readonly connectionId: ConnectionId };

/**
 * Engine.IO on the server's port: at `/engine.io/` any protocol of the server inside a session (`?protocol=` names subprotocols,
 * `?path=` what would be the WebSocket's path), and at the paths that modules name, their sockets.
 */
export class EngineService {
  readonly #options: EngineServiceOptions;
  readonly #engines = new Map<string, Engine>();

  constructor(options: EngineServiceOptions) {
    this.#options = options;
    const { listener } = options;
    const tunnel = this.#makeEngine(options.engine.path ?? '/engine.io/', this.#tunnelApplication());
    this.#engines.set(tunnel.settings.path, tunnel);
    // Modules come and go while the server runs, so paths are looked up for each request.
    listener.addRawRoute('/', (message, out) => this.#find(message)?.handleRequest(message, out) ?? false);
    listener.addUpgradeRoute({
      pattern: '/*path',
      accept: (request) =>
        (request.message && this.#find(request.message)?.acceptUpgrade(request)) ?? { kind: 'pass' },
    });
  }

  close(): void {
    for (const engine of this.#engines.values()) engine.close();
  }

  #makeEngine(path: string, application: EngineApplication): Engine {
    const { listener, engine, onError } = this.#options;
    return new Engine(
      { ...engine, path },
      { wheel: listener.wheel, turns: listener.turns, onError },
      application,
    );
  }

  #find(message: IncomingMessage): Engine | undefined {
    const url = message.url ?? '';
    const mark = url.indexOf('?');
    // Every request of Engine.IO has a query.
    if (mark < 0) return undefined;
    const path = url.charAt(mark - 1) === '/' ? url.slice(0, mark) : `${url.slice(0, mark)}/`;
    const known = this.#engines.get(path);
    if (known !== undefined || this.#findDatabase(path) === undefined) return known;
    const engine = this.#makeEngine(path, this.#socketApplication(path));
    this.#engines.set(path, engine);
    return engine;
  }

  #findDatabase(
    path: string,
  ): { database: HostedDatabase; handlers: SocketHandlers<SchemaShape> } | undefined {
    for (const database of this.#options.catalog.databases) {
      for (const [own, handlers] of database.host.sockets) {
        if (normalisePath(own) === path) return { database, handlers };
      }
    }
    return undefined;
  }

  /* Protocols inside a session */

  #tunnelApplication(): EngineApplication {
    return {
      authorize: (request) => this.#decideTunnel(request),
      open: (session, _request, context) => openTunnel(session, context as AcceptedUpgrade),
    };
  }

  async #decideTunnel({ message }: HandshakeRequest): Promise<HandshakeVerdict> {
    const query = queryOf(message);
    const protocols = query.get('protocol');
    if (protocols === null) {
      return refuse(RefusalCode.badRequest, { name: 'NO_PROTOCOL' }, 'say what to speak inside: ?protocol=');
    }
    const target = query.get('path') ?? '/';
    const mark = target.indexOf('?');
    const answer = await this.#options.listener.decideUpgrade({
      path: mark < 0 ? target : target.slice(0, mark),
      query: new URLSearchParams(mark < 0 ? '' : target.slice(mark + 1)),
      headers: message.headers,
      offeredProtocols: protocols.split(',').filter((name) => name !== ''),
      remoteAddress: message.socket.remoteAddress ?? '',
    });
    if (answer.kind === 'reject') return refuseWith(answer.status, answer.body ?? '');
    return { kind: 'accept', context: answer, protocol: answer.protocol ?? '' };
  }

  /* Sockets of modules */

  #socketApplication(path: string): EngineApplication {
    const hub = new SocketHub(() => this.#engines.get(path)!);
    return {
      authorize: (request) => this.#authenticate(request),
      open: (session, _request, context) => this.#openSocket(path, hub, session, context as SocketCaller),
    };
  }

  async #authenticate({ message }: HandshakeRequest): Promise<HandshakeVerdict> {
    const { authority, random } = this.#options;
    try {
      const token = parseAuthorization(message.headers, queryOf(message));
      const credentials =
        token === undefined ? await authority.mintAnonymous() : await authority.verify(token);
      const caller: SocketCaller = {
        identity: credentials.identity,
        connectionId: ConnectionId.random(random),
        tokenPayload: credentials.payload,
      };
      return { kind: 'accept', context: caller };
    } catch (error) {
      if (error instanceof AuthError) return refuseWith(error.httpStatus, error.message);
      throw error;
    }
  }

  #openSocket(path: string, hub: SocketHub, session: Session, caller: SocketCaller): SessionHandler {
    const socket = hub.add(session, caller);
    const call = (
      run: (handlers: SocketHandlers<SchemaShape>, ctx: SocketCtx<SchemaShape>) => unknown,
    ): void => {
      // Looked up each time: the module may have been replaced since.
      const found = this.#findDatabase(path);
      if (found === undefined) return session.close();
      const { host } = found.database;
      const failed = (error: unknown): void => {
        host.reportCrash(`socket ${path}`, error);
        session.terminate('forced close', 'a handler failed');
      };
      try {
        const result = run(found.handlers, makeContext(path, found.database, hub, caller));
        if (result instanceof Promise) result.catch(failed);
      } catch (error) {
        failed(error);
      }
    };
    call((handlers, ctx) => handlers.connect?.(ctx, socket));
    return {
      onMessage: (data) =>
        call((handlers, ctx) =>
          handlers.message?.(ctx, socket, typeof data === 'string' ? data : data.slice()),
        ),
      onClose: (reason) => {
        hub.remove(socket);
        call((handlers, ctx) => handlers.disconnect?.(ctx, socket, reason));
      },
    };
  }
}

function makeContext(
  path: string,
  { host }: HostedDatabase,
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
    withTx: (body) => host.transact(`socket ${path}`, caller, body),
    broadcast: (data, to) => hub.broadcast(data, to),
  };
}

function queryOf(message: IncomingMessage): URLSearchParams {
  const url = message.url ?? '';
  return new URLSearchParams(url.slice(url.indexOf('?') + 1));
}
