import { type Channel, Inbox } from './channel.js';
import { RoomClient, type RoomClientOptions } from './room-client.js';
import { registerWire } from './wires.js';

export interface WebSocketClientOptions extends RoomClientOptions {
  /** With its scheme: `http://localhost`. Without one, http is meant. */
  readonly host: string;
  readonly port: number;
  /** Sent with the handshake, where the platform allows it: not in browsers. */
  readonly cookies?: Readonly<Record<string, string>>;
  /** A token of the server, as everywhere else. */
  readonly token?: string;
}

type SocketFactory = (url: string, headers: Readonly<Record<string, string>>) => WebSocket;

let createSocket: SocketFactory = (url) => new WebSocket(url);

/** For platforms without a WebSocket of their own. */
export function setSocketFactory(factory: SocketFactory): void {
  createSocket = factory;
}

/** A document kept the same as a room's over a WebSocket. Connects again by itself. */
export class WebSocketClient extends RoomClient {
  readonly #url: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(options: WebSocketClientOptions) {
    super(options, true);
    const { host, port, token, cookies = {} } = options;
    const origin = (/^\w+:\/\//.test(host) ? host : `http://${host}`).replace(/^http/, 'ws');
    const path = this.id.split('/').map(encodeURIComponent).join('/');
    this.#url = `${origin}:${port}/${path}${token === undefined ? '' : `?token=${encodeURIComponent(token)}`}`;
    const cookie = Object.entries(cookies)
      .map(([name, value]) => `${name}=${value}`)
      .join('; ');
    this.#headers = cookie === '' ? {} : { cookie };
  }

  protected override async openChannel(): Promise<Channel> {
    if (isOffline()) {
      listen('online', () => this.reconnectNow(), { once: true });
      throw new Error('this device is offline');
    }
    const socket = createSocket(this.#url, this.#headers);
    socket.binaryType = 'arraybuffer';
    const inbox = new Inbox();
    socket.addEventListener('message', ({ data }: { data: unknown }) => {
      if (data instanceof ArrayBuffer) inbox.push(new Uint8Array(data));
    });
    const close = (): void => {
      socket.close();
      inbox.end();
    };
    // Browsers leave a socket open that has lost its network, for minutes.
    const stopListening = listen('offline', close);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () =>
        reject(new Error(`no connection to ${this.#url.split('?')[0]}`)),
      );
      socket.addEventListener('close', ({ code, reason }) => {
        stopListening();
        // 1000 to 1001 are ends in good order.
        inbox.end(code > 1001 && reason !== '' ? new Error(`${reason} (${code})`) : undefined);
        reject(new Error(`the connection was refused (${code})`));
      });
    });
    return {
      id: this.id,
      send: (message) => socket.send(message as Uint8Array<ArrayBuffer>),
      [Symbol.asyncIterator]: () => inbox,
      close,
    };
  }
}

/** Only browsers know. */
function isOffline(): boolean {
  return (globalThis as { readonly navigator?: Partial<Navigator> }).navigator?.onLine === false;
}

/** Listens where there is a window; gives what ends it. */
function listen(
  event: 'online' | 'offline',
  listener: () => void,
  options?: { readonly once: boolean },
): () => void {
  const { addEventListener, removeEventListener } = globalThis as unknown as Partial<Window>;
  addEventListener?.(event, listener, options);
  return () => removeEventListener?.(event, listener);
}

declare module './wires.js' {
  interface WireMap {
    websocket: { options: WebSocketClientOptions; client: WebSocketClient };
  }
}

registerWire('websocket', { connect: (options: WebSocketClientOptions) => new WebSocketClient(options) });
