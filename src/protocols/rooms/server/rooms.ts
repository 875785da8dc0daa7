import type { DocumentStore } from '../../../documents/document-store.js';
import type { RoomAccess, RoomContext, RoomDefinitions } from '../../../documents/room-definition.js';
import type { CommitLog } from '../../../engine/log/commit-log.js';
import type { TimerWheel, WheelTask } from '../../../net/timer-wheel.js';
import type { TurnFlusher } from '../../../net/turn-flusher.js';
import { RoomClose } from './close-code.js';
import { LiveRoom } from './live-room.js';
import type { Member } from './member.js';
import { TICK_MS } from './room-limits.js';
import { Permissions } from './permissions.js';
import { type MatchedRoom, RoomPatterns } from './room-patterns.js';
import { UpdateBudget } from './update-budget.js';

/** The database that rooms belong to. */
export interface RoomHost {
  /** Another one after a reset. */
  readonly documents: DocumentStore;
  readonly log: CommitLog;
  /** Closed when there is another database, or none. */
  readonly sessions: Set<{ close(code: number, reason: string): void }>;
  /** What `authorize` is given; `onRead` hears which tables it looks at. */
  roomContext(context: RoomContext, onRead: (table: string) => void): RoomContext;
  onTablesChanged(listener: (tables: readonly string[]) => void): () => void;
}

export interface RoomsOptions {
  readonly host: RoomHost;
  readonly definitions: RoomDefinitions;
  readonly turns: TurnFlusher;
  readonly wheel: TimerWheel;
  readonly onError: (error: unknown, where: string) => void;
}

/** The rooms of one database: which are open, what waits for the disk, and the one timer of them all. */
export class Rooms implements WheelTask {
  wheelDueMs = Infinity;
  readonly budget = new UpdateBudget();
  readonly #options: RoomsOptions;
  readonly #rooms = new Map<string, LiveRoom>();
  readonly #toRelease = new Set<LiveRoom>();
  readonly #permissions: Permissions;
  readonly #stops: readonly (() => void)[];
  #patterns: RoomPatterns;
  #nowMs: number;
  #isReleaseDue = false;

