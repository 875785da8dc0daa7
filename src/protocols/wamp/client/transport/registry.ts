import { BaseError } from '../errors.js';
import type { EngineTransports } from '../../../../base/connecting.js';
import type { OpenTransport, Transport, TransportRequest } from './transport.js';
import { openPlatformWebSocket } from './websocket.js';

/* Which transport carries which scheme of a URL. The Node entry adds RawSocket and puts its own WebSocket in place. */

const factories = new Map<string, OpenTransport>(
  ['ws', 'wss', 'http', 'https'].map((scheme) => [scheme, openPlatformWebSocket]),
);

/** @throws BaseError MISUSE if one of the schemes is taken, unless it may be overwritten. */
export function registerTransportFactory(
  schemes: readonly string[],
  open: OpenTransport,
  options: { readonly overwrite?: boolean } = {},
): void {
  const taken = schemes.find((scheme) => factories.has(scheme));
  if (taken !== undefined && options.overwrite !== true) {
    throw new BaseError('MISUSE', `"${taken}" is taken; pass { overwrite: true }`);
  }
  for (const scheme of schemes) factories.set(scheme, open);
}

/** @throws BaseError NOT_FOUND if nothing carries the scheme. */
export function getTransportFactory(scheme: string): OpenTransport {
  const open = factories.get(scheme);
  if (open === undefined) throw new BaseError('NOT_FOUND', `no transport for "${scheme}"`);
  return open;
}

/** What the package's entry replaces, as protocols do not know each other. */
export const platform: {
  overEngine?: (transports: EngineTransports, request: TransportRequest) => Promise<Transport>;
} = {};
