import type { IncomingMessage } from 'node:http';

export type OriginRule =
  | boolean
  | string
  | RegExp
  | readonly (string | RegExp)[]
  | ((origin: string | undefined, request: IncomingMessage) => boolean);

export interface CorsOptions {
  /** Default `*`. `true` or a list: the request's own origin is named, if it may. */
  readonly origin?: OriginRule;
  /** Cookies and authorization may be sent by pages of other origins. Default false. */
  readonly credentials?: boolean;
  readonly methods?: string | readonly string[];
  /** Default: those the preflight asks for. */
  readonly allowedHeaders?: string | readonly string[];
  readonly exposedHeaders?: string | readonly string[];
  readonly maxAgeSeconds?: number;
}

export type HeaderMap = Record<string, string | string[]>;

/** Adds what a page of another origin needs to read an answer. */
export function addCorsHeaders(headers: HeaderMap, cors: CorsOptions, request: IncomingMessage): void {
  const { origin } = request.headers;
  const rule = cors.origin ?? '*';
  if (rule === '*' || rule === false) {
    if (rule === '*') headers['access-control-allow-origin'] = '*';
  } else if (typeof rule === 'string') {
    headers['access-control-allow-origin'] = rule;
    headers['vary'] = 'Origin';
  } else {
    headers['vary'] = 'Origin';
    if (origin !== undefined && isAllowed(rule, origin, request))
      headers['access-control-allow-origin'] = origin;
  }
  if (cors.credentials === true) headers['access-control-allow-credentials'] = 'true';
  const exposed = joined(cors.exposedHeaders);
  if (exposed !== undefined) headers['access-control-expose-headers'] = exposed;
}

/** What the answer to a preflight has on top. */
export function addPreflightHeaders(headers: HeaderMap, cors: CorsOptions, request: IncomingMessage): void {
  headers['access-control-allow-methods'] = joined(cors.methods) ?? 'GET,POST';
  const allowed = joined(cors.allowedHeaders) ?? request.headers['access-control-request-headers'];
  if (allowed !== undefined) headers['access-control-allow-headers'] = allowed;
  if (cors.maxAgeSeconds !== undefined) headers['access-control-max-age'] = String(cors.maxAgeSeconds);
}

function isAllowed(rule: Exclude<OriginRule, string>, origin: string, request: IncomingMessage): boolean {
  if (typeof rule === 'boolean') return rule;
  if (typeof rule === 'function') return rule(origin, request);
  if (rule instanceof RegExp) return rule.test(origin);
  return rule.some((one) => (typeof one === 'string' ? one === origin : one.test(origin)));
}

function joined(list: string | readonly string[] | undefined): string | undefined {
  return list === undefined || typeof list === 'string' ? list : list.join(',');
}

/** Whether an Origin header can be echoed: visible characters only. */
export function isOriginValid(origin: string): boolean {
  return !/[^\t\u0020-\u007e\u0080-\u00ff]/.test(origin);
}
