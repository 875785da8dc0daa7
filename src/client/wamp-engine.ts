import type { EngineTransports } from '../base/connecting.js';
import type { TransportError } from '../protocols/wamp/client/errors.js';
import type { EventBuffer } from '../protocols/wamp/client/transport/event-buffer.js';
import type { OpenTransport } from '../protocols/wamp/client/transport/transport.js';
import type { findSubprotocol, subprotocolOf } from '../protocols/wamp/messages/serializer.js';
import { openEnginePipe } from './engine-pipe.js';
import type { EngineClient } from './engine-pipe.js';

/** What is needed of the client. Handed in: bundlers would cut the client in two for what is imported from here as well. */
export interface WampParts {
  readonly EventBuffer: typeof EventBuffer;
  readonly TransportError: typeof TransportError;
  readonly findSubprotocol: typeof findSubprotocol;
  readonly subprotocolOf: typeof subprotocolOf;
}

/** WAMP's frames inside an Engine.IO session. */
export function wampOverEngine(
  EngineClient: EngineClient,
  parts: WampParts,
  transports: EngineTransports,
): OpenTransport {
  return async ({ url, serializers, sslVerify, signal }) => {
    const protocols = serializers.map((serializer) => parts.subprotocolOf(serializer));
    const request = { url, protocols, transports, sslVerify, signal };
    const pipe = await openEnginePipe(EngineClient, request).catch((error: unknown) => {
      throw new parts.TransportError(`${url.href} cannot be opened over Engine.IO`, error);
    });
    const events = new parts.EventBuffer();
    pipe.attach({
      onMessage: (data) => events.onFrame(data),
      onClose: (reason, isInOrder) =>
        events.onClose(reason, isInOrder ? undefined : new parts.TransportError(reason)),
    });
    const serializer = parts.findSubprotocol(pipe.protocol, serializers)?.serializer;
    if (serializer === undefined) {
      pipe.close();
      throw new parts.TransportError(`${url.href} speaks "${pipe.protocol}", which was not offered`);
    }
    return {
      serializer,
      get bufferedBytes() {
        return pipe.bufferedBytes;
      },
      attach: (listener) => events.attach(listener),
      send: (frames) => {
        for (const frame of frames) pipe.send(frame);
      },
      close: () => pipe.close(),
    };
  };
}
