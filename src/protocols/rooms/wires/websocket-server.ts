import { Listener } from '../../../net/listener.js';
import type { WebSocketConnection, WebSocketHandler } from '../../../net/websocket/connection.js';
import { type Channel, Inbox } from '../client/channel.js';
import { RoomManager, type RoomServerOptions } from '../client/room-manager.js';
import { type BoundServer, registerWire } from '../client/wires.js';
import { checkRoomId } from '../messages/room-id.js';

export interface WebSocketServerOptions extends RoomServerOptions {
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default 0: the system chooses. */
  readonly port?: number;
}

/** Rooms on a port of their own; the path is the room's name. On a Chorale server rooms are there already, and durable. */
export class WebSocketServer implements BoundServer {
  readonly #rooms: RoomManager;
  readonly #listener: Listener;

  private constructor(rooms: RoomManager, listener: Listener) {
    this.#rooms = rooms;
    this.#listener = listener;
  }

  static async open(options: WebSocketServerOptions = {}): Promise<WebSocketServer> {
    const rooms = new RoomManager(options);
    const host = (options.host ?? '127.0.0.1').replace(/^\w+:\/\//, '');
    const { onError = () => {} } = options;
    const listener = await Listener.listen({
      host,
      port: options.port ?? 0,
      onError: (error) => onError(error),
    });
    listener.router.fallback(() => ({ status: 200, body: 'rooms' }));
    listener.addUpgradeRoute({
      pattern: '/*path',
      accept: ({ params }) => {
        const room = checkRoomId(params['path'] ?? '');
        if (room.kind === 'invalid') return { kind: 'reject', status: 400, body: room.reason };
        return { kind: 'accept', open: (connection) => openChannel(rooms, room.id, connection) };
      },
    });
    return new WebSocketServer(rooms, listener);
  }

  get port(): number {
    return this.#listener.port;
  }

  get roomCount(): number {
    return this.#rooms.roomCount;
  }

  async close(): Promise<void> {
    await this.#listener.close({ drainMs: 0 });
    await this.#rooms.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function openChannel(rooms: RoomManager, id: string, connection: WebSocketConnection): WebSocketHandler {
  const inbox = new Inbox();
  let drained: (() => void) | undefined;
  const channel: Channel = {
    id,
    send: (message) => {
      connection.sendBinary(message);
      // The room must not pile up what a slow reader does not take.
      if (drained === undefined) return undefined;
      return new Promise((resolve) => {
        const before = drained;
        drained = () => {
          before?.();
          resolve();
        };
      });
    },
    [Symbol.asyncIterator]: () => inbox,
    close: () => connection.close(),
  };
  void rooms.serve(channel);
  return {
    onMessage: (data, isText) => {
      if (isText) connection.close(1003, 'documents are synchronised in binary frames');
      else inbox.push(data.slice());
    },
    onOverflow: () => void (drained ??= () => {}),
    onDrain: () => {
      const wake = drained;
      drained = undefined;
      wake?.();
    },
    onClose: () => {
      drained?.();
      inbox.end();
    },
  };
}

declare module '../client/wires.js' {
  interface ServerWireMap {
    websocket: { options: WebSocketServerOptions; server: WebSocketServer };
  }
}

registerWire('websocket', { bind: (options: WebSocketServerOptions) => WebSocketServer.open(options) });
