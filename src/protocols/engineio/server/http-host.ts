import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

import { systemClock } from '../../../base/clock.js';
import { netLimitsDefault } from '../../../net/net-limits.js';
import { TimerWheel } from '../../../net/timer-wheel.js';
import { TurnFlusher } from '../../../net/turn-flusher.js';
import { BufferJoiner } from '../../../net/websocket/buffer-joiner.js';
import { isWebSocketUpgrade } from '../../../net/websocket/handshake.js';
import { OutputArena } from '../../../net/websocket/output-queue.js';
import { rejectUpgrade, UpgradeDispatcher } from '../../../net/websocket/upgrade.js';
import { Engine, type EngineApplication } from './engine.js';
import { type EngineOptions, normalisePath } from './options.js';

export interface AttachOptions {
  /** Ends WebSocket handshakes at other paths that nobody has taken. Default true. */
  readonly destroyUpgrade?: boolean;
  readonly destroyUpgradeTimeoutMs?: number;
}

// npm engine.io's.
const DESTROY_UPGRADE_MS = 1000;

/** An engine on node:http servers of the application's own, instead of a Listener. */
export class HttpHost {
  readonly engine: Engine;
  readonly turns: TurnFlusher;
  readonly #upgrades: UpgradeDispatcher;

  constructor(
    options: EngineOptions,
    application: EngineApplication,
    onError: (error: unknown, where: string) => void,
  ) {
    const wheel = new TimerWheel(systemClock, (error) => onError(error, 'timer'));
    this.turns = new TurnFlusher((error) => onError(error, 'flush'));
    this.engine = new Engine(options, { wheel, turns: this.turns, onError }, application);
    this.#upgrades = new UpgradeDispatcher(
      {
        turns: this.turns,
        wheel,
        arena: new OutputArena(),
        joiner: new BufferJoiner(),
        connections: new Set(),
        // The server that the socket came from counts it by itself.
        track: (_former, successor) => void successor.on('error', () => {}),
        untrack: () => {},
        onError,
      },
      netLimitsDefault,
    );
    this.#upgrades.add({ ...this.engine.upgradeRoute, pattern: '/*path' });
  }

  handleUpgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => {});
    if ('setNoDelay' in socket && typeof socket.setNoDelay === 'function') socket.setNoDelay(true);
    if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(0);
    if (isWebSocketUpgrade(message)) this.#upgrades.handle(message, socket, head);
    else rejectUpgrade(socket, 400, 'only WebSocket is spoken here');
  }

  /** Takes the requests at `path` from a server; all others go to the listeners that it had before. */
  attach(
    server: HttpServer,
    path: string,
    handlers: {
      request(message: IncomingMessage, out: ServerResponse): void;
      upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void;
    },
    options: AttachOptions = {},
  ): void {
    const prefix = normalisePath(path);
    const isOurs = (message: IncomingMessage): boolean => {
      const url = message.url ?? '';
      return url.startsWith(prefix) || url.startsWith(`${prefix.slice(0, -1)}?`);
    };
    const others = server.listeners('request') as ((message: IncomingMessage, out: ServerResponse) => void)[];
    server.removeAllListeners('request');
    server.on('request', (message: IncomingMessage, out: ServerResponse) => {
      if (isOurs(message)) handlers.request(message, out);
      else for (const other of others) other.call(server, message, out);
    });
    server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
      if (isOurs(message)) handlers.upgrade(message, socket, head);
      else if (options.destroyUpgrade !== false) {
        endUnclaimed(socket, options.destroyUpgradeTimeoutMs ?? DESTROY_UPGRADE_MS);
      }
    });
  }
}

/** Somebody else may want the handshake; if nobody has answered it after a while, it is ended. */
function endUnclaimed(socket: Duplex & { bytesWritten?: number }, waitMs: number): void {
  const timer = setTimeout(() => {
    if (socket.writable && (socket.bytesWritten ?? 0) <= 0) {
      socket.on('error', () => {});
      socket.end();
    }
  }, waitMs);
  timer.unref();
}