  constructor(options: RoomsOptions) {
    this.#options = options;
    this.#patterns = new RoomPatterns(options.definitions);
    this.#nowMs = options.wheel.nowMs;
    const { log, sessions } = options.host;
    const session = { close: (code: number, reason: string) => this.closeAll(code, reason) };
    sessions.add(session);
    this.#permissions = new Permissions(options, () => this.#patterns);
    this.#stops = [
      log.onDurable(() => this.#release()),
      () => sessions.delete(session),
      this.#permissions.watch((definitions) =>
        this.#reauthorizeAll((room) => definitions.has(room.definition)),
      ),
    ];
  }

  get documents(): DocumentStore {
    return this.#options.host.documents;
  }

  get log(): CommitLog {
    return this.#options.host.log;
  }

  /** Taken once per turn and tick. */
  get nowMs(): number {
    return this.#nowMs;
  }

  get onError(): RoomsOptions['onError'] {
    return this.#options.onError;
  }

  get openCount(): number {
    return this.#rooms.size;
  }

  find(id: string): LiveRoom | undefined {
    return this.#rooms.get(id);
  }

  match(id: string): MatchedRoom | undefined {
    return this.#patterns.find(id);
  }

  /** Another module has taken over. Who is in a room stays under the old rules until he is asked again. */
  replaceDefinitions(definitions: RoomDefinitions): void {
    this.#patterns = new RoomPatterns(definitions);
    this.#permissions.forget();
    this.reauthorize();
  }

  authorize(id: string, context: RoomContext): Promise<RoomAccess> {
    return this.#permissions.ask(id, context);
  }

  /** The open room, opened if it is not, for somebody who waits for its `ready` and then joins or leaves early. */
  open(id: string, matched: MatchedRoom): LiveRoom {
    const room = this.#rooms.get(id) ?? this.#load(id, matched);
    room.arrivingCount += 1;
    return room;
  }

  #load(id: string, { definition, params }: MatchedRoom): LiveRoom {
    const room = new LiveRoom(id, params, definition, this);
    this.#rooms.set(id, room);
    if (definition.onLoad !== undefined) {
      room.ready = Promise.resolve()
        .then(() => definition.onLoad?.(room))
        .finally(() => void (room.ready = undefined));
    }
    return room;
  }

  leaveEarly(room: LiveRoom): void {
    room.arrivingCount -= 1;
    this.#closeIfEmpty(room);
  }

  /** @param asked `permissionVersion` from before `authorize` was asked. */
  join(member: Member, asked: number): void {
    this.#nowMs = this.#options.wheel.nowMs;
    member.room.arrivingCount -= 1;
    member.room.members.add(member);
    if (this.wheelDueMs === Infinity) this.#options.wheel.schedule(this, TICK_MS);
    if (asked !== this.permissionVersion) void this.#reauthorize(member);
  }

  get permissionVersion(): number {
    return this.#permissions.version;
  }

  leave(member: Member): void {
    const { room } = member;
    if (!room.members.delete(member)) return;
    room.tellAwareness(room.awareness.removeOwner(member));
    this.#closeIfEmpty(room);
  }

  /** The document stays in the log; who comes back finds it there. */
  #closeIfEmpty(room: LiveRoom): void {
    if (room.members.size > 0 || room.arrivingCount > 0 || this.#rooms.get(room.id) !== room) return;
    this.callHook(room, () => room.definition.onUnload?.(room));
    this.#rooms.delete(room.id);
    room.documents.close(room.document);
  }

  /** Asks `authorize` again for everybody, or for one room: what has changed takes effect at once. */
  reauthorize(id?: string): void {
    this.#reauthorizeAll((room) => id === undefined || room.id === id);
  }

  #reauthorizeAll(isMeant: (room: LiveRoom) => boolean): void {
    for (const room of this.#rooms.values())
      if (isMeant(room)) for (const member of room.members) void this.#reauthorize(member);
  }

  async #reauthorize(member: Member): Promise<void> {
    const asked = ++member.askedCount;
    const access = await this.authorize(member.room.id, member.context);
    // A later answer counts, whichever comes first.
    if (asked === member.askedCount) member.changeAccess(access);
  }

  releaseSoon(room: LiveRoom): void {
    this.#toRelease.add(room);
    if (this.#isReleaseDue) return;
    this.#isReleaseDue = true;
    this.#options.turns.beforeFlush(() => this.#release());
  }

  #release(): void {
    this.#isReleaseDue = false;
    if (this.#toRelease.size === 0) return;
    this.#nowMs = this.#options.wheel.nowMs;
    const { durableOffset } = this.#options.host.log;
    for (const room of this.#toRelease) if (room.release(durableOffset)) this.#toRelease.delete(room);
  }

  /** Who has gone silent, who needs to hear something, who may send again. */
  onWheelDue(nowMs: number): void {
    this.#nowMs = nowMs;
    this.budget.forgetIdle(nowMs);
    this.documents.forgetUnused();
    for (const room of this.#rooms.values()) {
      room.tellAwareness(room.awareness.removeSilent(nowMs));
      for (const member of room.members) member.onTick(nowMs);
    }
    if (this.#rooms.size > 0) this.#options.wheel.schedule(this, TICK_MS);
  }

  callHook(room: LiveRoom, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.onError(error, `a hook of room ${room.id}`);
    }
  }

  closeAll(code: number, reason: string): void {
    for (const room of this.#rooms.values()) for (const member of room.members) member.end(code, reason);
    // Who is on his way into one finds that it is not there any more.
    this.#rooms.clear();
  }

  close(): void {
    for (const stop of this.#stops) stop();
    this.#options.wheel.cancel(this);
    this.closeAll(RoomClose.away, 'server shutdown');
  }
}
