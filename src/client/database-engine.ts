import type { EngineTransports } from '../base/connecting.js';
import type { OpenTransport, Transport } from '../protocols/spacetimedb/client/transport/transport.js';
import { openEnginePipe } from './engine-pipe.js';
import type { EngineClient, Pipe } from './engine-pipe.js';

/** The database's frames inside an Engine.IO session. */
export function databaseOverEngine(EngineClient: EngineClient, transports: EngineTransports): OpenTransport {
  return ({ url, protocols, token }, events): Transport => {
    const giveUp = new AbortController();
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const request = { url, protocols, transports, headers, signal: giveUp.signal };
    let pipe: Pipe | undefined;
    openEnginePipe(EngineClient, request).then(
      (opened) => {
        pipe = opened;
        opened.attach({
          onMessage: (data) =>
            events.onMessage(typeof data === 'string' ? new TextEncoder().encode(data) : data),
          onClose: (reason, isInOrder) => events.onClose({ code: isInOrder ? 1000 : 1006, reason }),
        });
        events.onOpen(opened.protocol);
      },
      (cause: unknown) => events.onClose({ code: 1006, reason: String(cause), cause }),
    );
    return {
      get bufferedBytes() {
        return pipe?.bufferedBytes ?? 0;
      },
      send: (frame) => pipe?.send(frame),
      close: () => (pipe === undefined ? giveUp.abort() : pipe.close()),
    };
  };
}
