import type { Caller } from '../../module/module-def.js';
import type { ModuleSocket } from '../../module/socket.js';
import type { Engine } from '../../protocols/engineio/server/engine.js';
import type { Session } from '../../protocols/engineio/server/session.js';
import type { ConnectionId, Identity } from '../../values/identity.js';

class HubSocket implements ModuleSocket {
  readonly id: string;
  readonly identity: Identity;
  readonly connectionId: ConnectionId;
  readonly session: Session;
  readonly groups = new Set<string>();
  data: unknown;
  readonly #hub: SocketHub;

  constructor(hub: SocketHub, session: Session, caller: Caller & { readonly connectionId: ConnectionId }) {
    this.#hub = hub;
    this.session = session;
    this.id = session.id;
    this.identity = caller.identity;
    this.connectionId = caller.connectionId;
  }

  get transport(): 'polling' | 'websocket' {
    return this.session.transportName;
  }

  get bufferedBytes(): number {
    return this.session.bufferedBytes;
  }

  send(data: string | Uint8Array): void {
    this.session.send(data);
  }

  close(): void {
    this.session.close();
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
  readonly #engine: () => Engine;
  readonly #sockets = new Map<ModuleSocket, HubSocket>();
  readonly #groups = new Map<string, Set<HubSocket>>();

  constructor(engine: () => Engine) {
    this.#engine = engine;
  }

  add(session: Session, caller: Caller & { readonly connectionId: ConnectionId }): ModuleSocket {
    const socket = new HubSocket(this, session, caller);
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

  broadcast(
    data: string | Uint8Array,
    { group, except }: { readonly group?: string; readonly except?: ModuleSocket } = {},
  ): void {
    const members = group === undefined ? this.#sockets.values() : (this.#groups.get(group) ?? []);
    const sessions: Session[] = [];
    for (const socket of members) if (socket !== except) sessions.push(socket.session);
    this.#engine().broadcast(data, sessions);
  }
}
