import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';

import type { TimerWheel, WheelTask } from './timer-wheel.js';

type Accept = (socket: Duplex) => void;
type AdoptSocket = (this: Server, socket: Duplex) => void;

/**
 * Looks at the first octet of a connection and hands it to the protocol that begins with it, else to HTTP.
 * Costs nothing as long as no protocol was added.
 */
export class ProtocolSniffer {
  readonly #server: Server;
  readonly #wheel: TimerWheel;
  readonly #waitMs: number;
  readonly #adoptByHttp: AdoptSocket;
  readonly #accepts = new Map<number, Accept>();
  readonly #waiting = new Set<Duplex>();

  constructor(server: Server, isTls: boolean, wheel: TimerWheel, waitMs: number) {
    this.#server = server;
    this.#wheel = wheel;
    this.#waitMs = waitMs;
    const event = isTls ? 'secureConnection' : 'connection';
    // Node's own listener is what makes an HTTP connection of a socket.
    const listeners = server.listeners(event) as AdoptSocket[];
    const adopt = listeners[0];
    if (listeners.length !== 1 || adopt === undefined) throw new Error(`unexpected listeners of ${event}`);
    this.#adoptByHttp = adopt;
    server.removeListener(event, adopt);
    server.on(event, (socket: Duplex) => this.#meet(socket));
  }

  add(firstOctet: number, accept: Accept): void {
    if (this.#accepts.has(firstOctet)) throw new Error(`first octet ${firstOctet} is taken`);
    this.#accepts.set(firstOctet, accept);
  }

  /** Ends the connections that have not said anything yet. */
  endWaiting(): void {
    for (const socket of this.#waiting) socket.destroy();
  }

  #meet(socket: Duplex): void {
    if (this.#accepts.size === 0) return this.#adoptByHttp.call(this.#server, socket);
    const timeout: WheelTask = { wheelDueMs: Infinity, onWheelDue: () => socket.destroy() };
    this.#wheel.schedule(timeout, this.#waitMs);
    this.#waiting.add(socket);
    const stop = (): void => {
      this.#wheel.cancel(timeout);
      this.#waiting.delete(socket);
      socket.off('data', onData).off('error', ignore).off('close', stop).off('end', onEnd);
    };
    const onData = (chunk: Uint8Array): void => {
      stop();
      socket.pause();
      socket.unshift(chunk);
      const accept = this.#accepts.get(chunk[0]!);
      if (accept !== undefined) return accept(socket);
      this.#adoptByHttp.call(this.#server, socket);
      socket.resume();
    };
    const onEnd = (): void => void socket.destroy();
    socket.on('data', onData).on('error', ignore).on('close', stop).on('end', onEnd);
  }
}

function ignore(): void {}
