import type { IncomingMessage, ServerResponse } from 'node:http';

import type { TimerWheel } from '../../../net/timer-wheel.js';
import type { TurnFlusher } from '../../../net/turn-flusher.js';
import type { WebSocketLimits } from '../../../net/net-limits.js';
import type { UpgradeDecision, UpgradeRequest, UpgradeRoute } from '../../../net/websocket/upgrade.js';
import { encodeHandshake } from '../messages/handshake.js';
import { type Packet, PacketType, type ProtocolVersion, type TransportName } from '../messages/packet.js';
import { Answers } from './answers.js';
import type { HeaderMap } from './cors.js';
import { type EngineOptions, type EngineSettings, resolveOptions } from './options.js';
import type { RequestVerdict } from './polling-transport.js';
import { type Refusal, refuse, refuseWith, RefusalCode } from './refusal.js';
import { readQuery, type RequestQuery } from './request-query.js';
import { randomSessionId } from './session-id.js';
import type { SessionHandler, SessionHost } from './session-host.js';
import { Session } from './session.js';
import { verifyRequest } from './verify-request.js';

/** A client that asks for a session. */
export interface HandshakeRequest {
  readonly id: string;
  readonly transport: TransportName;
  readonly protocol: ProtocolVersion;
  readonly message: IncomingMessage;
}

/** The application's word on a handshake; an acceptance's `context` comes back in `open`. */
export type HandshakeVerdict = Acceptance | Refusal;

export interface Acceptance {
  readonly kind: 'accept';
  readonly context?: unknown;
  /** What is spoken inside the session; told in the open packet. */
  readonly protocol?: string;
}

/** What the owner of the sessions adds. Everything but `open` may be left out. */
export interface EngineApplication {
  /** A new session. What is sent here leaves right behind the open packet. */
  open(session: Session, request: HandshakeRequest, context: unknown): SessionHandler;
  generateId?(message: IncomingMessage): string | Promise<string>;
  authorize?(request: HandshakeRequest): HandshakeVerdict | Promise<HandshakeVerdict>;
  /** Told of each request that was refused. */
  onRefused?(message: IncomingMessage, refusal: Refusal): void;
  /** May add to the headers of an answer. */
  onHeaders?(headers: HeaderMap, message: IncomingMessage, isHandshake: boolean): void;
}

export interface EngineHost {
  readonly wheel: TimerWheel;
  readonly turns: TurnFlusher;
  onError(error: unknown, where: string): void;
}

/**
 * An Engine.IO server without a port: requests and WebSocket handshakes come in, sessions come out.
 *
 *     const engine = new Engine({}, { wheel: listener.wheel, turns: listener.turns, onError }, { open: (session) => ({
 *       onMessage: (data) => session.send(data),
 *       onClose() {},
 *     }) });
 *     listener.addRawRoute(engine.settings.path, (message, out) => engine.handleRequest(message, out));
 *     listener.addUpgradeRoute(engine.upgradeRoute);
 */
export class Engine implements SessionHost {
  readonly settings: EngineSettings;
  readonly wheel: TimerWheel;
  readonly turns: TurnFlusher;
  readonly sessions = new Map<string, Session>();
  readonly upgradeRoute: UpgradeRoute;
  readonly #application: EngineApplication;
  readonly #answers: Answers;
  readonly #host: EngineHost;
  readonly #socketLimits: Partial<WebSocketLimits>;
  #isClosed = false;

