import type { UpgradeRequest } from '../../../net/websocket/upgrade.js';

const BASIC = /^basic +([A-Za-z0-9+/=]+) *$/i;

/**
 * Headers in which `Authorization: Basic` with the user `token` is what it means, a bearer token. Anything else is left
 * as it is, and refused as any header that is not understood.
 */
export function withBearer(headers: UpgradeRequest['headers']): UpgradeRequest['headers'] {
  const encoded = BASIC.exec(headers.authorization ?? '')?.[1];
  if (encoded === undefined) return headers;
  const credentials = Buffer.from(encoded, 'base64').toString('utf8');
  if (!credentials.startsWith('token:')) return headers;
  return { ...headers, authorization: `Bearer ${credentials.slice('token:'.length)}` };
}
