import type { Serializer } from '../serializer/serializer.js';
import { TransportError } from '../errors.js';
import { onAbort } from '../on-abort.js';
import type { Frame, OpenTransport, Transport, TransportRequest } from './transport.js';

/* A WebSocket as a transport: one message per frame; the subprotocol names the serializer. */

/** The part of the platform's WebSocket that is used; the `ws` package has it too. */
export interface WebSocketLike {
  binaryType: string;
  readonly readyState: number;
  readonly protocol: string;
  readonly bufferedAmount: number;
  send(data: Frame): void;
  close(code?: number, reason?: string): void;
  onopen: ((event: unknown) => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  /** Some platforms say what went wrong. */
  onerror: ((event: { readonly error?: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
}

const CLOSED = 3;

/** Makes a WebSocket, as the platform can. */
export type SocketMaker = (
  request: TransportRequest,
  subprotocols: string[],
) => WebSocketLike | Promise<WebSocketLike>;

/** With the platform's global WebSocket. */
export const openPlatformWebSocket: OpenTransport = (request) =>
  openWebSocket(
    ({ url }, subprotocols) => new WebSocket(url, subprotocols) as unknown as WebSocketLike,
    request,
  );

/** Opens a WebSocket; `http:` means `ws:`. Rejects with TransportError. */
export async function openWebSocket(make: SocketMaker, request: TransportRequest): Promise<Transport> {
  const url = new URL(request.url);
  url.protocol = url.protocol.replace('http', 'ws');
  const { serializers, signal } = request;
  let stopListening: (() => void) | undefined;
  try {
    signal?.throwIfAborted();
    const subprotocols = serializers.map(({ name }) => `wamp.2.${name}`);
    const socket = await make({ ...request, url }, subprotocols);
    stopListening = onAbort(signal, () => socket.close());
    await opened(socket);
    const serializer = serializers[subprotocols.indexOf(socket.protocol)];
    if (serializer !== undefined) return transportOver(socket, serializer);
    socket.close();
    throw new TransportError(`"${socket.protocol}" was not offered`);
  } catch (error) {
    throw new TransportError(`${url.href} cannot be opened`, signal?.reason ?? error);
  } finally {
    stopListening?.();
  }
}

function opened(socket: WebSocketLike): Promise<unknown> {
  return new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = ({ error }) => reject(error);
    socket.onclose = reject;
  });
}

function transportOver(socket: WebSocketLike, serializer: Serializer): Transport {
  socket.binaryType = 'arraybuffer';
  return {
    serializer,
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    attach(events) {
      let failure: unknown;
      socket.onmessage = ({ data }) =>
        events.onFrame(data instanceof ArrayBuffer ? new Uint8Array(data) : (data as Frame));
      socket.onerror = ({ error }) => (failure = error);
      socket.onclose = ({ code, reason }) => events.onClose(`closed with ${code} ${reason}`, failure);
      // It was closed before anybody listened.
      if (socket.readyState === CLOSED) events.onClose('closed at once');
    },
    send(frames) {
      for (const frame of frames) socket.send(frame);
    },
    close: () => socket.close(1000),
  };
}
