import { once } from 'node:events';
import http, { type IncomingMessage, ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TlsOptions } from 'node:tls';

import { type Clock, systemClock } from '../base/clock.js';
import { HttpRouter } from './http/http-router.js';
import { type NetLimits, netLimitsDefault, type WebSocketLimits } from './net-limits.js';
import { ProtocolSniffer } from './protocol-sniffer.js';
import { TimerWheel, type WheelTask } from './timer-wheel.js';
import { TurnFlusher } from './turn-flusher.js';
import { BufferJoiner } from './websocket/buffer-joiner.js';
import { CloseCode } from './websocket/close-code.js';
import type { ConnectionHost, ServerConnection } from './websocket/connection.js';
import { isWebSocketUpgrade } from './websocket/handshake.js';
import { OutputArena } from './websocket/output-queue.js';
import {
  type UpgradeAnswer,
  UpgradeDispatcher,
  type UpgradeRequest,
  type UpgradeRoute,
} from './websocket/upgrade.js';

/** Answers a request of node:http by itself; false if it is for somebody else. */
export type RawHandler = (message: IncomingMessage, out: ServerResponse) => boolean;

export type ListenerLimits = Partial<Omit<NetLimits, 'webSocket'>> & {
  readonly webSocket?: Partial<WebSocketLimits>;
};

export interface ListenerOptions {
  /** Default 127.0.0.1: reachable from this machine only. */
  readonly host?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
  /** Serves https and wss instead of http and ws. Needs at least `key` and `cert`. */
  readonly tls?: TlsOptions;
  readonly clock?: Clock;
  readonly limits?: ListenerLimits;
  /** Told about defects: what handlers throw. Misbehaving peers are no errors. */
  readonly onError?: (error: unknown, where: string) => void;
}

/**
 * One port for everything: HTTP, WebSocket, and protocols that are known by their first octet.
 *
 *     const listener = await Listener.listen({ port: 3000 });
 *     listener.router.route('GET', '/hello', () => ({ status: 200, body: 'hello' }));
 */
export class Listener {
  readonly router: HttpRouter;
  readonly turns: TurnFlusher;
  /** The wheel that all deadlines of this listener share. */
  readonly wheel: TimerWheel;
  readonly #rawRoutes: { readonly prefix: string; readonly handle: RawHandler }[] = [];
  readonly #server: http.Server;
  readonly #sockets = new Set<Duplex>();
  readonly #sniffer: ProtocolSniffer;
  readonly #upgrades: UpgradeDispatcher;
  readonly #host: ConnectionHost;
  readonly #connectionsMax: number;
  readonly #isTls: boolean;
  readonly #bindHost: string;
  #closed: Promise<void> | undefined;
  #resolveGone: () => void = () => {};
  /** One for all sockets. */
  readonly #onSocketClosed: (this: Socket) => void;
  readonly #gone = new Promise<void>((resolve) => void (this.#resolveGone = resolve));

