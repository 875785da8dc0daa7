import type { Caller } from '../../module/module-def.js';
import type { Durability, TransactionScope } from '../../module/effects.js';
import type { ModuleSocket } from '../../module/socket.js';
import { PreparedMessage } from '../../protocols/engineio/server/prepared-message.js';
import type { Session } from '../../protocols/engineio/server/session.js';
import type { ConnectionId, Identity } from '../../values/identity.js';
import { SocketActions } from './socket-actions.js';

export type SocketCaller = Caller & { readonly connectionId: ConnectionId };

export interface SocketHubOptions {
  readonly scope: TransactionScope;
  /** What may wait for one client. */
  readonly queueBytesMax: number;
  /** Something could not be sent. */
  readonly onError: (error: unknown) => void;
}

class HubSocket implements ModuleSocket {
  readonly id: string;
  readonly identity: Identity;
  readonly connectionId: ConnectionId;
  readonly groups = new Set<string>();
  data: unknown;
  readonly #hub: SocketHub;
  readonly #session: Session;
  readonly #actions: SocketActions;

  constructor(
    hub: SocketHub,
    session: Session,
    caller: SocketCaller,
    durability: Durability,
    { scope, queueBytesMax, onError }: SocketHubOptions,
  ) {
    this.#hub = hub;
    this.#session = session;
    this.#actions = new SocketActions({
      scope,
      durability,
      bytesMax: queueBytesMax,
      onFull: () => session.terminate('transport error', 'more waits for the client than may'),
      onLost: () => session.terminate('forced close', "the database's log has failed"),
      onError,
    });
    this.id = session.id;
    this.identity = caller.identity;
    this.connectionId = caller.connectionId;
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
    this.#hub.join(this, group);
  }

  leave(group: string): void {
    this.#hub.leave(this, group);
  }
}

/** The sockets of one path and their groups. */
export class SocketHub {
  readonly #options: SocketHubOptions;
  readonly #sockets = new Map<ModuleSocket, HubSocket>();
  readonly #groups = new Map<string, Set<HubSocket>>();

  constructor(options: SocketHubOptions) {
    this.#options = options;
  }

  /** @param durability of the database that its handlers see. */
  add(session: Session, caller: SocketCaller, durability: Durability): HubSocket {
    const socket = new HubSocket(this, session, caller, durability, this.#options);
    this.#sockets.set(socket, socket);
    return socket;
  }

  remove(socket: ModuleSocket): void {
    for (const group of socket.groups) socket.leave(group);
    this.#sockets.delete(socket);
  }

  join(socket: HubSocket, group: string): void {
    // Who has gone would stay in the group for ever.
    if (!this.#sockets.has(socket)) return;
    let members = this.#groups.get(group);
    if (members === undefined) this.#groups.set(group, (members = new Set()));
    members.add(socket);
    socket.groups.add(group);
  }

  leave(socket: HubSocket, group: string): void {
    socket.groups.delete(group);
    const members = this.#groups.get(group);
    members?.delete(socket);
    if (members?.size === 0) this.#groups.delete(group);
  }

  /** Encodes once. */
  broadcast(
    data: string | Uint8Array,
    { group, except }: { readonly group?: string; readonly except?: ModuleSocket } = {},
  ): void {
    const message = new PreparedMessage(data);
    const members = group === undefined ? this.#sockets.values() : (this.#groups.get(group) ?? []);
    for (const socket of members) {
      if (socket === except) continue;
      try {
        socket.sendPrepared(message);
      } catch (error) {
        this.#options.onError(error);
      }
    }
  }
}
