import net from 'node:net';
import { expect } from 'vitest';
import { WebSocket } from 'ws';

import { Client as EngineClient } from '../../src/protocols/engineio/client/index.node.js';
import { joinBatch, splitBatch } from '../../src/protocols/wamp/messages/batch.js';
import { fieldsOf, messageFromFields } from '../../src/protocols/wamp/messages/fields.js';
import { layoutOf } from '../../src/protocols/wamp/messages/layouts.js';
import { type Dict, type Message } from '../../src/protocols/wamp/messages/message.js';
import { Payload } from '../../src/protocols/wamp/messages/payload.js';
import {
  encodeHandshake,
  encodeRawFrame,
  FrameType,
  RawFrameReader,
} from '../../src/protocols/wamp/messages/raw-socket.js';
import { type Serializer, subprotocolOf, type Wire } from '../../src/protocols/wamp/messages/serializer.js';
import type { WampRouter } from '../../src/protocols/wamp/server/router.js';
import { connectMemory } from '../../src/protocols/wamp/server/transport/memory.js';

export type Fields = readonly unknown[];

const REQUESTS: ReadonlySet<unknown> = new Set([16, 32, 34, 48, 64, 66]);

/** A client's end of a transport. */
export interface PeerTransport {
  send(message: Message): void;
  close(): void;
}
export interface PeerEvents {
  onMessage(message: Message): void;
  onClose(): void;
}
export interface Place {
  readonly router: WampRouter;
  readonly url: string;
  readonly port: number;
  /** Path of a Unix socket. */
  readonly unixPath: string;
}
export type Connect = (place: Place, events: PeerEvents) => Promise<PeerTransport>;

/** All features, so that the router holds nothing back. */
export const ALL_ROLES: Dict = {
  publisher: { features: { payload_passthru_mode: true, subscriber_blackwhite_listing: true } },
  subscriber: { features: { payload_passthru_mode: true, subscription_revocation: true } },
  caller: {
    features: {
      call_canceling: true,
      payload_passthru_mode: true,
      progressive_call_invocations: true,
      progressive_call_results: true,
    },
  },
  callee: {
    features: {
      call_canceling: true,
      call_timeout: true,
      payload_passthru_mode: true,
      progressive_call_invocations: true,
      progressive_call_results: true,
      registration_revocation: true,
    },
  },
};

export function toMessage(fields: Fields): Message {
  const { hasPayload, least } = layoutOf(fields[0], fields.length);
  const tail = (hasPayload ? fields.slice(least) : []) as [unknown[]?, Dict?];
  return messageFromFields(fields, Payload.of(...tail));
}

export function toFields(message: Message): Fields {
  const fields = fieldsOf(message);
  if (!('payload' in message)) return fields;
  const { args, kwargs, hasKwargs } = message.payload;
  if (hasKwargs) return [...fields, args, kwargs];
  return args.length === 0 ? fields : [...fields, args];
}

/** A client that sends and sees messages as lists of their fields, as the specification writes them. */
export class Peer {
  readonly #seen: Fields[] = [];
  #waiting: (() => void) | undefined;
  #transport!: PeerTransport;
  isClosed = false;
  session = 0;
  welcome: Dict = {};
  #lastRequest = 0;