  constructor(options: EngineOptions, host: EngineHost, application: EngineApplication) {
    this.settings = resolveOptions(options);
    this.wheel = host.wheel;
    this.turns = host.turns;
    this.#host = host;
    this.#application = application;
    this.#answers = new Answers(this.settings, application);
    // Engine.IO has its own heartbeat. The queue's bound is that of polling.
    this.#socketLimits = {
      messageBytesMax: this.settings.maxPayloadBytes,
      sendHardBytes: this.settings.queueBytesMax,
      pingMs: 0,
      idleMs: 0,
    };
    this.upgradeRoute = {
      pattern: `${this.settings.path}*rest`,
      accept: (request) => this.acceptUpgrade(request),
    };
  }

  /** Closes all sessions and takes no more. */
  close(): void {
    this.#isClosed = true;
    for (const session of this.sessions.values()) session.terminate('server shutdown');
  }

  /** Answers one request of node:http. */
  handleRequest(message: IncomingMessage, out: ServerResponse): true {
    try {
      this.#dispatch(message, out);
    } catch (error) {
      this.onError(error, 'request');
      if (out.headersSent) out.destroy();
      else this.#answers.respond(message, out, 500, 'internal error', 'text/plain');
    }
    return true;
  }

  #dispatch(message: IncomingMessage, out: ServerResponse): void {
    const { method } = message;
    if (method === 'OPTIONS' && this.settings.cors !== undefined)
      return this.#answers.answerPreflight(message, out);
    const query = readQuery(message.url ?? '');
    const found = verifyRequest(message, query, this, false);
    if (found instanceof Session) return this.#handleKnown(message, out, query, found);
    if (found !== undefined) return this.#answers.refuse(message, out, found);
    const done = this.#handshake(message, query, (request, context) =>
      this.#openPolling(request, context, out, query),
    );
    if (done instanceof Promise) {
      void done.then((refusal) => {
        if (refusal !== undefined) this.#answers.refuse(message, out, refusal);
      });
    } else if (done !== undefined) this.#answers.refuse(message, out, done);
  }

  #handleKnown(message: IncomingMessage, out: ServerResponse, query: RequestQuery, session: Session): void {
    const { polling } = session;
    let verdict: RequestVerdict;
    if (polling === undefined) verdict = { code: RefusalCode.badRequest, name: 'TRANSPORT_MISMATCH' };
    else if (message.method === 'GET') verdict = polling.receivePoll(message, out, query);
    else if (message.method === 'POST') {
      verdict = polling.receivePost(message, query, (status, body) => {
        this.#answers.respond(message, out, status, body, status === 200 ? 'text/html' : 'text/plain');
      });
    } else verdict = { code: RefusalCode.badRequest, name: 'METHOD' };
    if (verdict !== undefined)
      this.#answers.refuse(message, out, refuse(verdict.code, { name: verdict.name }));
  }

  /** Decides on a WebSocket handshake. */
  acceptUpgrade(request: UpgradeRequest): UpgradeDecision | Promise<UpgradeDecision> {
    const { message } = request;
    if (message === undefined) return { kind: 'pass' };
    const query = readQuery(message.url ?? '');
    const found = verifyRequest(message, query, this, true);
    if (found instanceof Session) {
      return { kind: 'accept', limits: this.#socketLimits, open: (socket) => found.openUpgrade(socket) };
    }
    if (found !== undefined) return this.#answers.rejectUpgrade(message, found);
    let accepted: UpgradeDecision | undefined;
    const done = this.#handshake(message, query, (handshake, verdict) => {
      accepted = this.#acceptSocket(handshake, verdict, query);
    });
    if (!(done instanceof Promise))
      return done === undefined ? accepted! : this.#answers.rejectUpgrade(message, done);
    return done.then((refusal) =>
      refusal === undefined ? accepted! : this.#answers.rejectUpgrade(message, refusal),
    );
  }

  /** Ends in `accept` or a refusal; synchronous as long as the application is. */
  #handshake(
    message: IncomingMessage,
    query: RequestQuery,
    accept: (request: HandshakeRequest, verdict: Acceptance) => void,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    if (this.#isClosed || this.sessions.size >= this.settings.sessionsMax) {
      return refuseWith(503, this.#isClosed ? 'the server is shutting down' : 'the server is full');
    }
    const id = this.#application.generateId?.(message) ?? randomSessionId();
    const isAsync = typeof id !== 'string';
    if (!isAsync) return this.#authorize(makeHandshake(id, message, query), accept);
    return id.then(
      (made) => this.#authorize(makeHandshake(made, message, query), accept),
      (error: unknown) => refuse(RefusalCode.badRequest, { name: 'ID_GENERATION_ERROR', error }),
    );
  }

  #authorize(
    request: HandshakeRequest,
    accept: (request: HandshakeRequest, verdict: Acceptance) => void,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    const settle = (verdict: HandshakeVerdict): Refusal | undefined => {
      if (verdict.kind === 'refuse') return verdict;
      if (this.#isClosed) return refuseWith(503, 'the server is shutting down');
      if (this.sessions.has(request.id))
        return refuse(RefusalCode.badRequest, { name: 'ID_GENERATION_ERROR' });
      accept(request, verdict);
      return undefined;
    };
    const verdict = this.#application.authorize?.(request) ?? ACCEPT;
    if (!(verdict instanceof Promise)) return settle(verdict);
    return verdict.then(settle).catch((error: unknown) => {
      this.onError(error, 'authorize');
      return refuseWith(500, 'internal error');
    });
  }

  #openPolling(
    request: HandshakeRequest,
    verdict: Acceptance,
    out: ServerResponse,
    query: RequestQuery,
  ): void {
    // Nobody is there any more to hear of the session.
    if (out.destroyed) return;
    const session = this.#makeSession(request, query);
    session.openPolling(request.message, out, query, this.#openPacket(request, verdict), (opened) =>
      this.#application.open(opened, request, verdict.context),
    );
  }

  #acceptSocket(request: HandshakeRequest, verdict: Acceptance, query: RequestQuery): UpgradeDecision {
    return {
      kind: 'accept',
      limits: this.#socketLimits,
      headers: joinHeaders(this.makeHeaders(request.message, true, request.id)),
      open: (socket) => {
        const session = this.#makeSession(request, query);
        session.openSocket(socket, this.#openPacket(request, verdict), (opened) =>
          this.#application.open(opened, request, verdict.context),
        );
        return session;
      },
    };
  }

  #makeSession(request: HandshakeRequest, query: RequestQuery): Session {
    const session = new Session(this, {
      id: request.id,
      protocol: request.protocol,
      remoteAddress:
        request.transport === 'polling' ? (request.message.socket.remoteAddress ?? '') : undefined,
      isTextOnly: query.b64 !== undefined,
    });
    this.sessions.set(request.id, session);
    return session;
  }

  #openPacket(request: HandshakeRequest, { protocol }: Acceptance): Packet {
    const { settings } = this;
    const canUpgrade =
      request.transport === 'polling' && settings.allowUpgrades && settings.transports.includes('websocket');
    const data = encodeHandshake({
      sid: request.id,
      upgrades: canUpgrade ? ['websocket'] : [],
      pingIntervalMs: settings.pingIntervalMs + settings.pingGraceMs,
      pingTimeoutMs: settings.pingTimeoutMs,
      maxPayloadBytes: settings.maxPayloadBytes,
      ...(protocol === undefined ? {} : { protocol }),
    });
    return { type: PacketType.open, data };
  }

  makeHeaders(message: IncomingMessage, isHandshake: boolean, sid = ''): HeaderMap {
    return this.#answers.makeHeaders(message, isHandshake, sid);
  }

  forget(session: Session): void {
    this.sessions.delete(session.id);
  }

  onError(error: unknown, where: string): void {
    this.#host.onError(error, `engine.io ${where}`);
  }
}

const ACCEPT: Acceptance = { kind: 'accept' };

function makeHandshake(id: string, message: IncomingMessage, query: RequestQuery): HandshakeRequest {
  return {
    id,
    transport: query.transport === 'websocket' ? 'websocket' : 'polling',
    protocol: query.eio === '3' ? 3 : 4,
    message,
  };
}

/** A handshake's answer has no room for lists. */
function joinHeaders(headers: HeaderMap): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value]),
  );
}
