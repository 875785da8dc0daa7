import type { SchemaShape } from '../../module/db-view.js';
import type { ModuleHost } from '../../module/host.js';
import type { AuthCtx } from '../../module/reducer-ctx.js';
import type { SocketCtx } from '../../module/socket.js';
import type { ConnectionId, Identity } from '../../values/identity.js';
import type { Timestamp } from '../../values/timestamp.js';
import type { SocketCaller } from './socket-caller.js';
import type { SocketHub } from './socket-hub.js';

/** One call's context. Every message gets one, and most handlers ask for little: what costs something is made when it is asked for. */
export class SocketContext implements SocketCtx<SchemaShape> {
  readonly #where: string;
  readonly #host: ModuleHost;
  readonly #hub: SocketHub;
  readonly #caller: SocketCaller;
  readonly #micros: number;
  #inner: ReturnType<ModuleHost['makeContext']> | undefined;

  /** @param where of the transactions, for the log. */
  constructor(where: string, host: ModuleHost, hub: SocketHub, caller: SocketCaller, micros: number) {
    this.#where = where;
    this.#host = host;
    this.#hub = hub;
    this.#caller = caller;
    this.#micros = micros;
  }

  get sender(): Identity {
    return this.#caller.identity;
  }

  get connectionId(): ConnectionId {
    return this.#caller.connectionId;
  }

  get databaseIdentity(): Identity {
    return this.#context.databaseIdentity;
  }

  get timestamp(): Timestamp {
    return this.#context.timestamp;
  }

  get senderAuth(): AuthCtx {
    return this.#context.senderAuth;
  }

  // Handlers may take these two out of the context, so they are no methods.

  get withTx(): SocketCtx<SchemaShape>['withTx'] {
    return (body) => this.#host.transact(this.#where, this.#caller, body);
  }

  get broadcast(): SocketCtx<SchemaShape>['broadcast'] {
    return this.#hub.broadcast;
  }

  get #context(): ReturnType<ModuleHost['makeContext']> {
    return (this.#inner ??= this.#host.makeContext(this.#caller, this.#micros));
  }
}
