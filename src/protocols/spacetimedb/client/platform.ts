import type { EngineTransports } from '../../../base/connecting.js';
import { openPlatformWebSocket } from './transport/websocket.js';
import type { OpenTransport } from './transport/transport.js';

interface Platform {
  openTransport: OpenTransport;
  /** What the package's entry replaces, as protocols do not know each other. */
  overEngine: (transports: EngineTransports) => OpenTransport;
}

/** What connections use unless their builder was told otherwise. The Node entry replaces it at import. */
export const platform: Platform = {
  openTransport: openPlatformWebSocket,
  overEngine: () => {
    throw new TypeError('there is no Engine.IO here: import `chorale/client`');
  },
};

/** What carries frames: what was given, a way through Engine.IO, or the platform's WebSocket. */
export function chooseTransport(
  given: OpenTransport | undefined,
  transports: EngineTransports | undefined,
): OpenTransport {
  if (given !== undefined) return given;
  return transports === undefined ? platform.openTransport : platform.overEngine(transports);
}