  private constructor(options: ListenerOptions) {
    const limits: NetLimits = {
      ...netLimitsDefault,
      ...options.limits,
      webSocket: { ...netLimitsDefault.webSocket, ...options.limits?.webSocket },
    };
    const onError = options.onError ?? (() => {});
    this.router = new HttpRouter({ bodyBytesMax: limits.bodyBytesMax, onError });
    this.turns = new TurnFlusher((error) => onError(error, 'flush'));
    const wheel = new TimerWheel(options.clock ?? systemClock, (error) => onError(error, 'timer'));
    this.wheel = wheel;
    const connections = new Set<ServerConnection>();
    this.#host = {
      turns: this.turns,
      track: (former, successor) => {
        this.#sockets.delete(former);
        successor.on('error', ignore);
        this.#sockets.add(successor);
      },
      untrack: (socket) => this.#untrack(socket),
      wheel,
      arena: new OutputArena(),
      joiner: new BufferJoiner(),
      connections,
      onError,
    };
    this.#upgrades = new UpgradeDispatcher(this.#host, limits);
    this.#connectionsMax = limits.connectionsMax;
    this.#isTls = options.tls !== undefined;
    this.#bindHost = options.host ?? '127.0.0.1';
    this.#server = createServer(options.tls, limits);
    const untrack = (socket: Socket): void => this.#untrack(socket);
    this.#onSocketClosed = function onSocketClosed() {
      untrack(this);
    };
    this.#sniffer = new ProtocolSniffer(this.#server, this.#isTls, wheel, limits.headersMs);
    this.#attach();
  }

  static async listen(options: ListenerOptions = {}): Promise<Listener> {
    const listener = new Listener(options);
    const server = listener.#server;
    server.listen(options.port ?? 0, listener.#bindHost);
    await once(server, 'listening');
    server.on('error', (error) => listener.#host.onError(error, 'listen'));
    return listener;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    const host = this.#bindHost.includes(':') ? `[${this.#bindHost}]` : this.#bindHost;
    return `${this.#isTls ? 'https' : 'http'}://${host}:${this.port}`;
  }

  /** Open WebSockets. */
  get webSocketCount(): number {
    return this.#host.connections.size;
  }

  /** Adds a route for WebSockets. Routes are asked in the order of addition. */
  addUpgradeRoute(route: UpgradeRoute): void {
    this.#upgrades.add(route);
  }

  /**
   * Hands requests whose target begins with `prefix` to `handle` as node:http brings them, before the router is asked: for
   * protocols that answer so many small requests that the router's comfort would cost more than their work. `handle` owns the
   * answer and must not throw.
   */
  addRawRoute(prefix: string, handle: RawHandler): void {
    this.#rawRoutes.push({ prefix, handle });
  }

  /** What the upgrade routes say to a handshake that came another way than over a socket of this listener. */
  decideUpgrade(request: Omit<UpgradeRequest, 'params'>): UpgradeAnswer | Promise<UpgradeAnswer> {
    return this.#upgrades.decide(request);
  }

  /**
   * Hands sockets whose first octet is `firstOctet` to `accept`, which gets them paused with that octet still
   * unread, and owns them from then on, errors included.
   */
  addRawProtocol(firstOctet: number, accept: (socket: Duplex) => void): void {
    this.#sniffer.add(firstOctet, accept);
  }

  /**
   * Stops accepting, closes WebSockets with 1001 and lets requests under way and queued messages finish for
   * `drainMs`; then ends what is left. Resolves when the last socket is gone.
   */
  close(options: { readonly drainMs?: number } = {}): Promise<void> {
    // 2 s: what process managers leave a service before they lose patience, with a margin.
    return (this.#closed ??= this.#close(options.drainMs ?? 2000));
  }

  async #close(drainMs: number): Promise<void> {
    this.#upgrades.isClosing = true;
    this.#server.close();
    this.#sniffer.endWaiting();
    this.turns.flush();
    for (const connection of this.#host.connections) connection.close(CloseCode.goingAway, 'server shutdown');
    if (drainMs <= 0) this.#destroySockets();
    const deadline: WheelTask = { wheelDueMs: Infinity, onWheelDue: () => this.#destroySockets() };
    this.#host.wheel.schedule(deadline, drainMs);
    await this.#gone;
    this.#host.wheel.cancel(deadline);
  }

  /** The server says `close` before its last socket does. */
  #checkGone(): void {
    if (!this.#server.listening && this.#sockets.size === 0) this.#resolveGone();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', this.#onSocketClosed);
  }

  #untrack(socket: Duplex): void {
    this.#sockets.delete(socket);
    this.#checkGone();
  }

  #destroySockets(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #attach(): void {
    const server = this.#server;
    server.on('connection', (socket: Socket) => {
      if (this.#sockets.size >= this.#connectionsMax) socket.destroy();
      else this.#track(socket);
    });
    server.on('close', () => this.#checkGone());
    server.on('request', (message, out) => {
      const url = message.url ?? '';
      for (const { prefix, handle } of this.#rawRoutes) {
        if (url.startsWith(prefix) && handle(message, out)) return;
      }
      void this.router.handle(message, out);
    });
    server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
      // From here on nobody else listens; an error is followed by `close`.
      socket.on('error', ignore);
      if (isWebSocketUpgrade(message)) this.#upgradeSocket(message, socket, head);
      else this.#answerPlainly(message, socket);
    });
  }

  #upgradeSocket(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    if ('setNoDelay' in socket) (socket as Socket).setNoDelay(true).setTimeout(0);
    this.#upgrades.handle(message, socket, head);
  }

  /** Another upgrade, such as h2c, which a server may decline by answering the request as it stands. */
  #answerPlainly(message: IncomingMessage, socket: Duplex): void {
    const out = new ServerResponse(message);
    out.shouldKeepAlive = false;
    out.assignSocket(socket as Socket);
    out.once('finish', () => socket.end(() => socket.destroy()));
    void this.router.handle(message, out);
  }
}

function createServer(tls: TlsOptions | undefined, limits: NetLimits): http.Server {
  const options: http.ServerOptions = {
    headersTimeout: limits.headersMs,
    requestTimeout: limits.requestMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headerBytesMax,
    // How late the two timeouts may strike.
    connectionsCheckingInterval: Math.min(1000, limits.headersMs),
    noDelay: true,
  };
  const server =
    tls === undefined
      ? http.createServer(options)
      : https.createServer({ ...options, handshakeTimeout: limits.headersMs, ...tls });
  return server;
}

function ignore(): void {}
