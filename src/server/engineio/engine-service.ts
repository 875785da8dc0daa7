import type { IncomingMessage } from 'node:http';

import type { Listener } from '../../net/listener.js';
import { Engine, type EngineApplication } from '../../protocols/engineio/server/engine.js';
import { type EngineOptions, resolveOptions } from '../../protocols/engineio/server/options.js';
import type { ApplicationSockets } from './application-sockets.js';
import { tunnelApplication } from './tunnel.js';

export interface EngineServiceOptions {
  readonly listener: Listener;
  readonly sockets: ApplicationSockets;
  readonly engine: EngineOptions;
  readonly onError: (error: unknown, where: string) => void;
}

/**
 * Engine.IO on the server's port: at `/engine.io/` any protocol of the server inside a session, and at the paths that modules and the
 * server name, their sockets.
 */
export class EngineService {
  readonly #options: EngineServiceOptions;
  readonly #engines = new Map<string, Engine>();

  constructor(options: EngineServiceOptions) {
    this.#options = options;
    const { listener, sockets, engine } = options;
    const { path } = resolveOptions(engine);
    if (sockets.has(path)) throw new TypeError(`the path ${path} is taken by the protocols inside a session`);
    this.#addEngine(path, tunnelApplication(listener));
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

  #addEngine(path: string, application: EngineApplication): Engine {
    const { listener, engine: options, onError } = this.#options;
    const { wheel, turns } = listener;
    const engine = new Engine({ ...options, path }, { wheel, turns, onError }, application);
    this.#engines.set(path, engine);
    return engine;
  }

  #find(message: IncomingMessage): Engine | undefined {
    const url = message.url ?? '';
    const mark = url.indexOf('?');
    // Every request of Engine.IO has a query.
    if (mark < 0) return undefined;
    const path = url.charAt(mark - 1) === '/' ? url.slice(0, mark) : `${url.slice(0, mark)}/`;
    const known = this.#engines.get(path);
    const { sockets, engine } = this.#options;
    if (known !== undefined || !sockets.has(path)) return known;
    return this.#addEngine(path, sockets.application(path, resolveOptions(engine).queueBytesMax));
  }
}
