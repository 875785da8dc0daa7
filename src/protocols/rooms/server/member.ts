import { WireError } from '../../../base/wire-error.js';
import type { RoomAccess, RoomContext } from '../../../documents/room-definition.js';
import type { Missing } from '../../../documents/document-store.js';
import { UpdateError } from '../../../documents/update-error.js';
import { LogError } from '../../../engine/log/log-error.js';
import type { WebSocketConnection } from '../../../net/websocket/connection.js';
import type { Dialect } from '../messages/dialect.js';
import { decodeAwareness, encodeAwareness } from '../messages/awareness.js';
import {
  encodeAddress,
  encodeClose,
  encodeStateless,
  encodeSyncStatus,
  type HocuspocusMessage,
} from '../messages/hocuspocus.js';
import { encodeMessage, encodeSyncStep2Head } from '../messages/message.js';
import { RoomClose } from './close-code.js';
import type { LiveRoom } from './live-room.js';
import { AWARENESS_ENTRIES_MAX, SILENCE_MS_MAX } from './room-limits.js';
import type { Rooms } from './rooms.js';

const EMPTY_UPDATE_BYTES = 2;
const NO_PREFIX = new Uint8Array(0);
const NOBODY = encodeMessage({ kind: 'awareness', update: Uint8Array.of(0) });

export interface MemberOptions {
  readonly rooms: Rooms;
  readonly room: LiveRoom;
  readonly connection: WebSocketConnection;
  readonly dialect: Dialect;
  /** Hocuspocus: what its frames begin with. Empty otherwise. */
  readonly address: string;
  readonly context: RoomContext;
  readonly access: RoomAccess;
  readonly socket: MemberSocket;
}

/** Whose part of a socket a member is. */
export interface MemberSocket {
  leave(address: string, member: Member): void;
}

/** One connection in one room. */
export class Member {
  readonly room: LiveRoom;
  readonly address: string;
  readonly prefix: Uint8Array;
  readonly context: RoomContext;
  /** How often `authorize` was asked again. */
  askedCount = 0;
  #access: RoomAccess;
  readonly #rooms: Rooms;
  readonly #connection: WebSocketConnection;
  readonly #isHocuspocus: boolean;
  readonly #socket: MemberSocket;
  #isSynced = false;
  /** Where it stopped being sent updates, since it reads too slowly. */
  #behindSince: number | undefined;
  #isThrottled = false;
  #wasToldReadOnly = false;
  #sentMs: number;

  constructor({ rooms, room, connection, dialect, address, context, access, socket }: MemberOptions) {
    this.#rooms = rooms;
    this.room = room;
    this.#connection = connection;
    this.address = address;
    this.#isHocuspocus = dialect === 'hocuspocus';
    this.prefix = this.#isHocuspocus ? encodeAddress(address) : NO_PREFIX;
    this.context = context;
    this.#access = access;
    this.#socket = socket;
    this.#sentMs = rooms.nowMs;
  }

  /** Nobody is told of updates before he has said what he has, nor while he cannot take them. */
  get wantsUpdates(): boolean {
    return this.#isSynced && this.#behindSince === undefined;
  }

  /** Others get their own update back, which tells them that it is kept. */
  get wantsAcknowledgement(): boolean {
    return this.#isHocuspocus;
  }

  /** Says what we have, and who is here. */
  greet(): void {
    this.#askForMissing();
  }

  sendFrames(frames: Uint8Array): void {
    this.#sentMs = this.#rooms.nowMs;
    this.#connection.sendFrame(frames);
  }

