import { PassThrough, type Readable, type Writable } from 'node:stream';

import { type Channel, Inbox } from '../client/channel.js';
import { RoomClient, type RoomClientOptions } from '../client/room-client.js';
import { RoomManager, type RoomServerOptions } from '../client/room-manager.js';
import { type BoundServer, registerWire } from '../client/wires.js';
import { encodePipeMessage, endOfPipe, PipeDecoder, type PipeFraming } from './pipe-framing.js';

/** One end of a pipe: what is read from, what is written to. */
export interface PipeEnds {
  readonly input: Readable;
  readonly output: Writable;
}

/** Messages over two streams, such as a child process's. */
export function pipeChannel(id: string, { input, output }: PipeEnds, framing: PipeFraming): Channel {
  const inbox = new Inbox();
  const decoder = new PipeDecoder(framing);
  input.on('data', (chunk: Uint8Array) => {
    try {
      for (const message of decoder.push(chunk)) inbox.push(message);
      if (decoder.isStopped) inbox.end();
    } catch (error) {
      inbox.end(error);
      input.destroy();
    }
  });
  input.on('error', (error) => inbox.end(error));
  input.on('end', () => inbox.end());
  input.on('close', () => inbox.end());
  output.on('error', (error) => inbox.end(error));
  return {
    id,
    send: (message) => {
      if (output.write(encodePipeMessage(message, framing))) return undefined;
      return new Promise((resolve) => {
        output.once('drain', resolve);
        output.once('close', resolve);
      });
    },
    [Symbol.asyncIterator]: () => inbox,
    close: () => {
      inbox.end();
      if (output.writable) output.end(endOfPipe(framing));
    },
  };
}

export interface PipeServerOptions extends RoomServerOptions {
  /** Default `length`. */
  readonly framing?: PipeFraming;
}

/** Rooms for clients at the other end of pipes. */
export class PipeServer implements BoundServer {
  readonly framing: PipeFraming;
  readonly #rooms: RoomManager;

  constructor(options: PipeServerOptions = {}) {
    this.framing = options.framing ?? 'length';
    this.#rooms = new RoomManager(options);
  }

  get roomCount(): number {
    return this.#rooms.roomCount;
  }

  /** Makes a pipe to the room, and gives the client's ends. */
  async connect(id: string): Promise<PipeEnds> {
    const toClient = new PassThrough();
    const toServer = new PassThrough();
    this.attach(id, { input: toServer, output: toClient });
    return { input: toClient, output: toServer };
  }

  /** Serves a pipe that is there already: a child's standard streams, a socket. */
  attach(id: string, ends: PipeEnds): void {
    void this.#rooms.serve(pipeChannel(id, ends, this.framing));
  }

  close(): Promise<void> {
    return this.#rooms.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

export interface PipeClientOptions extends RoomClientOptions {
  /** From `await server.connect(id)`, or any two streams. */
  readonly connection: PipeEnds;
  readonly framing?: PipeFraming;
}

export class PipeClient extends RoomClient {
  readonly #connection: PipeEnds;
  readonly #framing: PipeFraming;

  constructor(options: PipeClientOptions) {
    super(options);
    this.#connection = options.connection;
    this.#framing = options.framing ?? 'length';
  }

  protected override async openChannel(): Promise<Channel> {
    return pipeChannel(this.id, this.#connection, this.#framing);
  }
}

declare module '../client/wires.js' {
  interface WireMap {
    pipe: { options: PipeClientOptions; client: PipeClient };
  }
  interface ServerWireMap {
    pipe: { options: PipeServerOptions; server: PipeServer };
  }
}

registerWire('pipe', {
  connect: (options: PipeClientOptions) => new PipeClient(options),
  bind: async (options: PipeServerOptions) => new PipeServer(options),
});
