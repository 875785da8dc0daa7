import { type IncomingHttpHeaders, type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';

import { type ChannelBindings, channelBindingsOf } from '../channel-bindings.js';
import { matchPattern, parsePattern, parseTarget, type PathPattern, type Target } from '../http/path.js';
import type { NetLimits, WebSocketLimits } from '../net-limits.js';
import type { WheelTask } from '../timer-wheel.js';
import {
  type ConnectionHost,
  ServerConnection,
  type WebSocketConnection,
  type WebSocketHandler,
} from './connection.js';
import { acceptKey, checkHandshake } from './handshake.js';

export interface UpgradeRequest {
  readonly path: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Subprotocols in the client's order of preference. */
  readonly offeredProtocols: readonly string[];
  readonly remoteAddress: string;
  /** Of the TLS channel that the handshake came over; undefined without one. */
  readonly channelBindings?: ChannelBindings | undefined;
  /** The request of node:http; undefined if the handshake came another way. */
  readonly message?: IncomingMessage;
}

export type UpgradeDecision =
  | {
      readonly kind: 'accept';
      /** One of `offeredProtocols`, or nothing. */
      readonly protocol?: string;
      readonly headers?: Readonly<Record<string, string>>;
      readonly limits?: Partial<WebSocketLimits>;
      open(connection: WebSocketConnection): WebSocketHandler;
    }
  | {
      readonly kind: 'reject';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly body?: string;
    }
  /** Not mine: the next route is asked. */
  | { readonly kind: 'pass' };

export interface UpgradeRoute {
  /** As in the router: `/v1/database/:name/subscribe`; `/*path` takes every path. */
  readonly pattern: string;
  accept(request: UpgradeRequest): UpgradeDecision | Promise<UpgradeDecision>;
}

export type UpgradeAnswer = Exclude<UpgradeDecision, { kind: 'pass' }>;

/** A handshake that came over a socket. What costs something is made when a route asks for it. */
class SocketUpgradeRequest implements UpgradeRequest {
  params: Readonly<Record<string, string>> = {};
  readonly offeredProtocols: readonly string[];
  readonly message: IncomingMessage;
  readonly #target: Target;

  constructor(target: Target, message: IncomingMessage, offeredProtocols: readonly string[]) {
    this.#target = target;
    this.message = message;
    this.offeredProtocols = offeredProtocols;
  }

  get path(): string {
    return this.#target.path;
  }

  get query(): URLSearchParams {
    return this.#target.query;
  }

  get headers(): IncomingHttpHeaders {
    return this.message.headers;
  }

  get remoteAddress(): string {
    return this.message.socket.remoteAddress ?? '';
  }

  get channelBindings(): ChannelBindings | undefined {
    return channelBindingsOf(this.message.socket);
  }
}

function withParams(
  request: Omit<UpgradeRequest, 'params'>,
  params: Readonly<Record<string, string>>,
): UpgradeRequest {
  // Routes are asked one after the other, so they can share it.
  if (!(request instanceof SocketUpgradeRequest)) return { ...request, params };
  request.params = params;
  return request;
}

/** Answers WebSocket handshakes: checks them, asks the routes in turn, opens connections. */
export class UpgradeDispatcher {
  readonly #routes: { readonly pattern: PathPattern; readonly route: UpgradeRoute }[] = [];
  readonly #host: ConnectionHost;
  readonly #limits: NetLimits;
  readonly #mergedLimits = new WeakMap<Partial<WebSocketLimits>, WebSocketLimits>();
  isClosing = false;

  constructor(host: ConnectionHost, limits: NetLimits) {
    this.#host = host;
    this.#limits = limits;
  }

  add(route: UpgradeRoute): void {
    this.#routes.push({ pattern: parsePattern(route.pattern), route });
  }

  /** Takes over the socket of a request with `Upgrade: websocket`. */
  handle(request: IncomingMessage, socket: Duplex, head: Uint8Array): void {
    const check = checkHandshake(request);
    if (this.isClosing) return rejectUpgrade(socket, 503, 'the server is shutting down');
    if (check.kind === 'invalid') return rejectUpgrade(socket, check.status, check.reason);
    const target = parseTarget(request.url ?? '');
    if (target === undefined) return rejectUpgrade(socket, 400, 'the path is not valid');
    const answer = this.#ask(0, target.segments, new SocketUpgradeRequest(target, request, check.protocols));
    if (!(answer instanceof Promise)) return this.#carryOut(answer, socket, head, check.key, check.protocols);
    const wait = new DecisionWait(socket, this.#host, this.#limits.upgradeDecisionMs);
    answer.then(
      (decided) => wait.end() && this.#carryOut(decided, socket, head, check.key, check.protocols),
      (error: unknown) => {
        this.#host.onError(error, 'upgrade');
        if (wait.end()) rejectUpgrade(socket, 500, 'internal error');
      },
    );
  }

  /** What the routes say to a handshake, without carrying it out. */
  decide(request: Omit<UpgradeRequest, 'params'>): UpgradeAnswer | Promise<UpgradeAnswer> {
    const target = parseTarget(request.path);
    if (target === undefined) return { kind: 'reject', status: 400, body: 'the path is not valid' };
    return this.#ask(0, target.segments, request);
  }

  /** Asks the routes from `index` on; synchronous as long as they are. */
  #ask(
    index: number,
    segments: readonly string[],
    request: Omit<UpgradeRequest, 'params'>,
  ): UpgradeAnswer | Promise<UpgradeAnswer> {
    for (let i = index; i < this.#routes.length; i++) {
      const { pattern, route } = this.#routes[i]!;
      const params = matchPattern(pattern, segments);
      if (params === undefined) continue;
      const decision = this.#askOne(route, withParams(request, params));
      if (decision instanceof Promise) {
        return decision.then((decided) =>
          decided.kind === 'pass' ? this.#ask(i + 1, segments, request) : decided,
        );
      }
      if (decision.kind !== 'pass') return decision;
    }
    return { kind: 'reject', status: 404, body: 'no WebSocket is served at this path' };
  }

  /** Routes give the same object for each connection, mostly; it is merged once. */
  #merged(own: Partial<WebSocketLimits>): WebSocketLimits {
    let limits = this.#mergedLimits.get(own);
    if (limits === undefined) {
      limits = { ...this.#limits.webSocket, ...own };
      this.#mergedLimits.set(own, limits);
    }
    return limits;
  }

  #askOne(route: UpgradeRoute, request: UpgradeRequest): UpgradeDecision | Promise<UpgradeDecision> {
    try {
      return route.accept(request);
    } catch (error) {
      this.#host.onError(error, 'upgrade');
      return { kind: 'reject', status: 500, body: 'internal error' };
    }
  }

  #carryOut(
    answer: UpgradeAnswer,
    socket: Duplex,
    head: Uint8Array,
    key: string,
    protocols: readonly string[],
  ): void {
    if (answer.kind === 'reject') {
      return rejectUpgrade(socket, answer.status, answer.body ?? '', answer.headers);
    }
    const limits = answer.limits === undefined ? this.#limits.webSocket : this.#merged(answer.limits);
    const connection = new ServerConnection(socket, answer.protocol ?? '', this.#host, limits);
    let handler: WebSocketHandler;
    try {
      // First in the queue: the 101 and what `open` sends leave together.
      connection.sendRaw(switchingProtocols(key, answer, protocols));
      handler = answer.open(connection);
    } catch (error) {
      this.#host.onError(error, 'open');
      connection.abandon();
      rejectUpgrade(socket, 500, 'internal error');
      return;
    }
    connection.start(handler, head);
  }
}

