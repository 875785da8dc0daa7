import { hash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/*
 * RFC 6455 section 4.2.1, what a client must send (names and tokens in any case):
 *
 *   GET, HTTP/1.1        Host: any            Connection: a list with `Upgrade`
 *   Upgrade: a list with `websocket`          Sec-WebSocket-Version: 13
 *   Sec-WebSocket-Key: base64 of 16 octets    Sec-WebSocket-Protocol: a list of tokens (optional)
 *
 * Sec-WebSocket-Extensions is ignored: none is offered in return, so none is in force.
 */

export type HandshakeCheck =
  | { readonly kind: 'valid'; readonly key: string; readonly protocols: readonly string[] }
  | { readonly kind: 'invalid'; readonly status: number; readonly reason: string };

const KEY_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
// 22 digits and padding; the last digit carries 2 bits.
const KEY_PATTERN = /^[+/0-9A-Za-z]{21}[AQgw]==$/;
const TOKEN_PATTERN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

export function isWebSocketUpgrade(request: IncomingMessage): boolean {
  return hasToken(request.headers.upgrade, 'websocket');
}

export function checkHandshake(request: IncomingMessage): HandshakeCheck {
  const { headers } = request;
  if (request.method !== 'GET') return invalid(405, 'a WebSocket handshake is a GET');
  if (request.httpVersion !== '1.1') return invalid(400, 'a WebSocket handshake needs HTTP/1.1');
  if (headers.host === undefined) return invalid(400, 'the Host header is missing');
  if (!hasToken(headers.connection, 'upgrade'))
    return invalid(400, 'the Connection header must name Upgrade');
  if (headers['sec-websocket-version'] !== '13') return invalid(426, 'Sec-WebSocket-Version must be 13');
  const key = headers['sec-websocket-key'];
  if (typeof key !== 'string' || !KEY_PATTERN.test(key)) {
    return invalid(400, 'Sec-WebSocket-Key must be base64 of 16 octets');
  }
  const protocols = parseProtocols(headers['sec-websocket-protocol']);
  if (protocols === undefined)
    return invalid(400, 'Sec-WebSocket-Protocol must be a list of different tokens');
  return { kind: 'valid', key, protocols };
}

export function acceptKey(key: string): string {
  return hash('sha1', key + KEY_GUID, 'base64');
}

function invalid(status: number, reason: string): HandshakeCheck {
  return { kind: 'invalid', status, reason };
}

function hasToken(header: string | undefined, token: string): boolean {
  if (header === undefined) return false;
  // Mostly it is alone.
  if (header.length === token.length) return header.toLowerCase() === token;
  return header.split(',').some((part) => part.trim().toLowerCase() === token);
}

function parseProtocols(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return [];
  const protocols = header.split(',').map((part) => part.trim());
  const isValid = protocols.every((name) => TOKEN_PATTERN.test(name));
  return isValid && new Set(protocols).size === protocols.length ? protocols : undefined;
}
