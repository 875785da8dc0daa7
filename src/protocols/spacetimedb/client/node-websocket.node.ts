import { ConnectionError } from './errors.js';
import { platformSocket, openWebSocket } from './transport/websocket.js';
import type { MakeSocket, WebSocketLike } from './transport/websocket.js';
import type { OpenTransport } from './transport/transport.js';

/*
 * Node's way to a WebSocket: the platform's where there is one (Node >= 22), else the `ws` package, which can send the
 * token as a header and saves the exchange for a short-lived one.
 */

/** 1 GiB: the first rows of a large subscription come in one message, and nobody else can send us any. */
const MESSAGE_BYTES_MAX = 1024 * 1024 * 1024;

export const wsSocket: MakeSocket = async ({ url, protocols, token }) => {
  const { WebSocket } = await import('ws');
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, [...protocols], {
    headers,
    perMessageDeflate: false,
    maxPayload: MESSAGE_BYTES_MAX,
  });
  socket.on('unexpected-response', (handshake, { statusCode }) => {
    const text = `the server answered ${statusCode} instead of a connection`;
    // Ends it as an error of the socket would, but says why.
    handshake.destroy(new ConnectionError('CONNECT_FAILED', text, { httpStatus: statusCode }));
  });
  return socket as unknown as WebSocketLike;
};

const makeSocket: MakeSocket = 'WebSocket' in globalThis ? platformSocket : wsSocket;

export const openNodeWebSocket: OpenTransport = (request, events) =>
  openWebSocket(makeSocket, request, events);
