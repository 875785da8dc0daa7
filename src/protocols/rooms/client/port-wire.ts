import { type Channel, Inbox } from './channel.js';
import { RoomClient, type RoomClientOptions } from './room-client.js';
import { RoomManager, type RoomServerOptions } from './room-manager.js';
import { type BoundServer, registerWire } from './wires.js';

/** What of a MessagePort or Worker is needed; Node's and browsers' differ in the rest. */
export interface Port {
  postMessage(message: Uint8Array, transfer: ArrayBuffer[]): void;
  addEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(type: 'close', listener: () => void): void;
  removeEventListener(type: 'message', listener: (event: { readonly data: unknown }) => void): void;
  start?(): void;
  close?(): void;
}

/** Messages between workers. Each is copied once, however far it goes. */
export function portChannel(id: string, port: Port): Channel {
  const inbox = new Inbox();
  const listen = ({ data }: { readonly data: unknown }): void => {
    if (data instanceof Uint8Array) inbox.push(data);
    else inbox.end();
  };
  port.addEventListener('message', listen);
  port.addEventListener('close', () => inbox.end());
  port.start?.();
  return {
    id,
    send: (message) => {
      // Others are sent the same bytes, so it is a copy whose memory goes.
      const own = message.slice();
      port.postMessage(own, [own.buffer]);
    },
    [Symbol.asyncIterator]: () => inbox,
    close: () => {
      port.removeEventListener('message', listen);
      inbox.end();
      port.close?.();
    },
  };
}

/** Rooms for workers. */
export class PortServer implements BoundServer {
  readonly #rooms: RoomManager;

  constructor(options: RoomServerOptions = {}) {
    this.#rooms = new RoomManager(options);
  }

  get roomCount(): number {
    return this.#rooms.roomCount;
  }

  /** Serves whoever holds the other end. */
  attach(id: string, port: Port): void {
    void this.#rooms.serve(portChannel(id, port));
  }

  close(): Promise<void> {
    return this.#rooms.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export interface PortClientOptions extends RoomClientOptions {
  readonly port: Port;
}

export class PortClient extends RoomClient {
  readonly #port: Port;

  constructor(options: PortClientOptions) {
    super(options);
    this.#port = options.port;
  }

  protected override async openChannel(): Promise<Channel> {
    return portChannel(this.id, this.#port);
  }
}

declare module './wires.js' {
  interface WireMap {
    port: { options: PortClientOptions; client: PortClient };
  }
  interface ServerWireMap {
    port: { options: RoomServerOptions; server: PortServer };
  }
}

registerWire('port', {
  connect: (options: PortClientOptions) => new PortClient(options),
  bind: async (options: RoomServerOptions) => new PortServer(options),
});