/** Ends a route's time to decide. */
class DecisionWait implements WheelTask {
  wheelDueMs = Infinity;
  readonly #socket: Duplex;
  readonly #host: ConnectionHost;
  #isOver = false;

  constructor(socket: Duplex, host: ConnectionHost, waitMs: number) {
    this.#socket = socket;
    this.#host = host;
    host.wheel.schedule(this, waitMs);
    socket.once('close', () => this.end());
  }

  /** Whether the decision is still wanted. */
  end(): boolean {
    const wasWaiting = !this.#isOver && !this.#socket.destroyed;
    this.#isOver = true;
    this.#host.wheel.cancel(this);
    return wasWaiting;
  }

  onWheelDue(): void {
    if (this.end()) rejectUpgrade(this.#socket, 503, 'no decision in time');
  }
}

function switchingProtocols(
  key: string,
  answer: Extract<UpgradeDecision, { kind: 'accept' }>,
  offered: readonly string[],
): string {
  const { protocol = '', headers = {} } = answer;
  const lines = [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${acceptKey(key)}`,
  ];
  if (protocol !== '') {
    if (!offered.includes(protocol))
      throw new Error(`subprotocol "${protocol}" was not offered by the client`);
    lines.push(`Sec-WebSocket-Protocol: ${protocol}`);
  }
  return encodeHead(lines, headers);
}

/** Answers a handshake with an HTTP error and ends the socket. */
export function rejectUpgrade(
  socket: Duplex,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}`,
    'Connection: close',
    'Content-Type: text/plain; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  if (status === 426) lines.push('Upgrade: websocket', 'Sec-WebSocket-Version: 13');
  if (status === 405) lines.push('Allow: GET');
  socket.once('finish', () => socket.destroy());
  socket.end(Buffer.concat([Buffer.from(encodeHead(lines, headers), 'latin1'), Buffer.from(body)]));
}

/** Latin1. */
function encodeHead(lines: string[], headers: Readonly<Record<string, string>>): string {
  for (const [name, value] of Object.entries(headers)) {
    // A header must never become two.
    if (/[\r\n\0]/.test(name + value)) throw new Error(`header "${name}" holds a line break`);
    lines.push(`${name}: ${value}`);
  }
  return `${lines.join('\r\n')}\r\n\r\n`;
}