  sendStateless(payload: string): void {
    if (this.#isHocuspocus) this.#send(encodeStateless(payload));
  }

  /** What it sent is on disk. */
  onKept(reply: Uint8Array | undefined): void {
    if (reply !== undefined) this.#send(reply);
    else if (this.#isHocuspocus) this.#send(encodeSyncStatus(true));
  }

  onOverflow(): void {
    this.#behindSince ??= this.room.releasedOffset;
  }

  /** Sends as one update what it has missed. */
  onDrain(): void {
    if (this.#behindSince === undefined) return;
    const update = this.room.documents.durableAfter(this.room.document, this.#behindSince);
    this.#behindSince = undefined;
    if (this.#isSynced && update.length > EMPTY_UPDATE_BYTES)
      this.#send(encodeMessage({ kind: 'update', update }));
    if (!this.room.awareness.isEmpty) this.#sendAwareness();
  }

  onTick(nowMs: number): void {
    if (this.#isThrottled) {
      this.#isThrottled = false;
      this.#askForMissing();
    }
    if (nowMs - this.#sentMs >= SILENCE_MS_MAX) this.#send(NOBODY);
  }

  /** What it may do has changed, perhaps. */
  changeAccess(access: RoomAccess): void {
    const before = this.#access;
    this.#access = access;
    if (access === 'deny') return this.end(RoomClose.forbidden, 'you may not use this document any more');
    if (access === before || access === 'read') return;
    this.#wasToldReadOnly = false;
    // What was refused meanwhile is still with the client.
    this.#askForMissing();
  }

  /** Takes one message. Nothing that it throws concerns anybody else. */
  receive(message: HocuspocusMessage): void {
    try {
      this.#receive(message);
    } catch (error) {
      this.#refuse(error);
    }
  }

  #receive(message: HocuspocusMessage): void {
    const { room } = this;
    switch (message.kind) {
      case 'syncStep1':
        return this.#answerStep1(room.documents.missingFor(room.document, message.stateVector));
      case 'syncStep2':
      case 'update':
        return this.#takeUpdate(message.update);
      case 'awareness':
        return this.#takeAwareness(message.update);
      case 'queryAwareness':
        return this.#sendAwareness();
      case 'probe':
        // What was put off is not kept: the client is asked for it later, and asks this again after it.
        if (this.#isThrottled || this.#access !== 'write') return;
        return room.acknowledge(this, encodeMessage(message));
      case 'stateless':
        return this.#rooms.callHook(room, () =>
          room.definition.onStateless?.(room, message.payload, this.context.sender),
        );
      default:
      // Answers of servers, and what later versions may add: nothing to do here.
    }
  }

  #answerStep1(missing: Missing | Promise<Missing>): void {
    if (missing instanceof Promise)
      return void missing.then(
        (found) => this.#sendStep2(found),
        (error: unknown) => this.#refuse(error),
      );
    this.#sendStep2(missing);
  }

  #sendStep2({ update, offset }: Missing): void {
    this.#sentMs = this.#rooms.nowMs;
    this.#connection.sendBinary(this.prefix, encodeSyncStep2Head(update.length), update);
    // Not before: news of who comes and goes are for those who are synced.
    if (!this.#isSynced && !this.room.awareness.isEmpty) this.#sendAwareness();
    this.#isSynced = true;
    const newer = this.room.documents.durableAfter(this.room.document, offset);
    if (newer.length > EMPTY_UPDATE_BYTES) this.#send(encodeMessage({ kind: 'update', update: newer }));
  }

  #takeUpdate(update: Uint8Array): void {
    const { room, context } = this;
    if (isEmptyUpdate(update)) return room.acknowledge(this);
    if (this.#access !== 'write') return this.#refuseWrite();
    const { updatesPerSecond } = room.limits;
    if (!this.#rooms.budget.take(context.sender.key, updatesPerSecond, this.#rooms.nowMs)) {
      // Nothing is lost: the client still has it, and is asked for it when there is room again.
      this.#isThrottled = true;
      return;
    }
    room.accept(update, { identity: context.sender, connectionId: context.connectionId }, this);
    if (room.document.hasGaps) this.#askForMissing();
  }

  #takeAwareness(update: Uint8Array): void {
    const entries = decodeAwareness(update, AWARENESS_ENTRIES_MAX);
    const { awareness } = this.room;
    this.room.tellAwareness(awareness.apply(entries, this, this.context.sender.key, this.#rooms.nowMs));
  }

  #refuseWrite(): void {
    if (this.#isHocuspocus) return this.#send(encodeSyncStatus(false));
    if (this.#wasToldReadOnly) return;
    this.#wasToldReadOnly = true;
    const reason = this.#rooms.log.failure?.message ?? 'this document is read-only for you';
    this.#send(encodeMessage({ kind: 'denied', reason }));
  }

  #refuse(error: unknown): void {
    if (error instanceof LogError && error.code === 'BACKLOG_FULL') {
      this.#isThrottled = true;
    } else if (error instanceof UpdateError) {
      this.end(error.code === 'MALFORMED' ? RoomClose.malformed : RoomClose.tooLarge, error.message);
    } else if (error instanceof WireError) {
      this.end(RoomClose.malformed, error.message);
    } else {
      this.#rooms.onError(error, `room ${this.room.id}`);
      this.end(RoomClose.failed, 'the update could not be kept');
    }
  }

  /** Ends its part of the socket, with a reason that its client shows. */
  end(code: number, reason: string): void {
    if (this.#isHocuspocus) {
      this.#send(encodeSyncStatus(false));
      this.#send(encodeClose(reason));
    } else {
      if (code !== RoomClose.away) this.#send(encodeMessage({ kind: 'denied', reason }));
      this.#connection.close(code, reason);
    }
    this.#socket.leave(this.address, this);
  }

  #askForMissing(): void {
    this.#send(encodeMessage({ kind: 'syncStep1', stateVector: this.room.document.stateVector() }));
  }

  #sendAwareness(): void {
    this.#send(encodeMessage({ kind: 'awareness', update: encodeAwareness(this.room.awareness.list()) }));
  }

  #send(message: Uint8Array): void {
    this.#sentMs = this.#rooms.nowMs;
    this.#connection.sendBinary(this.prefix, message);
  }
}

function isEmptyUpdate(update: Uint8Array): boolean {
  return update.length === EMPTY_UPDATE_BYTES && update[0] === 0 && update[1] === 0;
}
