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

const sockets = new WeakMap<WebSocketLike, () => Socket | undefined>();

const nodeSockets: SocketMaker = {
  make({ url, sslVerify }, subprotocols) {
    let socket: Socket | undefined;
    const made = new WebSocket(url, [...subprotocols], {
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
    });
    const like = made as unknown as WebSocketLike;
    sockets.set(like, () => socket);
    return like;
  },
  cork: (socket) => sockets.get(socket)?.()?.cork(),
  uncork: (socket) => sockets.get(socket)?.()?.uncork(),
  channelBinding: (socket, type) => channelBindingOf(sockets.get(socket)?.(), type),
};

export const openNodeWebSocket: OpenTransport = (request) => openWebSocket(nodeSockets, request);
