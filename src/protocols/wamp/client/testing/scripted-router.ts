import { ManualClock } from '../../../../base/clock.js';
import { jsonSerializer } from '../serializer/json.js';
import * as MessageType from '../../messages/message-type.js';
import type { ClientMessage, Dict, Message, RouterMessage } from '../message.js';
import { NO_KWARGS } from '../payload.js';
import type { ApiType, AnyApi } from '../api.js';
import type { Client } from '../client.js';
import { connect } from '../connect.js';
import type { ConnectOptions } from '../connect.js';
import type { OpenTransport } from '../transport/transport.js';
import { memoryTransport } from '../transport/memory.js';
import type { MemoryPeer } from '../transport/memory.js';

/** Roles of a router that can do everything. */
export const ALL_FEATURES: Dict = {
  broker: { features: { event_history: true } },
  dealer: { features: { call_canceling: true, call_timeout: true, progressive_call_results: true } },
};

type Received<Type extends Message['type']> = Extract<ClientMessage, { readonly type: Type }>;

/** A router that says what the test tells it to say. Welcomes everybody unless `welcomes` is false. */
export class ScriptedRouter {
  readonly clock = new ManualClock();
  readonly errors: unknown[] = [];
  /** What clients have sent, but HELLO. */
  received: ClientMessage[] = [];
  hellos: Received<1>[] = [];
  welcomes = true;
  /** GOODBYE is not answered. */
  isSilent = false;
  /** Connections are refused. */
  isAway = false;
  roles: Dict = ALL_FEATURES;
  #peer: MemoryPeer | undefined;
  #sessions = 0;

  get open(): OpenTransport {
    const memory = memoryTransport((_, peer) => {
      this.#peer = peer;
      return {
        onFrame: (frame) => this.#onFrame(jsonSerializer.decode(frame) as ClientMessage),
        onClose: () => {},
      };
    });
    return async (request) => {
      if (this.isAway) throw new Error('nobody is there');
      return await memory(request);
    };
  }

  async connect<Api extends ApiType = AnyApi>(options: Partial<ConnectOptions> = {}): Promise<Client<Api>> {
    return await connect<Api>('memory:router', {
      realm: 'test',
      openTransport: this.open,
      clock: this.clock,
      onError: (error) => this.errors.push(error),
      liveness: false,
      ...options,
    });
  }

  send(message: RouterMessage): void {
    this.#peer!.send(jsonSerializer.encode(message));
  }

  sendRaw(text: string): void {
    this.#peer!.send(text);
  }

  /** The connection breaks. */
  drop(): void {
    this.#peer!.close();
  }

  /** All messages of a type that have come. */
  all<Type extends Message['type']>(type: Type): Received<Type>[] {
    return this.received.filter((message) => message.type === type) as Received<Type>[];
  }

  /** The latest message of a type, once there are `count` of them. */
  async next<Type extends Message['type']>(type: Type, count = 1): Promise<Received<Type>> {
    await settled(() => this.all(type).length >= count);
    return this.all(type).at(-1)!;
  }

  result(request: number, args: readonly unknown[], details: Dict = {}, kwargs?: Dict): void {
    this.send({ type: MessageType.result, request, details, payload: { args, kwargs: kwargs ?? NO_KWARGS } });
  }

  error(requestType: number, request: number, error: string, args: readonly unknown[] = []): void {
    this.send({
      type: MessageType.error,
      requestType,
      request,
      details: {},
      error,
      payload: { args, kwargs: NO_KWARGS },
    });
  }

  event(subscription: number, publication: number, args: readonly unknown[], details: Dict = {}): void {
    this.send({
      type: MessageType.event,
      subscription,
      publication,
      details,
      payload: { args, kwargs: NO_KWARGS },
    });
  }

  invoke(
    request: number,
    registration: number,
    args: readonly unknown[],
    details: Dict = {},
    kwargs?: Dict,
  ): void {
    const payload = { args, kwargs: kwargs ?? NO_KWARGS };
    this.send({ type: MessageType.invocation, request, registration, details, payload });
  }

  #onFrame(message: ClientMessage): void {
    if (message.type !== MessageType.hello) {
      this.received.push(message);
      if (message.type === MessageType.goodbye && !this.isSilent) {
        this.send({ type: MessageType.goodbye, details: {}, reason: 'wamp.close.goodbye_and_out' });
      }
      return;
    }
    this.hellos.push(message);
    if (this.welcomes) this.welcome();
  }

  welcome(details: Dict = {}): void {
    this.#sessions += 1;
    this.send({
      type: MessageType.welcome,
      session: this.#sessions,
      details: { roles: this.roles, ...details },
    });
  }
}

/** Waits until something is so: a turn for what happens in memory, longer for what other threads do (cryptography). */
export async function settled(isSo: () => boolean): Promise<void> {
  const startMs = performance.now();
  while (!isSo()) {
    if (performance.now() - startMs > 5000) throw new Error('it never came to that');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
