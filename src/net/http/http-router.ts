import type { IncomingMessage, ServerResponse } from 'node:http';

import { readBody } from './body.js';
import { corsHeaders, type CorsPolicy, isPreflight, preflightHeaders } from './cors.js';
import { HttpError } from './http-error.js';
import type { HttpHandler, HttpRequest, HttpResponse } from './http-message.js';
import {
  comparePatterns,
  matchPattern,
  parsePattern,
  parseTarget,
  type PathPattern,
  type Target,
} from './path.js';
import { writeResponse } from './write-response.js';

export interface RouteOptions {
  readonly cors?: CorsPolicy;
  /** Default for `readBody`; the listener's `bodyBytesMax` if absent. */
  readonly bodyBytesMax?: number;
}

interface Endpoint {
  readonly handler: HttpHandler;
  readonly options: RouteOptions;
}

interface Route {
  readonly pattern: PathPattern;
  readonly endpoints: Map<string, Endpoint>;
}

type Match = { readonly route: Route; readonly params: Readonly<Record<string, string>> };

export interface RouterOptions {
  readonly bodyBytesMax: number;
  onError(error: unknown, where: string): void;
}

/** Finds the handler of a request and writes its answer. HEAD, OPTIONS, 404 and 405 are answered here. */
export class HttpRouter {
  readonly #options: RouterOptions;
  readonly #routes: Route[] = [];
  #fallback: HttpHandler | undefined;

  constructor(options: RouterOptions) {
    this.#options = options;
  }

  /**
   * Adds a route. Of several that match, the more specific one answers, whatever the order of addition.
   *
   *     router.route('GET', '/v1/database/:name', ({ params }) => ({ status: 200, body: params.name }));
   */
  route(method: string, pattern: string, handler: HttpHandler, options: RouteOptions = {}): void {
    let route = this.#routes.find((candidate) => candidate.pattern.text === pattern);
    if (route === undefined) {
      route = { pattern: parsePattern(pattern), endpoints: new Map() };
      this.#routes.push(route);
      this.#routes.sort((a, b) => comparePatterns(a.pattern, b.pattern));
    }
    if (route.endpoints.has(method)) throw new Error(`${method} ${pattern} is routed already`);
    route.endpoints.set(method, { handler, options });
  }

  /** Answers every path that no route matches; without it they are 404. */
  fallback(handler: HttpHandler): void {
    this.#fallback = handler;
  }

  /** Answers one request of node:http. Never rejects. */
  async handle(message: IncomingMessage, out: ServerResponse): Promise<void> {
    const abort = new AbortController();
    out.on('close', () => {
      if (!out.writableFinished) abort.abort();
    });
    const method = message.method ?? '';
    try {
      const response = await this.#answer(message, out, method, abort.signal);
      await writeResponse(out, response, method === 'HEAD', abort.signal);
    } catch (error) {
      if (!abort.signal.aborted) this.#options.onError(error, `${method} ${message.url ?? ''}`);
      out.destroy();
    }
  }

  async #answer(
    message: IncomingMessage,
    out: ServerResponse,
    method: string,
    signal: AbortSignal,
  ): Promise<HttpResponse> {
    const target = parseTarget(message.url ?? '');
    if (target === undefined) return text(400, 'the path is not valid');
    const matches = this.#match(target);
    const match = matches.find(({ route }) => findEndpoint(route, method) !== undefined);
    const endpoint = match === undefined ? undefined : findEndpoint(match.route, method);
    const cors = endpoint === undefined ? corsOf(matches) : endpoint.options.cors;
    const origin = message.headers.origin;
    if (cors !== undefined) setHeaders(out, corsHeaders(cors, origin));
    if (match === undefined || endpoint === undefined) {
      if (cors !== undefined && isPreflight(method, message.headers)) {
        return { status: 204, headers: preflightHeaders(cors, origin, methodsOf(matches)) };
      }
      if (matches.length > 0) return notAllowed(method, methodsOf(matches));
      if (this.#fallback === undefined) return text(404, 'not found');
    }
    const handler = endpoint?.handler ?? this.#fallback!;
    const bodyBytesMax = endpoint?.options.bodyBytesMax ?? this.#options.bodyBytesMax;
    return this.#call(handler, makeRequest(message, method, target, match?.params, bodyBytesMax, signal));
  }

  async #call(handler: HttpHandler, request: HttpRequest): Promise<HttpResponse> {
    try {
      return await handler(request);
    } catch (error) {
      if (error instanceof HttpError) return { ...text(error.status, error.message), headers: error.headers };
      if (!request.signal.aborted) this.#options.onError(error, `${request.method} ${request.path}`);
      return text(500, 'internal error');
    }
  }

  #match(target: Target): Match[] {
    const matches: Match[] = [];
    for (const route of this.#routes) {
      const params = matchPattern(route.pattern, target.segments);
      if (params !== undefined) matches.push({ route, params });
    }
    return matches;
  }
}

function findEndpoint(route: Route, method: string): Endpoint | undefined {
  return route.endpoints.get(method) ?? (method === 'HEAD' ? route.endpoints.get('GET') : undefined);
}

function methodsOf(matches: readonly Match[]): string[] {
  const methods = new Set(matches.flatMap(({ route }) => [...route.endpoints.keys()]));
  if (methods.has('GET')) methods.add('HEAD');
  return [...methods.add('OPTIONS')].sort();
}

function corsOf(matches: readonly Match[]): CorsPolicy | undefined {
  for (const { route } of matches) {
    for (const { options } of route.endpoints.values()) if (options.cors !== undefined) return options.cors;
  }
  return undefined;
}

function notAllowed(method: string, methods: readonly string[]): HttpResponse {
  const headers = { allow: methods.join(', ') };
  return method === 'OPTIONS' ? { status: 204, headers } : { ...text(405, 'method not allowed'), headers };
}

function text(status: number, body: string): HttpResponse {
  return { status, body };
}

function setHeaders(out: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) out.setHeader(name, value);
}

function makeRequest(
  message: IncomingMessage,
  method: string,
  target: Target,
  params: Readonly<Record<string, string>> | undefined,
  bodyBytesMax: number,
  signal: AbortSignal,
): HttpRequest {
  return {
    method,
    path: target.path,
    params: params ?? (Object.create(null) as Record<string, string>),
    query: target.query,
    headers: message.headers,
    remoteAddress: message.socket.remoteAddress ?? '',
    signal,
    readBody: (bytesMax = bodyBytesMax) => readBody(message, bytesMax),
  };
}
