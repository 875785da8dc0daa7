import type { IncomingMessage } from 'node:http';

import { isOriginValid } from './cors.js';
import type { EngineSettings } from './options.js';
import { type Refusal, refuse, RefusalCode } from './refusal.js';
import type { RequestQuery } from './request-query.js';
import type { Session } from './session.js';

export interface SessionDirectory {
  readonly settings: EngineSettings;
  readonly sessions: ReadonlyMap<string, Session>;
}

/** The session that a request names, undefined for a handshake, or why it cannot be served. */
export function verifyRequest(
  message: IncomingMessage,
  query: RequestQuery,
  { settings, sessions }: SessionDirectory,
  isUpgrade: boolean,
): Session | Refusal | undefined {
  const { transport, sid } = query;
  if (!settings.transports.some((name) => name === transport)) {
    return refuse(RefusalCode.unknownTransport, { transport });
  }
  const { origin } = message.headers;
  if (origin !== undefined && !isOriginValid(origin)) {
    delete message.headers.origin;
    return refuse(RefusalCode.badRequest, { name: 'INVALID_ORIGIN', origin });
  }
  if (query.jsonp !== undefined && !settings.jsonp) {
    return refuse(RefusalCode.badRequest, { name: 'JSONP_OFF' });
  }
  if (isUpgrade !== (transport === 'websocket')) {
    return refuse(RefusalCode.badRequest, {
      name: sid === undefined ? 'TRANSPORT_HANDSHAKE_ERROR' : 'TRANSPORT_MISMATCH',
    });
  }
  if (sid === undefined) return verifyHandshake(message, query, settings);
  const session = sessions.get(sid);
  if (session === undefined) return refuse(RefusalCode.unknownSid, { sid });
  if (isUpgrade && !settings.allowUpgrades) return refuse(RefusalCode.badRequest, { name: 'UPGRADES_OFF' });
  return session;
}

function verifyHandshake(
  message: IncomingMessage,
  query: RequestQuery,
  settings: EngineSettings,
): Refusal | undefined {
  if (message.method !== 'GET') return refuse(RefusalCode.badHandshakeMethod, { method: message.method });
  const isKnown = query.eio === '4' || (query.eio === '3' && settings.allowEio3);
  if (!isKnown) return refuse(RefusalCode.unsupportedProtocolVersion, { protocol: query.eio });
  return undefined;
}
