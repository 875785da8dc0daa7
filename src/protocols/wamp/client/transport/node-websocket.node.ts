import { connect as connectTcp } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { WebSocket } from 'ws';
import type { OpenTransport } from './transport.js';
import { openWebSocket } from './websocket.js';
import { channelBindingOf, tlsOptions } from './tls.node.js';
import type { SocketMaker, WebSocketLike } from './websocket.js';

/* WebSockets with the `ws` package, whose TCP socket is ours: all frames of a turn leave in one write. */

/** 64 MiB: well above what routers let through (16 MiB is usual). */
const FRAME_BYTES_MAX = 64 * 1024 * 1024;

export const openNodeWebSocket: OpenTransport = async (request) => {
  let socket: Socket | undefined;
  const make: SocketMaker = ({ url, sslVerify }, subprotocols) =>
    new WebSocket(url, subprotocols, {
      perMessageDeflate: false,
      maxPayload: FRAME_BYTES_MAX,
      createConnection: (options: object) => {
        // What HTTP calls the path would be the path of a Unix socket here.
        const target = { ...(options as { host: string; port: number }), path: undefined };
        socket =
          url.protocol === 'wss:'
            ? connectTls({ ...target, ...tlsOptions(target.host, sslVerify) } as object)
            : connectTcp(target);
        socket.setNoDelay(true);
        return socket;
      },
    }) as unknown as WebSocketLike;
  const transport = await openWebSocket(make, request);
  return {
    serializer: transport.serializer,
    get bufferedBytes() {
      return transport.bufferedBytes;
    },
    channelBinding: (type) => channelBindingOf(socket, type),
    attach: (events) => transport.attach(events),
    send(frames) {
      const together = frames.length > 1 ? socket : undefined;
      together?.cork();
      transport.send(frames);
      together?.uncork();
    },
    close: () => transport.close(),
  };
};
