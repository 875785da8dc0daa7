import type { IncomingMessage, ServerResponse } from 'node:http';

import type { UpgradeDecision } from '../../../net/websocket/upgrade.js';
import { addCorsHeaders, addPreflightHeaders, type HeaderMap } from './cors.js';
import { endResponse } from './end-response.js';
import type { EngineApplication } from './engine.js';
import type { EngineSettings } from './options.js';
import type { Refusal } from './refusal.js';

/** What requests are answered with, other than packets. */
export class Answers {
  readonly #settings: EngineSettings;
  readonly #application: Pick<EngineApplication, 'onRefused' | 'onHeaders'>;

  constructor(settings: EngineSettings, application: Pick<EngineApplication, 'onRefused' | 'onHeaders'>) {
    this.#settings = settings;
    this.#application = application;
  }

  /** CORS is on. */
  answerPreflight(message: IncomingMessage, out: ServerResponse): void {
    const headers = this.makeHeaders(message, false);
    addPreflightHeaders(headers, this.#settings.cors!, message);
    headers['content-length'] = '0';
    out.writeHead(204, headers);
    out.end();
  }

  refuse(message: IncomingMessage, out: ServerResponse, refusal: Refusal): void {
    this.#application.onRefused?.(message, refusal);
    this.respond(message, out, refusal.status, refusal.body, 'application/json');
  }

  rejectUpgrade(message: IncomingMessage, refusal: Refusal): UpgradeDecision {
    this.#application.onRefused?.(message, refusal);
    const status = refusal.status === 403 ? 400 : refusal.status;
    return { kind: 'reject', status, body: refusal.message };
  }

  respond(message: IncomingMessage, out: ServerResponse, status: number, body: string, type: string): void {
    if (out.destroyed) return;
    const headers = this.makeHeaders(message, false);
    headers['content-type'] = type;
    const bytes = Buffer.byteLength(body);
    headers['content-length'] = String(bytes);
    headers['cache-control'] = 'no-store';
    // A body that was not read would be taken for the next request.
    if (!message.complete) message.resume();
    out.writeHead(status, headers);
    endResponse(out, body, bytes);
  }

  /** What an answer to this request carries besides its own headers. */
  makeHeaders(message: IncomingMessage, isHandshake: boolean, sid = ''): HeaderMap {
    const headers: HeaderMap = {};
    const { cors, cookie } = this.#settings;
    if (cors !== undefined) addCorsHeaders(headers, cors, message);
    if (isHandshake && cookie !== undefined) headers['set-cookie'] = cookie(sid);
    this.#application.onHeaders?.(headers, message, isHandshake);
    return headers;
  }
}
