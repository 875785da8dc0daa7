import { subprotocolOf } from '../../messages/serializer.js';
import type { Serializer } from '../serializer/serializer.js';
import type { ChannelBindingType } from '../auth/auth-method.js';
import { TransportError } from '../errors.js';
import { EventBuffer } from './event-buffer.js';
import type { Frame, OpenTransport, Transport, TransportEvents, TransportRequest } from './transport.js';

/* A WebSocket as a transport: one message per frame; the subprotocol names the serializer. */

/** The part of the platform's WebSocket that is used; the `ws` package has it too. */
export interface WebSocketLike {
  binaryType: string;
  readonly protocol: string;
  readonly bufferedAmount: number;
  send(data: Frame): void;
  close(code?: number, reason?: string): void;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: string }) => void) | null;
}

/** What differs from platform to platform. */
export interface SocketMaker {
  make(request: TransportRequest, subprotocols: readonly string[]): WebSocketLike | Promise<WebSocketLike>;
  /** Called around the sends of one turn, where they can be joined to one write. */
  cork?(socket: WebSocketLike): void;
  uncork?(socket: WebSocketLike): void;
  channelBinding?(socket: WebSocketLike, type: ChannelBindingType): Uint8Array<ArrayBuffer> | undefined;
}

/** The platform's global WebSocket. */
const platformSockets: SocketMaker = {
  make: ({ url }, subprotocols) => new WebSocket(url, [...subprotocols]) as unknown as WebSocketLike,
};

export const openPlatformWebSocket: OpenTransport = (request) => openWebSocket(platformSockets, request);

/** Opens a WebSocket; `http:` means `ws:`. Rejects with TransportError. */
export async function openWebSocket(maker: SocketMaker, request: TransportRequest): Promise<Transport> {
  const url = new URL(request.url);
  url.protocol = url.protocol.replace('http', 'ws');
  const { serializers, signal } = request;
  let socket: WebSocketLike;
  try {
    signal?.throwIfAborted();
    socket = await maker.make(
      { ...request, url },
      serializers.map((serializer) => subprotocolOf(serializer)),
    );
  } catch (error) {
    throw new TransportError(`${url.href} cannot be opened`, error);
  }
  return await opened(maker, socket, { ...request, url });
}

function opened(maker: SocketMaker, socket: WebSocketLike, request: TransportRequest): Promise<Transport> {
  const { url, serializers, signal } = request;
  return new Promise((resolve, reject) => {
    let failure: unknown;
    const giveUp = (): void => socket.close();
    signal?.addEventListener('abort', giveUp, { once: true });
    socket.binaryType = 'arraybuffer';
    socket.onerror = (event) => (failure = causeOf(event));
    socket.onclose = ({ code }) => {
      signal?.removeEventListener('abort', giveUp);
      reject(new TransportError(`${url.href} does not answer (${code})`, signal?.reason ?? failure));
    };
    socket.onopen = () => {
      signal?.removeEventListener('abort', giveUp);
      const serializer = serializers.find((offered) => subprotocolOf(offered) === socket.protocol);
      if (serializer !== undefined) resolve(new WebSocketTransport(maker, socket, serializer));
      else {
        socket.close();
        reject(new TransportError(`${url.href} speaks "${socket.protocol}", which was not offered`));
      }
    };
  });
}

class WebSocketTransport implements Transport {
  readonly serializer: Serializer;
  readonly #maker: SocketMaker;
  readonly #socket: WebSocketLike;
  readonly #events = new EventBuffer();
  #error: unknown;

  constructor(maker: SocketMaker, socket: WebSocketLike, serializer: Serializer) {
    this.#maker = maker;
    this.#socket = socket;
    this.serializer = serializer;
    socket.onmessage = ({ data }) => this.#events.onFrame(toFrame(data));
    socket.onerror = (event) => (this.#error = causeOf(event));
    socket.onclose = ({ code, reason }) => this.#closed(code, reason);
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  channelBinding(type: ChannelBindingType): Uint8Array<ArrayBuffer> | undefined {
    return this.#maker.channelBinding?.(this.#socket, type);
  }

  attach(events: TransportEvents): void {
    this.#events.attach(events);
  }

  send(frames: readonly Frame[]): void {
    if (this.#events.isClosed) return;
    const mayJoin = frames.length > 1;
    if (mayJoin) this.#maker.cork?.(this.#socket);
    for (const frame of frames) this.#socket.send(frame);
    if (mayJoin) this.#maker.uncork?.(this.#socket);
  }

  close(): void {
    this.#socket.close(1000);
  }

  #closed(code: number, reason: string): void {
    const inOrder = code === 1000 || code === 1005;
    const text = `the connection was closed with ${code}${reason === '' ? '' : ` (${reason})`}`;
    this.#events.onClose(text, inOrder ? undefined : (this.#error ?? new TransportError(text)));
  }
}

function toFrame(data: unknown): Frame {
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  return new Uint8Array(data as ArrayBuffer);
}

/** The error inside an error event, where the platform gives one. */
function causeOf(event: unknown): unknown {
  const { error, message } = event as { readonly error?: unknown; readonly message?: unknown };
  return error ?? message;
}