  static async open(place: Place, connect: Connect): Promise<Peer> {
    const peer = new Peer();
    peer.#transport = await connect(place, {
      onMessage: (message) => {
        peer.#seen.push(toFields(message));
        peer.#waiting?.();
      },
      onClose: () => {
        peer.isClosed = true;
        peer.#waiting?.();
      },
    });
    return peer;
  }

  /** Opens a transport and a session on it. */
  static async join(place: Place, connect: Connect, details: Dict = {}, realm = 'realm1'): Promise<Peer> {
    const peer = await Peer.open(place, connect);
    peer.send(1, realm, { roles: ALL_ROLES, ...details });
    await peer.expectWelcome();
    return peer;
  }

  async expectWelcome(): Promise<void> {
    const [type, session, details] = await this.next();
    expect(type).toBe(2);
    this.session = session as number;
    this.welcome = details as Dict;
  }

  send(...fields: Fields): void {
    // Requests count on from the highest id so far.
    if (REQUESTS.has(fields[0])) this.#lastRequest = Math.max(this.#lastRequest, fields[1] as number);
    this.#transport.send(toMessage(fields));
  }

  /** The id of the next request. */
  id(): number {
    return ++this.#lastRequest;
  }

  async next(): Promise<Fields> {
    while (this.#seen.length === 0) {
      if (this.isClosed) return ['closed'];
      await new Promise<void>((resolve) => (this.#waiting = resolve));
    }
    return this.#seen.shift()!;
  }

  /** The transport has ended, and nothing came before. */
  async expectClosed(): Promise<void> {
    expect(await this.next()).toEqual(['closed']);
  }

  /** Everything that comes before the answer to a request that is sent now. */
  async drain(): Promise<Fields[]> {
    const request = this.id();
    this.send(48, request, {}, 'wamp.session.count');
    const before: Fields[] = [];
    for (;;) {
      const fields = await this.next();
      if (fields[0] === 'closed' || (fields[0] === 50 && fields[1] === request)) return before;
      before.push(fields);
    }
  }

  /** Sends a request and returns its answer. */
  async ask(type: number, ...rest: Fields): Promise<Fields> {
    this.send(type, this.id(), ...rest);
    return this.next();
  }

  /** Calls and returns the arguments of the result. */
  async call(
    procedure: string,
    args: unknown[] = [],
    kwargs: Dict = {},
    options: Dict = {},
  ): Promise<unknown> {
    const fields = await this.ask(48, options, procedure, args, kwargs);
    return fields[0] === 50 ? ((fields[3] as unknown[] | undefined) ?? []) : fields.slice(4);
  }

  async subscribe(topic: string, options: Dict = {}): Promise<number> {
    const fields = await this.ask(32, options, topic);
    expect(fields[0]).toBe(33);
    return fields[2] as number;
  }

  async register(procedure: string, options: Dict = {}): Promise<number> {
    const fields = await this.ask(64, options, procedure);
    expect(fields[0]).toBe(65);
    return fields[2] as number;
  }

  /** Publishes and waits until the router has done it. */
  async publish(topic: string, args: unknown[] = [], options: Dict = {}): Promise<number> {
    const fields = await this.ask(16, { acknowledge: true, ...options }, topic, args);
    expect(fields[0]).toBe(17);
    return fields[2] as number;
  }

  close(): void {
    this.#transport.close();
  }
}

export const overMemory: Connect = ({ router }, events) => Promise.resolve(connectMemory(router, events));

export function overWebSocket(serializer: Serializer, isBatched = false): Connect {
  return async ({ url }, events) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/any/path`, [
      subprotocolOf(serializer, isBatched),
    ]);
    socket.on('message', (data: Buffer, isBinary) => {
      const wire: Wire = isBinary ? new Uint8Array(data) : data.toString('utf8');
      const wires = isBatched ? splitBatch(serializer, wire) : [wire];
      for (const each of wires) events.onMessage(serializer.decode(each));
    });
    socket.on('close', () => events.onClose());
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
    return {
      send: (message) => {
        const wire = serializer.encode(message);
        socket.send(isBatched ? joinBatch(serializer, [wire]) : wire);
      },
      close: () => socket.terminate(),
    };
  };
}

export function overRawSocket(serializer: Serializer): Connect {
  return (place, events) => openRawSocket(serializer, net.connect(place.port, '127.0.0.1'), events);
}

export function overUnixSocket(serializer: Serializer): Connect {
  return (place, events) => openRawSocket(serializer, net.connect(place.unixPath), events);
}

async function openRawSocket(
  serializer: Serializer,
  socket: net.Socket,
  events: PeerEvents,
): Promise<PeerTransport> {
  socket.on('error', () => {});
  socket.write(encodeHandshake(serializer.rawSocketId, 2 ** 24));
  const reader = new RawFrameReader(2 ** 24, (type, octets) => {
    if (type !== FrameType.message) return;
    events.onMessage(serializer.decode(octets.slice()));
  });
  await new Promise<void>((resolve) => {
    socket.once('data', (chunk) => {
      expect([...chunk.subarray(0, 4)]).toEqual([0x7f, 0xf0 | serializer.rawSocketId, 0, 0]);
      reader.receive(chunk.subarray(4));
      socket.on('data', (more) => reader.receive(more));
      resolve();
    });
  });
  socket.on('close', () => events.onClose());
  return {
    send: (message) => {
      const wire = serializer.encode(message);
      socket.write(encodeRawFrame(FrameType.message, typeof wire === 'string' ? Buffer.from(wire) : wire));
    },
    close: () => socket.destroy(),
  };
}

export function overLongPoll(serializer: Serializer, isBatched = false): Connect {
  return async ({ url }, events) => {
    const post = (path: string, body?: Wire): Promise<Response> =>
      fetch(`${url}/wamp/lp/${path}`, {
        method: 'POST',
        ...(body === undefined ? {} : { body: body as string }),
      });
    const opened = await post('open', JSON.stringify({ protocols: [subprotocolOf(serializer, isBatched)] }));
    const { transport } = (await opened.json()) as { transport: string };
    const state = { isOpen: true };
    const poll = async (): Promise<void> => {
      while (state.isOpen) {
        const response = await post(`${transport}/receive`);
        if (response.status !== 200) break;
        const bytes = new Uint8Array(await response.arrayBuffer());
        if (bytes.length === 0) continue;
        const wires = isBatched ? splitBatch(serializer, bytes) : [bytes];
        for (const wire of wires) events.onMessage(serializer.decode(wire));
      }
      events.onClose();
    };
    void poll().catch(() => events.onClose());
    let sending: Promise<unknown> = Promise.resolve();
    return {
      send: (message) => {
        const wire = serializer.encode(message);
        const body = isBatched ? joinBatch(serializer, [wire]) : wire;
        sending = sending.then(() => post(`${transport}/send`, body)).catch(() => {});
      },
      close: () => {
        state.isOpen = false;
        void post(`${transport}/close`).catch(() => {});
      },
    };
  };
}

/** Inside an Engine.IO session. */
export function overEngine(serializer: Serializer, transports: readonly string[]): Connect {
  return async ({ url }, events) => {
    const client = new EngineClient();
    client.on('message', (wire: Wire) => events.onMessage(serializer.decode(wire)));
    client.on('disconnect', () => events.onClose());
    await client.connect(`${url}?protocol=${subprotocolOf(serializer)}`, { transports });
    return {
      send: (message) => void client.send(serializer.encode(message)),
      // Over polling, a server hears of a client who leaves without a word only when he is overdue.
      close: () => void client.disconnect(),
    };
  };
}
