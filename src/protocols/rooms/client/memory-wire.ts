import { type Channel, channelPair } from './channel.js';
import { RoomClient, type RoomClientOptions } from './room-client.js';
import { RoomManager, type RoomServerOptions } from './room-manager.js';
import { type BoundServer, registerWire } from './wires.js';

/** Rooms for clients in the same process. */
export class MemoryServer implements BoundServer {
  readonly #rooms: RoomManager;

  constructor(options: RoomServerOptions = {}) {
    this.#rooms = new RoomManager(options);
  }

  get roomCount(): number {
    return this.#rooms.roomCount;
  }

  /** The client's end of a new channel. */
  connect(id: string): Channel {
    const [client, server] = channelPair(id);
    void this.#rooms.serve(server);
    return client;
  }

  close(): Promise<void> {
    return this.#rooms.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export interface MemoryClientOptions extends RoomClientOptions {
  readonly server: MemoryServer;
}

export class MemoryClient extends RoomClient {
  readonly #server: MemoryServer;

  constructor(options: MemoryClientOptions) {
    super(options);
    this.#server = options.server;
  }

  protected override async openChannel(): Promise<Channel> {
    return this.#server.connect(this.id);
  }
}

declare module './wires.js' {
  interface WireMap {
    memory: { options: MemoryClientOptions; client: MemoryClient };
  }
  interface ServerWireMap {
    memory: { options: RoomServerOptions; server: MemoryServer };
  }
}

registerWire('memory', {
  connect: (options: MemoryClientOptions) => new MemoryClient(options),
  bind: async (options: RoomServerOptions) => new MemoryServer(options),
});
