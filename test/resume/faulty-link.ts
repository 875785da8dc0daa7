import type { OpenTransport, Transport, TransportEvents, TransportRequest } from 'chorale/client';
import { Session } from '../../src/protocols/spacetimedb/server/session.js';
import type { DatabaseRuntime } from '../../src/protocols/spacetimedb/server/runtime.js';
import type { Subprotocol } from '../../src/protocols/spacetimedb/messages/frame.js';
import { ConnectionId, Identity } from '../../src/values/identity.js';

/* Links in memory that break: after some frames everything under way is lost, and the server may hear of it much later. */

export interface FaultyNetworkOptions {
  readonly database: DatabaseRuntime;
  /** How many frames a new link carries before it breaks; undefined for one that lasts. */
  readonly lifetime: () => number | undefined;
  /** The version a new link speaks. */
  readonly protocol: () => Subprotocol;
}

export class FaultyNetwork {
  readonly database: DatabaseRuntime;
  readonly lifetime: () => number | undefined;
  readonly protocol: () => Subprotocol;
  cuts = 0;
  /** Sessions whose clients are gone and who do not know. */
  readonly #halfOpen: Session[] = [];
  #identityCount = 0n;

  constructor({ database, lifetime, protocol }: FaultyNetworkOptions) {
    this.database = database;
    this.lifetime = lifetime;
    this.protocol = protocol;
  }

  readonly openTransport: OpenTransport = (request, events) => new FaultyLink(this, request, events);

  /** The identity that a token proves: its number. */
  authenticate(token: string | undefined): { readonly identity: Identity; readonly token: string } {
    const number = token === undefined ? ++this.#identityCount : BigInt(token);
    return { identity: new Identity(1000n + number), token: String(number) };
  }

  leaveHalfOpen(session: Session): void {
    this.#halfOpen.push(session);
  }

  /** The server finds out about the oldest half-open connections. */
  noticeHalfOpen(count: number): void {
    for (const session of this.#halfOpen.splice(0, count)) session.closed();
  }
}

class FaultyLink implements Transport {
  readonly bufferedBytes = 0;
  readonly #network: FaultyNetwork;
  readonly #events: TransportEvents;
  #framesLeft: number | undefined;
  #session: Session | undefined;
  #isOver = false;

  constructor(network: FaultyNetwork, request: TransportRequest, events: TransportEvents) {
    this.#network = network;
    this.#events = events;
    this.#framesLeft = network.lifetime();
    queueMicrotask(() => this.#open(request));
  }

  send(frame: Uint8Array): void {
    this.#carry(() => {
      this.#session?.receive(frame);
      this.#session?.endTurn();
    });
  }

  close(code = 1000): void {
    queueMicrotask(() => this.#finish(code));
  }

  #open({ url, token }: TransportRequest): void {
    if (this.#isOver) return;
    const network = this.#network;
    const protocol = network.protocol();
    const credentials = network.authenticate(token);
    this.#session = new Session({
      protocol,
      database: network.database,
      caller: {
        identity: credentials.identity,
        connectionId: ConnectionId.fromString(url.searchParams.get('connection_id')!),
        tokenPayload: undefined,
      },
      token: credentials.token,
      confirmed: true,
      link: {
        isOpen: true,
        send: (...parts) => {
          const frame = new Uint8Array(Buffer.concat(parts));
          this.#carry(() => this.#events.onMessage(frame));
        },
        sendText: () => undefined,
        close: (code) => queueMicrotask(() => this.#finish(code)),
      },
      onError: (error) => {
        throw error;
      },
    });
    this.#events.onOpen(protocol);
    this.#session.start();
  }

  #carry(deliver: () => void): void {
    queueMicrotask(() => {
      if (this.#isOver) return;
      if (this.#framesLeft !== undefined && this.#framesLeft-- <= 0) this.#cut();
      else deliver();
    });
  }

  #cut(): void {
    this.#isOver = true;
    this.#network.cuts++;
    if (this.#session !== undefined) this.#network.leaveHalfOpen(this.#session);
    this.#events.onClose({ code: 1006, reason: '' });
  }

  #finish(code: number): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#session?.closed();
    this.#events.onClose({ code, reason: '' });
  }
}
