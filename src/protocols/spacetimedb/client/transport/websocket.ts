import { fetchWebSocketToken } from './websocket-token.js';
import type { CloseInfo, OpenTransport, Transport, TransportEvents, TransportRequest } from './transport.js';

/*
 * A platform's WebSocket as a transport. Browsers cannot send headers with it, so a token is first exchanged for one
 * that lives a minute and may stand in a URL.
 */

/** The part of the platform's WebSocket that is used; the `ws` package has it too. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly bufferedAmount: number;
  send(data: Uint8Array): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
}

/** Makes the socket, at once or after something was loaded or fetched. */
export type MakeSocket = (request: TransportRequest) => WebSocketLike | Promise<WebSocketLike>;

/** The platform's global WebSocket; Node has one since 22. */
export const platformSocket: MakeSocket = async (request) => {
  const url = new URL(request.url);
  if (request.token !== undefined) {
    url.searchParams.set('token', await fetchWebSocketToken(request.url, request.token));
  }
  return new WebSocket(url, [...request.protocols]) as unknown as WebSocketLike;
};

export function openWebSocket(
  make: MakeSocket,
  request: TransportRequest,
  events: TransportEvents,
): Transport {
  return new WebSocketTransport(make, request, events);
}

export const openPlatformWebSocket: OpenTransport = (request, events) =>
  openWebSocket(platformSocket, request, events);

class WebSocketTransport implements Transport {
  readonly #events: TransportEvents;
  #socket: WebSocketLike | undefined;
  #error: unknown;
  #closeAsked: { readonly code: number | undefined; readonly reason: string | undefined } | undefined;
  #isClosed = false;

  constructor(make: MakeSocket, request: TransportRequest, events: TransportEvents) {
    this.#events = events;
    void this.#open(make, request);
  }

  get bufferedBytes(): number {
    return this.#socket?.bufferedAmount ?? 0;
  }

  send(frame: Uint8Array): void {
    this.#socket?.send(frame);
  }

  close(code?: number, reason?: string): void {
    this.#closeAsked = { code, reason };
    try {
      this.#socket?.close(code, reason);
    } catch (error) {
      // A platform may refuse to close a socket that is still opening; it reports so with an exception.
      this.#closed({ code: 1006, reason: '', cause: error });
    }
  }

  async #open(make: MakeSocket, request: TransportRequest): Promise<void> {
    try {
      // A turn passes in any case: nothing is told before the caller has the transport.
      await Promise.resolve();
      const socket = await make(request);
      this.#socket = socket;
      this.#attach(socket);
      const { code, reason } = this.#closeAsked ?? {};
      if (this.#closeAsked !== undefined) socket.close(code, reason);
    } catch (error) {
      this.#closed({ code: 1006, reason: '', cause: error });
    }
  }

  #attach(socket: WebSocketLike): void {
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => this.#events.onOpen(socket.protocol);
    socket.onmessage = ({ data }) => this.#received(data);
    socket.onerror = (event) => (this.#error = causeOf(event));
    socket.onclose = ({ code, reason }) => this.#closed({ code, reason, cause: this.#error });
  }

  #received(data: unknown): void {
    if (data instanceof ArrayBuffer) this.#events.onMessage(new Uint8Array(data));
    else if (data instanceof Uint8Array) this.#events.onMessage(data);
    else this.close(1003, 'text is not part of this protocol');
  }

  #closed(info: CloseInfo): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#events.onClose(info);
  }
}

/** The error inside an error event, where the platform gives one. */
function causeOf(event: unknown): unknown {
  const { error, message } = event as { readonly error?: unknown; readonly message?: unknown };
  return error ?? message;
}
