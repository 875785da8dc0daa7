import { openPlatformWebSocket } from './transport/websocket.js';
import type { OpenTransport } from './transport/transport.js';

/** What connections use unless their builder was told otherwise. The Node entry replaces it at import. */
export const platform: { openTransport: OpenTransport } = { openTransport: openPlatformWebSocket };
