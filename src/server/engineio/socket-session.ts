import type { Clock } from '../../base/clock.js';
import type { SchemaShape } from '../../module/db-view.js';
import type { ModuleHost } from '../../module/host.js';
import type { SocketHandlers } from '../../module/socket.js';
import type { SessionHandler } from '../../protocols/engineio/server/session-host.js';
import type { Session } from '../../protocols/engineio/server/session.js';
import type { SocketCaller } from './socket-caller.js';
import { SocketContext } from './socket-context.js';
import type { HubSocket, SocketHub } from './socket-hub.js';

/** What answers at a path, at the moment. */
export interface Place {
  readonly host: ModuleHost;
  readonly handlers: SocketHandlers<SchemaShape>;
  report(where: string, error: unknown): void;
}

/** What the sessions of one path share. */
export interface SocketPath {
  /** For logs. */
  readonly where: string;
  readonly hub: SocketHub;
  readonly clock: Clock;
  /** Asked for each event: the module may have been replaced since the last one, or be gone. */
  find(): Place | undefined;
}

type Handle = (handlers: SocketHandlers<SchemaShape>, ctx: SocketContext) => unknown;

/** Tells the handlers of a path what happens on one session. */
export class SocketSession implements SessionHandler {
  readonly #path: SocketPath;
  readonly #session: Session;
  readonly #caller: SocketCaller;
  readonly #socket: HubSocket;
  #hasFailed = false;

  /** @param host whose rows the handlers see. */
  constructor(path: SocketPath, session: Session, caller: SocketCaller, host: ModuleHost) {
    this.#path = path;
    this.#session = session;
    this.#caller = caller;
    this.#socket = path.hub.add(session, caller, host);
  }

  connect(): void {
    this.#call((handlers, ctx) => handlers.connect?.(ctx, this.#socket));
  }

  onMessage(data: string | Uint8Array): void {
    if (this.#hasFailed) return;
    // The bytes of a frame are good during the call only, and handlers may be asynchronous.
    const own = typeof data === 'string' ? data : data.slice();
    this.#call((handlers, ctx) => handlers.message?.(ctx, this.#socket, own));
  }

  onClose(reason: string): void {
    this.#path.hub.remove(this.#socket);
    this.#call((handlers, ctx) => handlers.disconnect?.(ctx, this.#socket, reason));
  }

  #call(handle: Handle): void {
    const { where, hub, clock } = this.#path;
    const place = this.#path.find();
    if (place === undefined) return this.#session.close();
    try {
      const context = new SocketContext(where, place.host, hub, this.#caller, clock.nowMicros());
      const result = handle(place.handlers, context);
      if (result instanceof Promise) result.catch((error: unknown) => this.#fail(place, error));
    } catch (error) {
      this.#fail(place, error);
    }
  }

  #fail(place: Place, error: unknown): void {
    place.report(this.#path.where, error);
    this.#hasFailed = true;
    this.#socket.fail();
  }
}
