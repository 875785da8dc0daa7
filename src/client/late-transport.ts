import type { OpenTransport, Transport } from '../protocols/spacetimedb/client/transport/transport.js';

/** A transport whose code is loaded when it is opened. */
export function lateTransport(load: () => Promise<OpenTransport>): OpenTransport {
  return (request, events) => {
    let transport: Transport | undefined;
    let isClosed = false;
    load().then(
      (open) => {
        if (isClosed) events.onClose({ code: 1000, reason: 'it was closed before it was opened' });
        else transport = open(request, events);
      },
      (cause: unknown) => events.onClose({ code: 1006, reason: 'its code cannot be loaded', cause }),
    );
    return {
      get bufferedBytes() {
        return transport?.bufferedBytes ?? 0;
      },
      send: (frame) => transport?.send(frame),
      close(code, reason) {
        isClosed = true;
        transport?.close(code, reason);
      },
    };
  };
}
