import type { Durability } from '../../module/effects.js';
import type { SchemaShape } from '../../module/db-view.js';
import type { ModuleSocket, SocketCtx } from '../../module/socket.js';
import { PreparedMessage } from '../../protocols/engineio/server/prepared-message.js';
import type { Session } from '../../protocols/engineio/server/session.js';
import type { ConnectionId, Identity } from '../../values/identity.js';
import { SocketActions, type SocketActionsOptions } from './socket-actions.js';
import type { SocketCaller } from './socket-caller.js';

/** One session, as handlers see it. There may be many that do nothing, so what can be shared or made later is. */
export class HubSocket implements ModuleSocket {
  data: unknown;
  readonly #hub: SocketHub;
  readonly #session: Session;
  readonly #caller: SocketCaller;
  readonly #actions: SocketActions;
  #groups: Set<string> | undefined;

  constructor(
    hub: SocketHub,
    session: Session,
    caller: SocketCaller,
    durability: Durability,
    options: SocketActionsOptions,
  ) {
    this.#hub = hub;
    this.#session = session;
    this.#caller = caller;
    this.#actions = new SocketActions(options, session, durability);
  }

  get id(): string {
    return this.#session.id;
  }

  get identity(): Identity {
    return this.#caller.identity;
  }

  get connectionId(): ConnectionId {
    return this.#caller.connectionId;
  }

  get groups(): ReadonlySet<string> {
    return (this.#groups ??= new Set());
  }

  get transport(): 'polling' | 'websocket' {
    return this.#session.transportName;
  }

  get bufferedBytes(): number {
    return this.#session.bufferedBytes + this.#actions.bytes;
  }

  send(data: string | Uint8Array): void {
    if (this.#actions.isFree) this.#session.send(data);
    else this.#actions.add(data.length, () => this.#session.send(data));
  }

  sendPrepared(message: PreparedMessage): void {
    if (this.#actions.isFree) this.#session.sendPrepared(message);
    else this.#actions.add(message.packet.data.length, () => this.#session.sendPrepared(message));
  }

  close(): void {
    this.#actions.add(0, () => this.#session.close());
  }

  /** Ends it, which tells the client that a handler has failed. */
  fail(): void {
    this.#actions.add(0, () => this.#session.terminate('forced close', 'a handler failed'));
  }

  join(group: string): void {
    // Who has gone would stay in the group for ever.
    if (this.#hub.join(this, group)) (this.#groups ??= new Set()).add(group);
  }

  leave(group: string): void {
    this.#groups?.delete(group);
    this.#hub.leave(this, group);
  }

  leaveAll(): void {
    if (this.#groups !== undefined) for (const group of this.#groups) this.leave(group);
  }
}

/** The sockets of one path and their groups. */
export class SocketHub {
  readonly #options: SocketActionsOptions;
  readonly #sockets = new Set<HubSocket>();
  readonly #groups = new Map<string, Set<HubSocket>>();

  constructor(options: SocketActionsOptions) {
    this.#options = options;
  }

  /** @param durability of the database that its handlers see. */
  add(session: Session, caller: SocketCaller, durability: Durability): HubSocket {
    const socket = new HubSocket(this, session, caller, durability, this.#options);
    this.#sockets.add(socket);
    return socket;
  }

  remove(socket: HubSocket): void {
    socket.leaveAll();
    this.#sockets.delete(socket);
  }

  /** False if the socket has gone. */
  join(socket: HubSocket, group: string): boolean {
    if (!this.#sockets.has(socket)) return false;
    let members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, (members = new Set()));
    members.add(socket);
    return true;
  }

  leave(socket: HubSocket, group: string): void {
    const members = this.#groups.get(group);
    members?.delete(socket);
    if (members?.size === 0) this.#groups.delete(group);
  }

  /** Encodes once. A function by itself, as contexts hand it out. */
  readonly broadcast: SocketCtx<SchemaShape>['broadcast'] = (data, { group, except } = {}) => {
    const message = new PreparedMessage(data);
    const members = group === undefined ? this.#sockets : (this.#groups.get(group) ?? []);
    for (const socket of members) {
      if (socket === except) continue;
      try {
        socket.sendPrepared(message);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  };
}
