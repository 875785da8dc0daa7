import type { EngineTransports } from '../base/connecting.js';
import type { TransportError } from '../protocols/wamp/client/errors.js';
import { EventBuffer } from '../protocols/wamp/client/transport/event-buffer.js';
import type { Transport, TransportRequest } from '../protocols/wamp/client/transport/transport.js';
import { openEnginePipe } from './engine-pipe.js';
import type { EngineClient } from './engine-pipe.js';

/**
 * WAMP's frames inside an Engine.IO session. The error's class is handed in: bundlers would cut the client in two for what is imported
 * from there as well.
 */
export async function wampOverEngine(
  EngineClient: EngineClient,
  ErrorClass: typeof TransportError,
  transports: EngineTransports,
  { url, serializers, sslVerify, signal }: TransportRequest,
): Promise<Transport> {
  const protocols = serializers.map(({ name }) => `wamp.2.${name}`);
  const request = { url, protocols, transports, sslVerify, signal };
  const pipe = await openEnginePipe(EngineClient, request).catch((error: unknown) => {
    throw new ErrorClass(`${url.href} cannot be opened over Engine.IO`, error);
  });
  const events = new EventBuffer();
  pipe.attach({
    onMessage: (data) => events.onFrame(data),
    onClose: (reason, isInOrder) => events.onClose(reason, isInOrder ? undefined : new ErrorClass(reason)),
  });
  const serializer = serializers[protocols.indexOf(pipe.protocol)];
  if (serializer === undefined) {
    pipe.close();
    throw new ErrorClass(`${url.href} speaks "${pipe.protocol}", which was not offered`);
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
}
